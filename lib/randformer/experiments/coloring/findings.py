"""What 03_graph_coloring.ipynb reads off its runs, as tables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch

from randformer.core.adversary import SEED_STREAM, WORST_SEEDS, judge
from randformer.core.runs import NetworkRun, changed
from randformer.core.votes import success_by_votes
from randformer.experiments.coloring.sweep import ABLATIONS, CANDIDATES, NETWORK, OPEN
from randformer.problems.coloring.task import all_cycles
from randformer.report import tables

KS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)  # seeds spent on one cycle
PAPER_CAPACITY = 89.5  # cycles [%] that the paper's network colours, trained on the expected loss with a fixed seed


def told_sizes(profile: str, runs: list[NetworkRun]) -> str:
    """The sizes of a sweep in a sentence."""
    first, m = runs[0], max(run.objective.m for run in runs)
    return (
        f"{profile} profile: cycles on {first.task.n} vertices, {first.training.steps} steps, "
        f"batch {first.training.batch}, m = {m}; {first.network.layers} layers, {first.parameters} parameters"
    )


def ends(runs: list[NetworkRun]) -> tuple[float, float]:
    """The smallest and the largest q of a sweep."""
    qs = [run.objective.q for run in runs]
    return min(qs), max(qs)


def success_and_loss(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """tables.tidy's rows in percent, and those of losses per edge and colour."""
    losses = table["measure"].str.startswith("loss")
    return table[~losses], table[losses]


def some_qs(told: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table by answer and q at the smallest, middle and largest q, without the votes that do not help."""
    qs = sorted(set(told.index.get_level_values("q")))
    helps = [not re.search(r"parts|probabilities|logits", answer) for answer in told.index.get_level_values("answer")]
    return told[told.index.isin((qs[0], qs[len(qs) // 2], qs[-1]), level="q") & helps]


def spread(histogram: pd.DataFrame, runs: list[NetworkRun]) -> pd.DataFrame:
    """tables.spread of the randomized models in tables.histogram's, and the number n of their runs, by q."""
    table = tables.spread(tables.chosen(histogram, answer="A_R"))
    table["n"] = [sum(r.objective.q == q and not r.objective.fixed_seed for r in runs) for q in table.index]
    return table


# One cycle


@dataclass(frozen=True)
class Answers:
    """What a model makes of one cycle."""

    walk: list[int]  # ids in walking order
    colorings: list[list[int]]  # colours along the walk under each of some seeds
    share: float  # of seeds that make a valid colouring
    seeds: int  # of how many

    def __str__(self) -> str:
        different = len({tuple(colors) for colors in self.colorings})
        return (
            f"cycle {self.walk}: {different} different colourings of {len(self.colorings)}; "
            f"valid under {100 * self.share:.1f} % of {self.seeds} seeds"
        )


def first_randomized(runs: list[NetworkRun], q: float) -> NetworkRun:
    """The first run with random seeds at q."""
    return next(run for run in runs if run.objective.q == q and not run.objective.fixed_seed)


def on_the_worst_cycle(run: NetworkRun, record: dict, evaluation: dict, seeds: int = 8) -> Answers:
    """A model's answers to the cycle on which it does worst, under that many seeds.

    They are the first ones drawn, from a stream beside those of the evaluations. record and evaluation: as
    workers.load has them.
    """
    worst = evaluation["worst_input"]
    reader, _ = judge(run)
    drawn = run.task.draw_seeds(seeds, 1, torch.Generator().manual_seed(SEED_STREAM - 1))
    said = reader.probabilities_to(worst["index"], record["parameters"], drawn)
    colorings = reader.colors(reader.decided(said)).tolist()
    (share,) = success_by_votes(worst, (1,), reader.wrong_answers)["retry until valid"]
    return Answers(all_cycles(run.task.n)[worst["index"]].tolist(), colorings, share, WORST_SEEDS)


def colorings(walk: list[int], colors: list[list[int]]) -> pd.DataFrame:
    """Colours of one cycle's vertices under several seeds, one row per vertex in walking order."""
    return pd.DataFrame({"vertex": walk} | {f"seed {i}": column for i, column in enumerate(colors)})


# Votes


def randomized(runs: list[NetworkRun], evaluations: list[dict], q: float) -> list[tuple[NetworkRun, dict]]:
    """The runs with random seeds at q, each with its evaluation."""
    both = zip(runs, evaluations, strict=True)
    return [(run, seen) for run, seen in both if run.objective.q == q and not run.objective.fixed_seed]


def votes(runs: list[NetworkRun], evaluations: list[dict], q: float, wrong_answers: int) -> pd.DataFrame:
    """Success [%] on the worst input of each randomized run at q, against seeds spent: way, k, run, value."""
    rows = []
    for run, seen in randomized(runs, evaluations, q):
        for way, values in success_by_votes(seen["worst_input"], KS, wrong_answers).items():
            rows += [
                {"way": way, "k": k, "run": run.run_index, "value": 100 * v} for k, v in zip(KS, values, strict=True)
            ]
    return pd.DataFrame(rows)


def votes_by_k(table: pd.DataFrame) -> pd.DataFrame:
    """tables.summary of the above: a row for each k, a column for each way."""
    return tables.summary(table.rename(columns={"way": "measure"}), ["k"])


# Run by run


def by_run(success: pd.DataFrame, qs: Sequence[float]) -> pd.DataFrame:
    """What the claims speak of [%], to one digit: a row for each answer, q and measure, a column for each run."""
    ways, measures = ["A_R", "A_R-majority(30)", "A_r0", "A_r0-sampled"], ["average", "95th percentile", "inputs at 0"]
    table = tables.chosen(success, q=qs, answer=ways, measure=measures)
    wide = table.pivot(index=["answer", "q", "measure"], columns="run", values="value").round(1)
    return wide.rename(columns=lambda run: f"run {run}").rename_axis(columns=None)


def in_the_rules(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of by_run's that the rules ask for: all answers at the largest q, and A_R at the smallest."""
    answers, qs = runs.index.get_level_values("answer"), runs.index.get_level_values("q")
    return runs[(qs == max(qs)) | (answers == "A_R")]


# The appendices


def calibration(runs: list[NetworkRun], evaluations: list[dict]) -> pd.DataFrame:
    """tables.summary by block, closest to the paper's capacity first; and parameters, and the distance [points]."""
    kinds = {network: name for name, network in CANDIDATES.items()}
    table = tables.labelled(runs, evaluations, lambda run: {"block": kinds[run.network]})
    table = tables.chosen(table, answer="A_r0", measure=["average", "inputs at 0"])
    told = tables.summary(table, ["block"])
    told["parameters"] = {kinds[run.network]: run.parameters for run in runs}
    mean = tables.chosen(table, measure="average").groupby("block")["value"].mean()
    distance = f"off {PAPER_CAPACITY} by"
    told[distance] = (mean - PAPER_CAPACITY).abs().round(1)
    return told.sort_values(distance)


def taken() -> str:
    """Name of the candidate that the notebook's networks are."""
    return next(name for name, network in CANDIDATES.items() if network == NETWORK)


def ablation(
    base: NetworkRun, unchanged: pd.DataFrame, runs: list[NetworkRun], evaluations: list[dict]
) -> pd.DataFrame:
    """tables.summary of changes to one model, itself first, by change and answer.

    base: a run of that model; unchanged: tables.tidy of the sweep it is of; runs, evaluations: the changed ones'.
    """
    names = {changed(base, change).group: name for name, change in ABLATIONS.items()}
    before = tables.chosen(unchanged, model=base.objective.family, q=base.objective.q).assign(change="none")
    after = tables.labelled(runs, evaluations, lambda run: {"change": names[run.group]})
    measures = ["average", "95th percentile", "worst input", "inputs at 0"]
    answers = ["A_R", "A_R-majority(5)", "A_R-majority(30)"]
    shown = tables.chosen(pd.concat([before, after]), measure=measures, answer=answers)
    return tables.summary(shown, ["change", "answer"])


def otherwise(runs: list[NetworkRun], evaluations: list[dict]) -> pd.DataFrame:
    """What the paper has larger (cycles at 0) and smaller (success of sampled colours) than ours, in percent.

    runs: of a fixed seed, trained in each of OPEN's ways, the unchanged first. A row for each measure and way: mean
    over runs with its interval, and a column for each run.
    """
    names = {changed(runs[0], change): name for name, change in OPEN.items()}
    table = tables.labelled(runs, evaluations, lambda run: {"way": names[run.point]})
    asked = {"cycles at 0": ("A_r0", "inputs at 0"), "sampled, 95th percentile": ("A_r0-sampled", "95th percentile")}
    parts = []
    for told, (answer, measure) in asked.items():
        rows = tables.chosen(table, answer=answer, measure=measure).assign(measure=told)
        by_run = rows.pivot(index="way", columns="run", values="value").round(1).add_prefix("run ")
        parts.append(tables.summary(rows, ["way"]).rename(columns={told: "mean"}).join(by_run))
    return pd.concat(parts, keys=asked, names=["measure"]).rename_axis(columns=None)
