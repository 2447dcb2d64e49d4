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


def majority(answers: np.ndarray) -> np.ndarray:
    """The most frequent of k whole answers (k, X) to each input, (X,); the one given first among equals."""
    count = np.zeros(answers.shape, dtype=np.int16)
    for other in answers:
        count += answers == other
    return np.take_along_axis(answers, count.argmax(0)[None], 0)[0]


def vote_success(evaluation_set: EvaluationSet, answers: np.ndarray, k: int, elect=majority) -> np.ndarray:
    """Share (X,) of disjoint groups of k seeds whose vote is right, from answers (m, X); the rest is not used.

    elect makes one answer to each input (X,) of a group's answers (k, X).
    """
    groups = len(answers) // k
    wins = [evaluation_set.right(elect(answers[i * k : (i + 1) * k])) for i in range(groups)]
    return np.mean(wins, axis=0)


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
    generator = torch.Generator().manual_seed(SEED_STREAM + run.run_index)
    if run.objective.fixed_seed:
        choose = score = observe(evaluation_set, parameters, fixed_seed)
    else:
        choose, score = (
            observe(evaluation_set, parameters, run.task.draw_seeds(SEEDS, 1, generator)) for _ in range(2)
        )
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
        worst = int(choose["success"].argmin())
        result["worst_input"] = worst_input(
            evaluation_set, parameters, run.task.draw_seeds(WORST_SEEDS, 1, generator), worst
        )
    if evaluation_set.groups is not None:
        in_cells = {
            name: [over_groups(evaluation_set.groups, values) for values in both] for name, both in measured.items()
        }
        result["cells"] = {name: summary(*both) for name, both in in_cells.items()}
    return rounded(result | evaluation_set.details(score, {name: scored for name, (_, scored) in measured.items()}))


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


def worst_input(evaluation_set: EvaluationSet, parameters: Tensor, seeds: Tensor, index: int) -> dict:
    """How often each answer is given to one input, most frequent first: what a vote over any number of seeds needs."""
    answers, counts = np.unique(evaluation_set.answers_to(index, parameters, seeds), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {
        "index": index,
        "counts": counts[order].tolist(),
        "right": evaluation_set.right(answers[order], index).tolist(),
    }


def gap(worst: dict) -> float:
    """D of Proposition 2 on one input: share of seeds with the most frequent right answer, less the wrong one's."""
    right, counts = np.array(worst["right"]), np.array(worst["counts"])
    return float(counts[right].max(initial=0) - counts[~right].max(initial=0)) / counts.sum()


def success_by_votes(worst: dict, ks: tuple[int, ...], wrong_answers: int, votes: int = 4000) -> dict[str, list[float]]:
    """Probability of a right answer to one input, as worst_input describes it, after spending k seeds on it.

    "majority(k)": simulated votes among answers as frequent as those counted, ties broken at random. "retry until
    valid": 1 - (1 - p)^k, for answers that can be checked. "bound of Proposition 2": 1 - W exp(-k D^2 / 2) or 0, with
    the gap D between the most frequent right and wrong answer, and W answers that are wrong (appendix E.1.1).
    """
    right = np.array(worst["right"])
    share = np.array(worst["counts"]) / sum(worst["counts"])
    d = max(gap(worst), 0)
    generator = np.random.default_rng(0)
    majorities = []
    for k in ks:
        counts = generator.multinomial(k, share, votes)
        majorities.append(float(right[(counts + generator.random(counts.shape) / 2).argmax(1)].mean()))
    return {
        "majority(k)": majorities,
        "retry until valid": [1 - (1 - share[right].sum()) ** k for k in ks],
        "bound of Proposition 2": [max(0.0, 1 - wrong_answers * np.exp(-k * d**2 / 2)) for k in ks],
    }


def rounded(result):
    """Floats to 6 digits: what is stored is what can be told apart, and no file changes in the 17th digit."""
    if isinstance(result, dict):
        return {name: rounded(value) for name, value in result.items()}
    return float(f"{result:.6g}") if isinstance(result, float) else result


def bootstrap(values: list[float], confidence: float = 0.95) -> tuple[float, float]:
    """Interval of the mean of one value per run, by resampling runs 10,000 times; a single run has none: (nan, nan)."""
    values = np.asarray(values, float)
    if len(values) < 2:
        return float("nan"), float("nan")
    draws = np.random.default_rng(0).choice(values, (10_000, len(values))).mean(1)
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
