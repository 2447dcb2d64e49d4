"""How good a trained model is against an adversary who knows it, but not the seed (section 2.1, definition 1).

An adversary who picks the worst of many inputs on the very seeds that are then scored finds inputs that are merely
unlucky; one who picks on some seeds and is scored on others misses the worst. Both errors vanish with many seeds, so
where all seeds can be listed, all are used. Elsewhere the truth lies between the two numbers: see agreed. "Badness"
orders the inputs; the paper's 95th percentile is the value at the input that is worse than 95 % of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from randformer.contract import EvaluationSet
from randformer.core.votes import outcomes, seeds_needed, worst_input

if TYPE_CHECKING:
    from randformer.core.runs import NetworkRun

VOTES = (5, 30)  # seeds that vote together in the paper
GROUPS = 50  # of so many seeds to choose inputs on, as many others to score them on, and the other way round
OBSERVED = 300  # seeds whose losses are averaged, where not all can be
PERCENTILE = 0.95
SEED_STREAM = 10**9  # generators of evaluation start here, those of training at the run's number
WORST_SEEDS = 10_000  # seeds answering the one worst input, for success against the number of votes
SLICE = 30  # seeds through the network at once


def score_at_percentile(choose: np.ndarray, score: np.ndarray, percentile: float, band: float = 0.0) -> float:
    """Mean score of the inputs that stand at a rank of badness (0.95: worse than 95 %; 1: the worst) by choose.

    choose, score: (X,), larger is better. Inputs that look alike to the adversary, equal in choose, are chosen
    alike; band widens the rank by that share of the inputs on both sides, for scores that never tie.
    """
    last = len(choose) - 1
    low, high = (round(last * min(max(1 - percentile + side, 0), 1)) for side in (-band, band))
    ordered = np.partition(choose, [low, high])
    at = (choose >= ordered[low]) & (choose <= ordered[high])
    return float(score[at].mean())


def bracket(sides: list, orders: list, percentile: float, band: float = 0.0) -> tuple[float, float]:
    """The score at a rank of badness too low and too high: of the inputs chosen, on the seeds that chose, and others.

    sides: two of success (X,), on equally many seeds, of which each chooses once and scores once. orders: the same,
    with equals put in order.
    """
    low, high = 0.0, 0.0
    for order, choose, score in zip(orders, sides, sides[::-1], strict=True):
        found = [score_at_percentile(order, values, percentile, band) for values in (choose, score)]
        low, high = low + min(found) / 2, high + max(found) / 2
    return low, high


def agreed(mean: float, low: float, high: float) -> float:
    """What success at a rank is, given its bracket and the mean over inputs.

    Were success normal over inputs, of deviation s, and the error of seeds too, of deviation e, the low end would be
    sqrt(1 + e^2 / s^2) times as far from the mean as the truth, and the high end as many times nearer: the truth is
    their geometric mean (our choice). Where seeds make no error all three are equal.
    """
    found = mean - (max(mean - low, 0) * max(mean - high, 0)) ** 0.5
    return min(max(found, low), high)


def summary(sides: list, orders: list | None = None) -> dict:
    """Of success rates as bracket has them: average, 95th percentile, worst input, share of inputs at 0.

    "bracket" has the low and the high end of the two in the middle.
    """
    success = (sides[0] + sides[1]) / 2
    ends = {"percentile95": PERCENTILE, "worst": 1.0}
    ends = {name: bracket(sides, orders or sides, percentile) for name, percentile in ends.items()}
    return {
        "average": float(success.mean()),
        **{name: agreed(float(success.mean()), *between) for name, between in ends.items()},
        "zero_share": float((success == 0).mean()),
        "bracket": {name: list(between) for name, between in ends.items()},
    }


def over_groups(cells: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean of values (X,) over the inputs of each cell, from the cell (X,) of each input."""
    return np.bincount(cells, values) / np.bincount(cells)


def judging_generator(run: NetworkRun) -> torch.Generator:
    """What the judging of a run draws from, the same at every call, and never what its training drew."""
    return torch.Generator().manual_seed(SEED_STREAM + run.run_index)


def judge(run: NetworkRun) -> tuple[EvaluationSet, torch.Generator]:
    """The inputs that a run is judged on, the same at every call, and the generator that its judging draws from."""
    generator = judging_generator(run)
    return run.task.evaluation_set(run.network, generator), generator


def says(evaluation_set: EvaluationSet, parameters: Tensor, seeds: Tensor) -> Iterator[Tensor]:
    """What one model (1, P) says of all inputs under seeds (m, 1, ...), some of them at a time: (part of m, V, ...)."""
    for part in seeds.split(SLICE):
        yield evaluation_set.probabilities(parameters, part)


def observe(evaluation_set: EvaluationSet, parameters: Tensor, seeds: Tensor, answered: bool) -> dict:
    """What it does under them: probabilities (m, V, ...), floats; loss (X,) and where answered success (X,), means."""
    said, success, loss = [], 0, 0
    for part in says(evaluation_set, parameters, seeds):
        if answered:
            success = success + evaluation_set.right(evaluation_set.answers(part)).sum(0)
        loss = loss + evaluation_set.loss(part) * len(part)
        said.append(part.float())
    found = {"probabilities": torch.cat(said), "loss": loss / len(seeds)}
    return found | ({"success": success / len(seeds)} if answered else {})


def polled(evaluation_set: EvaluationSet, groups: Iterable[Tensor]) -> dict[str, np.ndarray]:
    """Success (X,) of single seeds and of each way to vote, over GROUPS of seeds that say (30, V, ...)."""
    total: dict[str, np.ndarray] = {}
    for said in groups:
        for name, right in outcomes(evaluation_set, said, VOTES).items():
            total[name] = total.get(name, 0) + right.mean(0)
    return {name: rates / GROUPS for name, rates in total.items()}


def both_sides(
    run: NetworkRun, evaluation_set: EvaluationSet, generator: torch.Generator, parameters: Tensor
) -> tuple[list[dict], list[dict]]:
    """What is observed of a model with random seeds, and its success by way of answering, on either side."""
    size = max(VOTES)
    if evaluation_set.seeds is not None:
        seen = observe(evaluation_set, parameters, evaluation_set.seeds, answered=True)
        drawn = torch.randint(len(evaluation_set.seeds), (2, GROUPS, size), generator=generator)
        rates = [polled(evaluation_set, (seen["probabilities"][group] for group in side)) for side in drawn]
        return [seen, seen], [found | {"success": seen["success"]} for found in rates]
    seeds = [run.task.draw_seeds(GROUPS * size, 1, generator) for _ in range(2)]
    groups = [(evaluation_set.probabilities(parameters, group) for group in side.split(size)) for side in seeds]
    seen = [observe(evaluation_set, parameters, side[:OBSERVED], answered=False) for side in seeds]
    return seen, [polled(evaluation_set, side) for side in groups]


def evaluate(run: NetworkRun, parameters: Tensor, fixed_seed: Tensor | None) -> dict:
    """All that the figures need of one model (1, P), as JSON numbers. Shares are of 1; loss is per bit or edge-colour.

    A model with a fixed seed always answers the same: choosing and scoring coincide, and a vote changes nothing.
    """
    evaluation_set, generator = judge(run)
    if run.objective.fixed_seed:
        seen = [observe(evaluation_set, parameters, fixed_seed, answered=True)] * 2
        rates, count = [{"success": seen[0]["success"]}] * 2, 1
    else:
        seen, rates = both_sides(run, evaluation_set, generator, parameters)
        count = 2 * GROUPS * max(VOTES) if evaluation_set.seeds is None else len(evaluation_set.seeds)
    # between inputs whose votes come out alike, the adversary prefers those where single seeds fail more
    ties = [side["success"] / (10 * GROUPS) for side in rates]
    measured = {
        name: ([side[name] for side in rates], [side[name] + tie for side, tie in zip(rates, ties, strict=True)])
        for name in rates[0]
    }
    success = {name: (rates[0][name] + rates[1][name]) / 2 for name in rates[0]}
    histogram = np.bincount((success["success"] * 100).round().astype(int), minlength=101)
    result = {
        "inputs": evaluation_set.inputs,
        "seeds": count,
        **{name: summary(*found) for name, found in measured.items()},
        "histogram": histogram.tolist(),  # number of inputs at a success rate of 0, 1, ... 100 %
        "loss": losses([-side["loss"] for side in seen]),
    }
    if run.objective.fixed_seed:
        sampled = evaluation_set.sampled(seen[0]["probabilities"][0])
        result["sampled"] = summary([sampled, sampled])
    else:
        seeds, worst = evaluation_set.seeds, int(success["success"].argmin())
        seeds = run.task.draw_seeds(WORST_SEEDS, 1, generator) if seeds is None else seeds
        result["worst_input"] = worst_input(evaluation_set, parameters, seeds, worst)
    if evaluation_set.groups is not None:
        result["cells"] = {
            name: summary(*([over_groups(evaluation_set.groups, rate) for rate in part] for part in found))
            for name, found in measured.items()
        }
    return rounded(result | evaluation_set.details(seen[1]["probabilities"], success))


def seeds_for_worst(run: NetworkRun, parameters: Tensor, index: int) -> dict[str, float]:
    """votes.seeds_needed of a model (1, P) on the input of that index, under all seeds or so many as WORST_SEEDS."""
    evaluation_set, generator = judge(run)
    seeds = evaluation_set.seeds
    seeds = run.task.draw_seeds(WORST_SEEDS, 1, generator) if seeds is None else seeds
    return seeds_needed(evaluation_set, evaluation_set.probabilities_to(index, parameters, seeds), index)


def losses(sides: list) -> dict:
    """Average and 95th percentile of losses, given as two (X,) of minus the loss."""
    mean = float(sides[0].mean() + sides[1].mean()) / 2
    return {"average": -mean, "percentile95": -agreed(mean, *bracket(sides, sides, PERCENTILE, band=0.005))}


def fixed_and_random(run: NetworkRun, parameters: Tensor, seeds: int = 256) -> dict[str, tuple[float, float]]:
    """Mean loss of a model (1, P) under the best of so many fixed seeds, and under as many others: equation 1.

    "same inputs": on 20 n inputs drawn as in training (in a grid, on all cells); the best seed is the best for these.
    That is how the equation has it, which holds for any distribution of inputs, and so for this one. "other inputs":
    the seed that is best on the first half of the inputs, and random ones, both on the second half; not where all are
    taken that there are, and none can be held back.
    """
    generator = judging_generator(run)
    inputs = run.task.draw_inputs(20 * run.task.n, generator).unsqueeze(0)
    drawn = run.task.draw_seeds(2 * seeds, 1, generator).unsqueeze(0)
    with torch.no_grad():
        losses = run.task.losses(run.network, parameters, inputs, drawn)[0].double()
    fixed, random = losses[:seeds], losses[seeds:]
    found = {"same inputs": (float(fixed.mean(1).min()), float(random.mean()))}
    if losses.shape[1] == 20 * run.task.n:
        half = losses.shape[1] // 2
        best = fixed[:, :half].mean(1).argmin()
        found["other inputs"] = float(fixed[best, half:].mean()), float(random[:, half:].mean())
    return found


def rounded(result):
    """Floats to 6 digits: what is stored is what can be told apart, and no file changes in the 17th digit."""
    if isinstance(result, dict):
        return {name: rounded(value) for name, value in result.items()}
    if isinstance(result, list):
        return [rounded(value) for value in result]
    return float(f"{result:.6g}") if isinstance(result, float) else result
