"""Answering with several seeds: votes, and what Proposition 2 of appendix E.1.1 promises of them."""

import math

import numpy as np
from torch import Tensor

from randformer.contract import EvaluationSet
from randformer.harness.checks import BadInput, at_least


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


def elected(share: np.ndarray, k: int, trials: int, generator: np.random.Generator) -> np.ndarray:
    """Which answer has most of k votes, (trials,), of answers that seeds give in those shares (answers,); simulated.

    Ties are broken at random.
    """
    counts = generator.multinomial(k, share, trials)
    return (counts + generator.random(counts.shape) / 2).argmax(1)


def failure_bound(gap: float, wrong: int, k: int) -> float:
    """Proposition 2: the chance that k votes fail is at most W exp(-k D^2 / 2), for a gap D and W wrong answers."""
    return min(1.0, wrong * math.exp(-k * gap**2 / 2))


def votes_promised(gap: float, wrong: int, failure: float) -> int:
    """The fewest votes for which Proposition 2 promises no more than that chance of failure. Raises BadInput."""
    if not (0 < gap <= 1 and 0 < failure < 1):
        raise BadInput(f"gap = {gap!r}, failure = {failure!r}: give numbers between 0 and 1")
    at_least("wrong", wrong, 1)
    return math.floor(2 / gap**2 * math.log(wrong / failure)) + 1


def success_by_votes(worst: dict, ks: tuple[int, ...], wrong_answers: int, votes: int = 4000) -> dict[str, list[float]]:
    """Probability of a right answer to one input, as worst_input describes it, after spending k seeds on it.

    "majority(k)": simulated votes among answers as frequent as those counted. "retry until valid": 1 - (1 - p)^k, for
    answers that can be checked. "bound of Proposition 2": with the gap between the most frequent right and wrong ones.
    """
    right = np.array(worst["right"])
    share = np.array(worst["counts"]) / sum(worst["counts"])
    generator = np.random.default_rng(0)
    return {
        "majority(k)": [float(right[elected(share, k, votes, generator)].mean()) for k in ks],
        "retry until valid": [1 - (1 - share[right].sum()) ** k for k in ks],
        "bound of Proposition 2": [1 - failure_bound(max(gap(worst), 0), wrong_answers, k) for k in ks],
    }
