"""Part 6 of 04_grid_world.ipynb: how far from the best that walks can reach, and what keeps evolution from it.

Steps are of both episodes together.
"""

from functools import cache

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from randformer.core.adversary import SEED_STREAM
from randformer.core.runs import NetworkRun
from randformer.exact.games import best_small_mixtures
from randformer.experiments.gridworld.figures import MEASURES
from randformer.experiments.gridworld.findings import randomized
from randformer.experiments.gridworld.sweep import SOFT_Q
from randformer.harness import workers
from randformer.problems.gridworld import game

PAIRS = 32  # of candidates around a trained agent that are ranked twice

# What walks can reach


def both_grids(models: pd.DataFrame, small: pd.DataFrame) -> pd.DataFrame:
    """gridworlds of A_R on the profile's grid and on the small one; once, where both are the same."""
    both = pd.concat([models[models["answer"] == "A_R"], small])
    return both.drop_duplicates(["N", "q", "m", "run", "measure"])


def of_steps(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of gridworlds that are told in steps of both episodes."""
    return table[table["measure"].isin(MEASURES)]


solved = cache(game.proved)  # proving takes seconds


@cache
def costs_of_walks(size: int, episode: int) -> tuple[np.ndarray, np.ndarray]:
    """Steps (walks + 1, cells - 1) in episodes of so many, and the mixture (walks,).

    Of the best mixture's walks in the game without a last step; the last row is of its best single walk.
    """
    solution, mixed = solved(size, 2)
    every = [*mixed, game.pure(size, 2)[1]]
    return np.array([game.truncated(size, walk, 2, episode)[1:] for walk in every]), solution.mixture


def reachable(sizes: list[int], episode: int) -> dict[int, dict[str, float]]:
    """{cells a side: {what is told: steps}} of walks in episodes of so many steps, for grids that can be solved.

    No strategy is below: the i-th new cell is entered at step i at the earliest, and found again by a shortest way.
    """
    lines = {}
    for size in (size for size in sizes if size <= game.LARGEST):
        costs, mixture = costs_of_walks(size, episode)
        counted = np.arange(1, size**2).clip(max=episode).mean() + game.distances(size)[1:].mean()
        lines[size] = {
            "best single walk, worst cell": float(costs[-1].max()),
            "best mixture, worst cell": round(float((mixture @ costs[:-1]).max()), 3),
            "no strategy is below": round(float(counted), 3),
        }
    return lines


def few_walks(size: int, episode: int, most: int) -> dict[int, float]:
    """{walks mixed: worst case [steps]} of 1 to most of the best mixture's and the best single walk, and their mirrors.

    Each is added where it helps most, so that these are upper bounds.
    """
    costs, _ = costs_of_walks(size, episode)
    with_start = np.insert(costs, 0, 0, axis=1)
    mirrored = np.array([cost.reshape(size, size).T.ravel()[1:] for cost in with_start])
    worst = best_small_mixtures(np.concatenate([costs, mirrored]), most)
    return {k: round(steps, 2) for k, steps in enumerate(worst, 1)}


# What trained agents use of it


def walk_shares(runs: list[NetworkRun], evaluations: list[dict]) -> dict[tuple[str, float], np.ndarray]:
    """{("A_R", q): share of seeds on each distinct walk of episode 1 (walks,), descending}, of each q's run 0."""
    return {
        ("A_R", run.objective.q): np.array(seen["walks"]) / seen["seeds"]
        for run, seen in randomized(runs, evaluations)
        if run.run_index == 0
    }


def best_mixture(size: int) -> np.ndarray | None:
    """Probabilities of the walks in the best mixture, (walks,), descending; None for a grid too large to solve."""
    return np.sort(solved(size, 2)[0].mixture)[::-1] if size <= game.LARGEST else None


def covered(shares: dict[tuple[str, float], np.ndarray], mixture: np.ndarray | None) -> pd.DataFrame:
    """What the most frequent walks cover together: model, walks (how many), covered [% of seeds, or of probability]."""
    models = {f"q = {q:g}, run 0": of for (_, q), of in shares.items()}
    models |= {} if mixture is None else {"best mixture": mixture}
    rows = [
        {"model": name, "walks": i + 1, "covered": 100 * share}
        for name, of in models.items()
        for i, share in enumerate(np.cumsum(of))
    ]
    return pd.DataFrame(rows)


def left_out(runs: list[NetworkRun], evaluations: list[dict]) -> pd.DataFrame:
    """Cells that episode 1 leaves to the second, of each run of A_R, and what the worst costs beyond it [steps]."""
    rows = [
        {
            "q": run.objective.q,
            "run": run.run_index,
            "cells never found in episode 1": sum(share == 0 for share in seen["found_by_cell"]),
            "in less than half of the seeds": sum(share < 0.5 for share in seen["found_by_cell"]),
            "worst cell, beyond the first episode": seen["steps"]["worst"] - run.task.episode,
        }
        for run, seen in randomized(runs, evaluations)
    ]
    return pd.DataFrame(rows)


# What a generation goes by


def ranked_twice(profile: str, run: NetworkRun, m: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Losses (2 PAIRS, cells - 1) of candidates around a trained agent, means over m seeds and over m others.

    Candidates stand in opposite pairs, as a generation's do.
    """
    centre = workers.load(profile, run)[0]["parameters"]
    noise = run.training.std * torch.randn(PAIRS, centre.shape[1], generator=generator)
    candidates, seeds = torch.cat([centre + noise, centre - noise]), run.task.draw_seeds(2 * m, 1, generator)
    losses = run.task.losses(run.network, candidates, run.task.draw_inputs(1, generator), seeds.unsqueeze(0))
    first, second = losses.chunk(2, 1)
    return first.mean(1), second.mean(1)


def rank_correlation(first: Tensor, second: Tensor) -> float:
    """Of two scores (candidates,) of the same candidates; 0 where one of them is all alike: no order to repeat."""
    ranks = pd.DataFrame([first.tolist(), second.tolist()]).rank(axis=1).to_numpy()
    return float(np.corrcoef(ranks)[0, 1]) if ranks.std(1).all() else 0.0


def repeated_orders(profile: str, runs: list[NetworkRun], ms: list[int]) -> pd.DataFrame:
    """Rank correlation of candidates under two sets of m seeds: m, measure that they are ordered by, value."""
    orders = {
        "average": lambda losses: losses.mean(1),
        f"q = {SOFT_Q:g}": lambda losses: (losses**SOFT_Q).mean(1),
        "worst cell": lambda losses: losses.amax(1),
    }
    rows = []
    for run in runs:
        generator = torch.Generator().manual_seed(SEED_STREAM - 2 - run.run_index)
        for m in ms:
            both = ranked_twice(profile, run, m, generator)
            for name, order in orders.items():
                rows.append({"m": m, "measure": name, "value": rank_correlation(*map(order, both))})
    return pd.DataFrame(rows)
