"""How good a trained model is against an adversary who knows it, but not the seed (section 2.1, definition 1).

An adversary who picks the worst of many inputs on the very seeds that are then scored finds inputs that are merely
unlucky. So inputs are chosen on one set of seeds and scored on a second one. "Badness" orders the inputs; the paper's
95th percentile is the value at the input that is worse than 95 % of them.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from randformer.contract import EvaluationSet
from randformer.core.votes import majority, vote_success, worst_input

if TYPE_CHECKING:
    from randformer.core.runs import NetworkRun

SEEDS = 100  # to choose the inputs on, and as many others to score them on
VOTES = (5, 30)  # majority(k) of the paper
PERCENTILE = 0.95
SEED_STREAM = 10**9  # generators of evaluation start here, those of training at the run's number
WORST_SEEDS = 10_000  # seeds answering the one worst input, for success against the number of votes


def score_at_percentile(choose: np.ndarray, score: np.ndarray, percentile: float, band: float = 0.0) -> float:
    """Mean score of the inputs that stand at a rank of badness (0.95: worse than 95 %; 1: the worst) on other seeds.

    choose, score: (X,), larger is better. Inputs that look alike to the adversary, equal in choose, are chosen
    alike; band widens the rank by that share of the inputs on both sides, for scores that never tie.
    """
    last = len(choose) - 1
    low, high = (round(last * min(max(1 - percentile + side, 0), 1)) for side in (-band, band))
    ordered = np.partition(choose, [low, high])
    at = (choose >= ordered[low]) & (choose <= ordered[high])
    return float(score[at].mean())


def summary(choose: np.ndarray, score: np.ndarray) -> dict:
    """Average, 95th percentile, worst input and share of inputs at 0 of success rates (X,) chosen and scored apart."""
    return {
        "average": float(score.mean()),
        "percentile95": score_at_percentile(choose, score, PERCENTILE),
        "worst": score_at_percentile(choose, score, 1.0),
        "zero_share": float((score == 0).mean()),
    }


def over_groups(cells: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean of values (X,) over the inputs of each cell, from the cell (X,) of each input."""
    return np.bincount(cells, values) / np.bincount(cells)


def observe(evaluation_set: EvaluationSet, parameters: Tensor, seeds: Tensor) -> dict[str, np.ndarray]:
    """What one model (1, P) does under seeds (m, 1, ...), of all inputs X.

    answers (m, X); success and loss (X,) averaged over seeds; variance over seeds of each predicted probability.
    """
    answers = np.empty((len(seeds), evaluation_set.inputs), np.int32)
    loss = np.zeros(evaluation_set.inputs)
    total = squares = 0
    for i, seed in enumerate(seeds.split(1)):
        probabilities = evaluation_set.probabilities(parameters, seed)[0]
        answers[i] = evaluation_set.answers(probabilities)
        loss += evaluation_set.loss(probabilities)
        total, squares = total + probabilities.double(), squares + probabilities.double().square()
    variance = (squares / len(seeds) - (total / len(seeds)).square()).clamp_min(0).numpy()
    success = evaluation_set.right(answers).mean(0)
    return {"answers": answers, "success": success, "loss": loss / len(seeds), "variance": variance}


def evaluate(run: NetworkRun, parameters: Tensor, fixed_seed: Tensor | None) -> dict:
    """All that the figures need of one model (1, P), as JSON numbers. Shares are of 1; loss is per bit or edge-colour.

    A model with a fixed seed always answers the same: choosing and scoring coincide, and a vote changes nothing.
    """
    evaluation_set = run.task.evaluation_set(run.network)
    generator, seeds = judging_seeds(run, fixed_seed, SEEDS)
    choose, score = (observe(evaluation_set, parameters, drawn) for drawn in seeds)
    histogram = np.bincount((score["success"] * 100).round().astype(int), minlength=101)
    result = {
        "inputs": evaluation_set.inputs,
        "seeds": len(score["answers"]),
        "success": summary(choose["success"], score["success"]),
        "histogram": histogram.tolist(),  # number of inputs at a success rate of 0, 1, ... 100 %
        "loss": {
            "average": float(score["loss"].mean()),
            "percentile95": -score_at_percentile(-choose["loss"], -score["loss"], PERCENTILE, band=0.005),
        },
    }
    success = (choose["success"], score["success"])
    measured = {"success": success}
    if run.objective.fixed_seed:
        sampled = evaluation_set.sampled(evaluation_set.probabilities(parameters, fixed_seed)[0])
        result["sampled"] = summary(sampled, sampled)
    else:
        for k, (name, elect) in itertools.product(VOTES, ({"majority": majority} | evaluation_set.votes).items()):
            votes = [vote_success(evaluation_set, seen["answers"], k, elect) for seen in (choose, score)]
            # between inputs whose votes come out alike, the adversary prefers those where single seeds fail more
            measured[f"{name}{k}"] = (votes[0] + success[0] / (10 * SEEDS), votes[1])
            result[f"{name}{k}"] = summary(*measured[f"{name}{k}"])
        seeds, worst = run.task.draw_seeds(WORST_SEEDS, 1, generator), int(choose["success"].argmin())
        result["worst_input"] = worst_input(evaluation_set, parameters, seeds, worst)
    if evaluation_set.groups is not None:
        in_cells = {
            name: [over_groups(evaluation_set.groups, values) for values in both] for name, both in measured.items()
        }
        result["cells"] = {name: summary(*both) for name, both in in_cells.items()}
    return rounded(result | evaluation_set.details(score, {name: scored for name, (_, scored) in measured.items()}))


def judging_seeds(
    run: NetworkRun, fixed_seed: Tensor | None, count: int
) -> tuple[torch.Generator, tuple[Tensor, Tensor]]:
    """A run's generator of evaluation, and its first seeds: so many to choose inputs on, as many to score them on.

    With a fixed seed both are that one.
    """
    generator = torch.Generator().manual_seed(SEED_STREAM + run.run_index)
    if run.objective.fixed_seed:
        return generator, (fixed_seed, fixed_seed)
    return generator, tuple(run.task.draw_seeds(count, 1, generator) for _ in range(2))


def fixed_and_random(run: NetworkRun, parameters: Tensor, seeds: int = 256) -> tuple[float, float]:
    """Mean loss of a model (1, P) under the best of so many fixed seeds, and under as many others: equation 1.

    On 20 n inputs drawn as in training (in a grid, on all cells); the best seed is the best for these. That is how the
    equation has it, which holds for any distribution of inputs, and so for this one.
    """
    generator = torch.Generator().manual_seed(SEED_STREAM + run.run_index)
    inputs = run.task.draw_inputs(20 * run.task.n, generator).unsqueeze(0)
    drawn = run.task.draw_seeds(2 * seeds, 1, generator).unsqueeze(0)
    with torch.no_grad():
        losses = run.task.losses(run.network, parameters, inputs, drawn)[0].double().mean(1)
    return float(losses[:seeds].min()), float(losses[seeds:].mean())


def rounded(result):
    """Floats to 6 digits: what is stored is what can be told apart, and no file changes in the 17th digit."""
    if isinstance(result, dict):
        return {name: rounded(value) for name, value in result.items()}
    return float(f"{result:.6g}") if isinstance(result, float) else result
