"""What 02_associative_recall.ipynb prints and draws its figures from: selections of its sweeps, and tables.

A sweep is a table as tables.tidy has it. Summaries have one row per point, with n runs and "mean [95 % interval]".
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from randformer.core.adversary import SEED_STREAM, judge, says
from randformer.core.runs import NetworkRun
from randformer.experiments.recall import sweep
from randformer.experiments.recall.claims import BADNESS, Evidence
from randformer.harness import workers
from randformer.problems.recall import game
from randformer.problems.recall.evaluation import Memories
from randformer.report.tables import CELLS, chosen, summary, tidy

TYPICAL_AND_WORST = ("average", BADNESS)
SUCCESS = (*TYPICAL_AND_WORST, *CELLS.values(), "inputs at 0")
LOSSES = tuple(f"loss, {measure}" for measure in TYPICAL_AND_WORST)
ONE_SEED = ("A_R", "A_r0")
LARGE_VOTES = ("A_R-majority(30)", "A_R-parts(30)")
VOTES = ("A_R-majority(5)", "A_R-parts(5)", *LARGE_VOTES)
TRAINING = ["N", "q", "m", "queries", "steps"]  # in what the trainings differ that were tried again


# What was trained, and what chance can do


def q_norm_at(runs: list[NetworkRun], n: int) -> NetworkRun:
    """The last run with n pairs in the part "size": random seeds, trained on the q-norm."""
    return next(run for run in reversed(runs) if run.task.n == n)


def slots(run: NetworkRun) -> int:
    """Pairs that the memories of all layers can tell apart."""
    return run.network.layers * run.network.key_size


def trainings(runs: list[NetworkRun]) -> pd.DataFrame:
    """How the randomized models of the part "size" were trained, a row per N."""
    last = {run.task.n: run for run in runs}.values()
    rows = [
        {
            "N": run.task.n,
            "steps": run.training.steps,
            "inputs a step": run.training.batch,
            "seeds a step (m)": run.objective.m,
            "queries of a memory": run.task.queries,
        }
        for run in last
    ]
    return pd.DataFrame(rows)


def reference(n: np.ndarray, slots: int, bits: int) -> np.ndarray:
    """Success [%] of one who keeps that many of n pairs, drawn uniformly, and guesses the others' bits."""
    return 100 * (1 - game.mixed(n, slots, 2**bits))


def kept_at_random(size: pd.DataFrame, slots: int, bits: int) -> dict[int, float]:
    """The reference [%] at each N of the sweep, {N: success}."""
    ns = np.sort(size["N"].unique())
    return {int(n): round(float(share), 1) for n, share in zip(ns, reference(ns, slots, bits), strict=True)}


def as_far_as_trained(profile: str) -> tuple[Evidence, list[NetworkRun]]:
    """What the claims look at of a profile, as far as it was trained, and the runs that this is of.

    "paper" is trained where there is time, a point of its sweeps after the other.
    """
    sizes, parts = sweep.SIZES[profile], {}
    for part in ("size", "q", "m"):
        there = workers.finished(profile, sweep.runs(profile)[part])
        parts[part] = there, tidy(there, [workers.load(profile, run)[1] for run in there])
    tables = [table for _, table in parts.values()]
    runs = list(dict.fromkeys(run for there, _ in parts.values() for run in there))
    return Evidence(*tables, sweep.Q, sizes.claim_ns, sizes.claim_ms), runs


# Success


def success(size: pd.DataFrame, q: float, measures: tuple[str, ...] = TYPICAL_AND_WORST) -> pd.DataFrame:
    """Rows of the sweep over N with these measures of what was trained on q, every way of answering."""
    return chosen(size, q=q, measure=measures)


def by_size(size: pd.DataFrame, **at) -> pd.DataFrame:
    """Summary of success [% of seeds] by q, answer and N; at: columns and their values, of a part of the rows."""
    return summary(chosen(size, measure=SUCCESS, **at), ["q", "answer", "N"]).sort_index()


def where_claims_look(size: pd.DataFrame, ns: tuple[int, int]) -> pd.DataFrame:
    """The same at two N only: one seed, sampled outputs, and the votes of 30, section 7 having all votes."""
    return by_size(size, N=ns, answer=(*ONE_SEED, "A_r0-sampled", *LARGE_VOTES))


def by_answer(size: pd.DataFrame, q: float, n: int) -> pd.DataFrame:
    """Summary of success [%] by way of answering, of randomized models with n pairs trained on q."""
    return summary(chosen(size, q=q, N=n, answer=("A_R", *VOTES), measure=SUCCESS), ["answer"])


def never_or_always(histogram: pd.DataFrame, runs: list[NetworkRun]) -> pd.DataFrame:
    """Inputs [%] on which no seed, or every seed, is right, by answer; n: runs of its model that were averaged.

    histogram: tables.histogram of runs, at one N and q.
    """
    (n,), (q,) = histogram["N"].unique(), histogram["q"].unique()
    models = [run.objective.family for run in runs if (run.task.n, run.objective.q) == (n, q)]
    rows = []
    for answer, of in histogram.groupby("answer"):
        never, always = (chosen(of, success=end)["share"].sum() for end in (0, 100))
        count = models.count(answer.split("-")[0])
        rows.append({"answer": answer, "n": count, "never right": never, "always right": always})
    return pd.DataFrame(rows).set_index("answer").round(1)


def variance(table: pd.DataFrame, **at) -> pd.DataFrame:
    """Rows with the randomized models' variance over seeds; at: columns and their values, of a part of a sweep."""
    return chosen(table, answer="A_R", measure="variance", **at)


def losses(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a sweep with the expected loss per bit [nats]: its average and 95th percentile over inputs."""
    return chosen(table, measure=LOSSES)


def against_chance(size: pd.DataFrame, q: float, slots: int, bits: int) -> pd.DataFrame:
    """Randomized models trained on q beside the reference, by N: success of all, the least and the most recalled keys
    [%], pairs held, and how far the average is above the reference [points]."""
    measures = ("average", "least recalled key", "most recalled key", "pairs held")
    models = chosen(size, q=q, answer="A_R", measure=measures)
    table = summary(models, ["N"])
    guess = reference(table.index.to_numpy(), slots, bits)
    means = chosen(models, measure="average").groupby("N")["value"].mean()
    return table.assign(**{"reference": guess.round(1), "average - reference": (means[table.index] - guess).round(1)})


# Trained again, longer or with one query of each memory


def tried_again(runs: dict[str, list[NetworkRun]]) -> list[NetworkRun]:
    """The runs trained again, after those of the sweeps that they repeat with other steps or queries."""
    again = runs["longer"] + runs["one query"]
    points = {(run.task.n, run.objective) for run in again}
    return [run for run in runs["size"] + runs["m"] if (run.task.n, run.objective) in points] + again


def trained_how(runs: list[NetworkRun], evaluations: list[dict]) -> pd.DataFrame:
    """Rows as tables.tidy has them, with the columns steps and queries."""
    pairs = zip(runs, evaluations, strict=True)
    return pd.concat(
        tidy([run], [seen]).assign(steps=run.training.steps, queries=run.task.queries) for run, seen in pairs
    )


def one_seed_again(tried: pd.DataFrame) -> pd.DataFrame:
    """Summary of success [% of seeds] by training, answering with one seed."""
    measures = (*TYPICAL_AND_WORST, "inputs at 0")
    return summary(chosen(tried, answer=ONE_SEED, measure=measures), TRAINING).sort_index()


def votes_again(tried: pd.DataFrame) -> pd.DataFrame:
    """Summary of the 95th percentile [% of votes] by training, a column for each vote of 30."""
    votes = chosen(tried, answer=LARGE_VOTES, measure=BADNESS)
    return summary(votes.assign(measure=votes["answer"]), TRAINING).sort_index()


def losses_again(tried: pd.DataFrame) -> pd.DataFrame:
    """Summary of the 95th percentile of the loss [nats] by training."""
    return summary(chosen(tried, answer=ONE_SEED, measure=f"loss, {BADNESS}"), TRAINING, digits=3).sort_index()


# Which pairs are kept, and where votes go wrong


def shown_models(runs: list[NetworkRun], q: float, n: int) -> dict[str, NetworkRun]:
    """Run 0 with n pairs of a fixed seed, of the expected loss and of the q-norm, {title: run}."""
    models = {"fixed seed, q-norm": (q, True), "expected loss": (1, False), "q-norm": (q, False)}
    first = {(r.objective.q, r.objective.fixed_seed): r for r in runs if (r.task.n, r.run_index) == (n, 0)}
    return {title: first[model] for title, model in models.items()}


def said(folder: str, run: NetworkRun, seeds: int | None = None) -> tuple[Memories, Tensor]:
    """What a stored model says (seeds, X, bits) of all inputs, under so many seeds or all, and who reads its answers.

    A model with a fixed seed gets that under every one.
    """
    record, _ = workers.load(folder, run)
    reader, _ = judge(run)
    if run.objective.fixed_seed:
        drawn = record["seed"].expand(seeds, -1, -1)
    elif seeds is None:
        drawn = reader.seeds
    else:
        drawn = run.task.draw_seeds(seeds, 1, torch.Generator().manual_seed(SEED_STREAM - 1))
    return reader, torch.cat([part.float() for part in says(reader, record["parameters"], drawn)])


def pairs_recalled(folder: str, models: dict[str, NetworkRun], seeds: int = 30) -> dict[str, np.ndarray]:
    """Share of memories (seeds, keys) in which a pair is recalled, {title: shares}."""
    found = {title: said(folder, run, seeds) for title, run in models.items()}
    return {title: reader.recalled(given) for title, (reader, given) in found.items()}


def recalled_table(maps: dict[str, np.ndarray]) -> pd.DataFrame:
    """The same [%] as a table: model, seed, key, recalled."""
    rows = [
        {"model": model, "seed": seed, "key": key, "recalled": 100 * share}
        for model, shares in maps.items()
        for (seed, key), share in np.ndenumerate(shares)
    ]
    return pd.DataFrame(rows)


def pairs_held(folder: str, models: dict[str, NetworkRun], q: float) -> dict[str, list[int]]:
    """Number of pairs held under each seed of the evaluation, of the models trained on q, {title: counts}."""
    of_q = {title: run for title, run in models.items() if run.objective.q == q}
    return {title: workers.load(folder, run)[1]["held"] for title, run in of_q.items()}


def subsets(maps: dict[str, np.ndarray]) -> dict[str, int]:
    """How many different sets of pairs are held, recalled in at least half of the memories, {title: count}."""
    return {title: len({tuple(row) for row in recalled >= 0.5}) for title, recalled in maps.items()}


def best_majority_of_five(right: float) -> float:
    """Most [%] that a vote of 5 whole answers, each right with that probability, can give: no two wrong ones alike.

    Two right ones then win, and a single one is as frequent as each of the four wrong ones.
    """
    none, alone = (1 - right) ** 5, 5 * right * (1 - right) ** 4
    return 100 * (1 - none - alone + alone / 5)


def wrong_answer_leads(reader: Memories, given: np.ndarray) -> np.ndarray:
    """Inputs (X,) to which a wrong whole answer is more frequent than the right one, of answers (seeds, X)."""
    shares = np.stack([(given == value).mean(0) for value in range(2**reader.task.bits)])  # values x inputs
    of_right = reader.targets, range(reader.inputs)
    right = shares[of_right].copy()
    shares[of_right] = 0
    return shares.max(0) > right


def wrong_bit_leads(reader: Memories, given: np.ndarray) -> np.ndarray:
    """Inputs (X,) to which some bit is wrong more often than right, of answers (seeds, X)."""
    wrong = [((given ^ reader.targets) >> bit & 1).mean(0) for bit in range(reader.task.bits)]
    return np.max(wrong, 0) > 0.5


def misled(folder: str, runs: list[NetworkRun], q: float, n: int) -> pd.DataFrame:
    """Inputs [%] on which more votes help the wrong side, a row per randomized run with n pairs trained on q."""
    rows = []
    for run in runs:
        if (run.task.n, run.objective.family, run.objective.q) == (n, "A_R", q):
            reader, probabilities = said(folder, run)
            seen = reader, reader.answers(probabilities)
            shares = {"a wrong answer leads": wrong_answer_leads(*seen), "a wrong bit leads": wrong_bit_leads(*seen)}
            rows.append({"run": run.run_index} | {name: 100 * leads.mean() for name, leads in shares.items()})
    return pd.DataFrame(rows).round(1)


# How the network was chosen


def blocks(runs: list[NetworkRun], table: pd.DataFrame, paper: dict[int, float]) -> pd.DataFrame:
    """Average success [%] of each block, a column per N, and how far it is off the paper's {N: value}, closest first.

    table: tables.tidy of runs, models with a fixed seed.
    """
    average = chosen(table, measure="average", answer="A_r0")
    average = average.assign(block=[sweep.block(run) for run in runs])
    mean = average.groupby(["block", "N"])["value"].mean()
    off = (mean - mean.index.get_level_values("N").map(paper)).abs().groupby("block").mean().round(1)
    told = summary(average.assign(measure=average["N"]), ["block"])
    return told.assign(**{"off the paper by": off}).sort_values("off the paper by")


def block_taken(run: NetworkRun) -> str:
    """Name of the block that all models have, in the task of a run."""
    return sweep.block(replace(run, network=sweep.NETWORK))
