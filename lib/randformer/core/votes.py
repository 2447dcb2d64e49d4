"""Answering with several seeds: the ways to make one answer of theirs, and what Proposition 2 promises of votes.

    way             what k seeds answer
    majority        the most frequent of their whole answers: the mode of appendix E.1.1, and definition 2's vote
    parts           each bit, or vertex, the most frequent of what they say of it
    probabilities   what is most probable when their probabilities are averaged
    logits          what is most probable when their logits are averaged
    retry           a right one, where one of k answers is right and can be told from the others (appendix E.1)

Between equals the one given first counts. All but the first and the last can elect what no seed has answered.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from randformer.contract import EvaluationSet
from randformer.harness.checks import BadInput, at_least

AVERAGES = ("parts", "probabilities", "logits")  # of what the seeds say of each bit or vertex
WAYS = ("majority", *AVERAGES)  # that need nothing but the seeds' answers
KS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)  # seeds that may be spent
TRIALS = 1000  # votes simulated for each of these
COLUMNS = 2048  # inputs of which all answers are compared at once: they stay in the processor's cache


def majority(answers: np.ndarray) -> np.ndarray:
    """The most frequent of k whole answers (k, X) to each input, (X,); the one given first among equals."""
    k, elected = len(answers), np.empty_like(answers[0])
    narrow, wide = (np.int8, np.int16) if k < 128 else (np.int32, np.int64)  # of a count, and of k times one
    first = np.arange(k, dtype=wide)[::-1, None]  # larger the earlier it was given
    for start in range(0, len(elected), COLUMNS):
        part = np.ascontiguousarray(answers[:, start : start + COLUMNS])
        count, equal = np.ones(part.shape, narrow), np.empty(part.shape, bool)
        for apart in range(1, k):  # each pair of answers once
            same = np.equal(part[apart:], part[:-apart], out=equal[apart:]).view(np.int8)
            count[apart:] += same
            count[:-apart] += same
        chosen = k - 1 - (count * wide(k) + first).max(0) % k
        elected[start : start + COLUMNS] = np.take_along_axis(part, chosen[None], 0)[0]
    return elected


def averaged(way: str, probabilities: Tensor, binary: bool) -> Tensor:
    """What k seeds say together, (...), of what each says, (k, ...), averaged in one of AVERAGES.

    binary: whether each probability stands for itself; else those of the last axis add up to 1. Logits are averaged as
    if none were beyond +-14, where floats grow coarse.
    """
    if way == "probabilities":
        return probabilities.mean(0)
    if way == "logits":
        if binary:
            return probabilities.logit(1e-6).mean(0).sigmoid()
        return probabilities.clamp_min(1e-6).log().mean(0).softmax(-1)
    hard = (probabilities > 0.5) if binary else F.one_hot(probabilities.argmax(-1), probabilities.shape[-1])
    hard = hard.to(probabilities.dtype)
    return hard.mean(0) + hard[0] / (3 * len(hard))  # a third of a vote more for the first decides between equals


def outcomes(evaluation_set: EvaluationSet, said: Tensor, votes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Which answers are right that seeds, (m, V, ...), give to all inputs: {"success": (m, X)}, and of votes (1, X).

    {"majority5": ..., "parts5": ...} for each way and number of votes: the first so many of the seeds.
    """
    ways = [(way, k) for way in AVERAGES for k in votes]
    together = [averaged(way, said[:k], evaluation_set.binary).unsqueeze(0) for way, k in ways]
    answers = evaluation_set.answers(torch.cat([said, *together]))
    right = evaluation_set.right(answers)
    found = {"success": right[: len(said)]}
    for k in votes:
        found[f"majority{k}"] = evaluation_set.right(majority(answers[:k]))[None]
        if evaluation_set.checkable:
            found[f"retry{k}"] = right[:k].any(0)[None]
    return found | {f"{way}{k}": right[i : i + 1] for i, (way, k) in enumerate(ways, len(said))}


def worst_input(evaluation_set: EvaluationSet, parameters: Tensor, seeds: Tensor, index: int) -> dict:
    """How often each answer is given to one input, most frequent first: what a vote over any number of seeds needs."""
    return counted(evaluation_set, evaluation_set.probabilities_to(index, parameters, seeds), index)


def counted(evaluation_set: EvaluationSet, said: Tensor, index: int) -> dict:
    """The same, of what seeds say of that input, (m, ...)."""
    answers, counts = np.unique(evaluation_set.decided(said), return_counts=True)
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


def seeds_needed(evaluation_set: EvaluationSet, said: Tensor, index: int, share: float = 0.99) -> dict[str, float]:
    """The fewest of KS seeds that are right together on one input with that probability, by way, and "promised".

    said: of the input, under as many seeds as can be had, (m, ...); the votes of seeds drawn from these are simulated.
    "promised" is Proposition 2's number for "majority". inf where no number would do, as what most seeds say together
    is wrong; nan where KS does not reach it.
    """
    found, generator = counted(evaluation_set, said, index), torch.Generator().manual_seed(0)
    lead = gap(found)
    often = dict(zip(KS, success_by_votes(found, KS, evaluation_set.wrong_answers)["majority(k)"], strict=True))
    needed = {"majority": first(lambda k: often[k] >= share) if lead > 0 else math.inf}
    for way in AVERAGES:

        def right(drawn: Tensor, way=way) -> float:
            answers = evaluation_set.decided(averaged(way, drawn, evaluation_set.binary))
            return evaluation_set.right(answers, index).mean()

        def enough(k: int, right=right) -> bool:
            return right(said[torch.randint(len(said), (k, TRIALS), generator=generator)]) >= share

        needed[way] = first(enough) if right(said.unsqueeze(1)) else math.inf
    promised = votes_promised(lead, evaluation_set.wrong_answers, 1 - share) if lead > 0 else math.inf
    return needed | {"promised": promised}


def first(enough: Callable[[int], bool]) -> float:
    """The smallest of KS that is enough; nan where none is."""
    return next(filter(enough, KS), math.nan)


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
