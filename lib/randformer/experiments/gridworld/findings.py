"""The tables of 04_grid_world.ipynb, and what its figures need of the records; part 6's are in limits.py.

Steps are of both episodes together, unless an episode is named. Cells are numbered row by row from the start.
"""

from math import inf

import numpy as np
import pandas as pd
import torch

from randformer.core.adversary import SEED_STREAM
from randformer.core.runs import NetworkRun
from randformer.experiments.gridworld.claims import Evidence
from randformer.experiments.gridworld.figures import AFTER, MEASURES
from randformer.experiments.gridworld.sweep import SOFT_Q
from randformer.harness import records, workers
from randformer.problems.gridworld.task import Episodes
from randformer.report import tables
from randformer.report.intervals import POSITIVE

NO_PERCENTAGES = (*MEASURES, "largest first visit", "distinct walks")
SPREAD = ("found in episode 1", "shortest ways", "largest first visit", "distinct walks", "on the same walk")

# Runs


def of_family(runs: list[NetworkRun], family: str) -> list[NetworkRun]:
    """Those with random seeds (A_R), or with a fixed one (A_r0)."""
    return [run for run in runs if run.objective.family == family]


def on_worst_cell(runs: list[NetworkRun]) -> list[NetworkRun]:
    """Those of A_R that were trained on the worst cell."""
    return [run for run in of_family(runs, "A_R") if run.objective.q == inf]


def randomized(runs: list[NetworkRun], evaluations: list[dict]) -> list[tuple[NetworkRun, dict]]:
    """The runs of A_R, each with its evaluation."""
    return [(run, seen) for run, seen in zip(runs, evaluations, strict=True) if not run.objective.fixed_seed]


def columns(run: NetworkRun) -> dict:
    """What a table says of a run: N (cells a side), q, m, run, answer (its model)."""
    model = run.objective
    return {"N": run.task.n, "q": model.q, "m": model.m, "run": run.run_index, "answer": model.family}


def cost_of_training(profile: str, runs: list[NetworkRun]) -> tuple[float, float]:
    """Seconds of one core a generation, and microseconds an environment step; means over A_R on the expected loss.

    Its loss is the average number of steps, so that its history says how many were made. They are counted cell by
    cell, seed by seed and candidate by candidate, shared walks as if walked each time.
    """
    costs = []
    for run in of_family(runs, "A_R"):
        if run.objective.q == 1:
            spent = records.read_json(workers.folder(profile, run) / "provenance.json")["cpu_seconds"]
            history = workers.load(profile, run)[0]["loss_history"]
            played = run.cost * 2 * run.task.episode * np.mean(history)
            costs.append((spent / run.training.steps, 1e6 * spent / played))
    seconds, micro = np.mean(costs, axis=0)
    return float(seconds), float(micro)


# Steps


def gridworlds(runs: list[NetworkRun], evaluations: list[dict]) -> pd.DataFrame:
    """Searchers, as tables.tidy has the others: N, q, m, run, answer, measure, value.

    Steps of both episodes, first visits in steps, shares in percent.
    """
    rows = []
    for run, seen in zip(runs, evaluations, strict=True):
        values = {tables.MEASURES[name].replace("input", "cell"): value for name, value in seen["steps"].items()}
        values |= {
            "found in episode 1": 100 * seen["found"],
            "shortest ways": 100 * seen["shortest"],
            "largest first visit": max(seen["visits"]),
            "distinct walks": len(seen["walks"]),
            "on the same walk": 100 * seen["walks"][0] / seen["seeds"],
        }
        rows += [columns(run) | {"measure": measure, "value": value} for measure, value in values.items()]
    return pd.DataFrame(rows)


def progress(runs: list[NetworkRun], learned: list[dict]) -> pd.DataFrame:
    """Steps of both episodes of a searcher through its training: N, q, m, run, answer, generation, measure, value."""
    rows = []
    for run, record in zip(runs, learned, strict=True):
        for name, history in record["watched"].items():
            for i, loss in enumerate(history):
                generation = round(run.training.steps * (i + 1) / len(history))
                point = {"generation": generation, "measure": name.replace("input", "cell")}
                rows.append(columns(run) | point | {"value": 2 * run.task.episode * loss})
    return pd.DataFrame(rows)


def training_curves(profile: str, runs: list[NetworkRun]) -> pd.DataFrame:
    """progress of stored runs."""
    return progress(runs, [workers.load(profile, run)[0] for run in runs])


def averages_by_m(profile: str, runs: list[NetworkRun], over_m: pd.DataFrame) -> pd.DataFrame:
    """progress of the average, and behind it (generation: AFTER) the average of their gridworlds, over_m."""
    curves = training_curves(profile, runs)
    ends = over_m[over_m["measure"] == "average"].assign(generation=AFTER)
    return pd.concat([curves[curves["measure"] == "average"], ends])


def after_training(table: pd.DataFrame, answer: str, by: list[str], *others: str) -> pd.DataFrame:
    """tables.summary of gridworlds for one model: MEASURES and other measures, a row per group, in its order."""
    of = table[(table["answer"] == answer) & table["measure"].isin((*MEASURES, *others))]
    return tables.summary(of, by, spans=dict.fromkeys(NO_PERCENTAGES, POSITIVE)).sort_index()


def spread(table: pd.DataFrame) -> pd.DataFrame:
    """How every run of A_R searches: a row per q and run, a column per measure of SPREAD."""
    of = table[(table["answer"] == "A_R") & table["measure"].isin(SPREAD)]
    return of.pivot(index=["q", "run"], columns="measure", values="value")[list(SPREAD)]


def saved_and_lost(evidence: Evidence) -> pd.DataFrame:
    """What training on the worst cell with m seeds changes, of A_R on the average: m, shares of steps [%], n (runs)."""
    rows = []
    for m in sorted(evidence.over_m["m"].unique()):
        worst, average = (
            100 * (evidence.with_seeds(measure, m).mean() / evidence.at(measure, 1).mean() - 1)
            for measure in ("worst cell", "average")
        )
        n = len(evidence.with_seeds("average", m))
        rows.append({"m": m, "worst cell saved [%]": -worst, "average lost [%]": average, "n": n})
    return pd.DataFrame(rows)


# Walks


def walks(
    profile: str, run: NetworkRun, count: int, cell: int, among: int = 64
) -> dict[int, tuple[list[int], list[int]]]:
    """Cells of both episodes of a stored model with the treasure in that cell: {seed: (first, second)}.

    The first seeds, of so many, whose walks of episode 1 differ; at most count.
    """
    generator = torch.Generator().manual_seed(SEED_STREAM - 1)
    drawn = run.task.draw_seeds(among, 1, generator).unsqueeze(0)
    search = run.task.play(run.network, workers.load(profile, run)[0]["parameters"], drawn)
    found: dict[int, tuple[list[int], list[int]]] = {}
    for seed in range(among):
        both = both_walks(search, seed, cell)
        if len(found) < count and both[0] not in [first for first, _ in found.values()]:
            found[seed] = both
    return found


def both_walks(search: Episodes, seed: int, cell: int) -> tuple[list[int], list[int]]:
    """Cells of both episodes under one seed, from the start to the treasure's cell or the last step."""
    first = search.first[0, seed, : search.visits[0, seed, cell] + 1].tolist()
    second = search.second[0, seed, cell if search.found[0, seed, cell] else 0]
    return first, [0, *second[: search.again[0, seed, cell]].tolist()]


def steps_of_walks(shown: dict[int, tuple[list[int], list[int]]]) -> pd.DataFrame:
    """walks as a table: seed, episode, step, cell."""
    rows = [
        {"seed": seed, "episode": episode, "step": step, "cell": cell}
        for seed, both in shown.items()
        for episode, walk in enumerate(both, 1)
        for step, cell in enumerate(walk)
    ]
    return pd.DataFrame(rows)


def first_visits(runs: list[NetworkRun], evaluations: list[dict]) -> pd.DataFrame:
    """Step of the first visit in episode 1, mean over seeds and runs of A_R: cell, and a column per q of training."""
    titles = {1: "expected loss", inf: "worst cell", SOFT_Q: f"q = {SOFT_Q:g}"}
    pairs = randomized(runs, evaluations)
    visits = {
        title: np.mean([seen["visits"] for run, seen in pairs if run.objective.q == q], axis=0)
        for q, title in titles.items()
    }
    return pd.DataFrame(visits).rename_axis("cell").reset_index()


def shortest_ways(runs: list[NetworkRun], evaluations: list[dict], enough: int) -> pd.DataFrame:
    """Shortest ways in episode 2 of each q and run of A_R, over the cells with several and at least enough pairs.

    pairs, exist, used: means over these cells of the seeds that went a shortest way, of the ways that there are and of
    those they used; cells: how many; alone: with one way used.
    """
    ways = pd.DataFrame(
        {"q": run.objective.q, "run": run.run_index, **way}
        for run, seen in randomized(runs, evaluations)
        for way in seen["ways"]
    )
    ways = ways[ways["pairs"] >= enough].assign(alone=lambda table: table["used"] == 1)
    groups = ways.groupby(["q", "run"])
    return groups[["pairs", "exist", "used"]].mean().assign(cells=groups.size(), alone=groups["alone"].sum())
