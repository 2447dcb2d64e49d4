"""The paper's statements about random games, votes and its own objective, checked by enumeration and by formula."""

import numpy as np
from scipy import stats

from .checks import at_least


def condition(losses: np.ndarray) -> np.ndarray:
    """Where Proposition 1 applies, (...), to games (..., strategies, inputs) of whole numbers.

    Some strategies, at least two, all have the least worst case, and there is no input on which each of them has it.
    """
    worst = losses.max(-1)
    best = worst == worst.min(-1, keepdims=True)
    attained = (losses == worst[..., None]) | ~best[..., None]
    return (best.sum(-1) >= 2) & ~attained.all(-2).any(-1)


def uniform_gain(losses: np.ndarray) -> np.ndarray:
    """By how much the even mixture of the strategies with the least worst case improves on it, (...): the proof's.

    Exact for whole numbers: both are multiplied by the number of those strategies before they are compared.
    """
    worst = losses.max(-1)
    best = worst == worst.min(-1, keepdims=True)
    count = best.sum(-1)
    summed = (losses * best[..., None]).sum(-2).max(-1)
    return (count * worst.min(-1) - summed) / count


def random_games(count: int, strategies: int, inputs: int, levels: int, generator: np.random.Generator) -> np.ndarray:
    """Games (count, strategies, inputs) of losses 0 ... levels - 1, each drawn uniformly, that meet the condition."""
    at_least("count", count, 1)
    found = np.empty((0, strategies, inputs), dtype=int)
    while len(found) < count:
        drawn = generator.integers(levels, size=(4 * count, strategies, inputs))
        found = np.concatenate([found, drawn[condition(drawn)]])
    return found[:count]


def promised(gap: float, wrong: int, failure: float) -> int:
    """Votes after which Proposition 2 promises the right answer but for that probability of failure."""
    return int(np.floor(2 / gap**2 * np.log(wrong / failure))) + 1


def elections(gap: float, wrong: int, votes: int, trials: int, generator: np.random.Generator) -> float:
    """Share of trials in which the right answer has most votes, ties broken at random; simulated.

    All wrong answers are equally frequent, each less so than the right one by the gap.
    """
    right = (1 + wrong * gap) / (wrong + 1)
    counts = generator.multinomial(votes, [right, *[right - gap] * wrong], trials)
    return float(((counts + generator.random(counts.shape) / 2).argmax(1) == 0).mean())


def votes_needed(gap: float, wrong: int, failure: float, trials: int, generator: np.random.Generator) -> int:
    """The fewest votes that keep to that probability of failure in simulation, by bisection; odd numbers only."""
    low, high = 0, promised(gap, wrong, failure) // 2 + 1  # in pairs of votes beyond the first
    while low < high:
        middle = (low + high) // 2
        enough = elections(gap, wrong, 2 * middle + 1, trials, generator) >= 1 - failure
        low, high = (low, middle) if enough else (middle + 1, high)
    return 2 * low + 1


def estimated(losing: np.ndarray, m: int, q: float) -> np.ndarray:
    """What equation 5 makes of inputs that lose on a share of seeds, with m seeds and every input in the batch.

    losing (...) are probabilities of a loss of 1 on an input, else 0, so its mean over m seeds is binomial: the q-th
    root of the mean of its q-th power, (...), exactly. At m = infinity it would be losing itself.
    """
    at_least("m", m, 1)
    at_least("q", q, 1.0)
    hits = np.arange(m + 1)
    chances = stats.binom.pmf(hits, m, np.asarray(losing)[..., None])
    return (chances * (hits / m) ** q).sum(-1) ** (1 / q)


def in_batches(losing: np.ndarray, n: int, m: int, q: float, draws: int, generator: np.random.Generator) -> np.ndarray:
    """The q-th root of equation 5, (draws,), over batches of n inputs drawn from losing (inputs,), m seeds each.

    Whether an input loses is drawn for each seed and input alone: the expectation of the mean over inputs does not
    depend on how inputs fail together.
    """
    inputs = generator.choice(losing, (draws, n))
    means = generator.binomial(m, inputs) / m
    largest = means.max(1, keepdims=True)
    scaled = np.divide(means, largest, out=np.zeros_like(means), where=largest > 0)
    return largest[:, 0] * np.mean(scaled**q, 1) ** (1 / q)
