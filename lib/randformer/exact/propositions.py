"""The paper's statements about random games, votes and its own objective, checked by enumeration and by formula."""

import numpy as np
from scipy import stats

from randformer.core.votes import elected, votes_promised
from randformer.exact.games import q_norm
from randformer.harness.checks import BadInput, at_least


def condition(losses: np.ndarray) -> np.ndarray:
    """Where Proposition 1 applies, (...), to games (..., strategies, inputs); losses count as equal to 1e-12.

    Some strategies, at least two, all have the least worst case, and there is no input on which each of them has it.
    """
    worst = losses.max(-1)
    best = worst <= worst.min(-1, keepdims=True) + 1e-12
    attained = (losses >= worst[..., None] - 1e-12) | ~best[..., None]
    return (best.sum(-1) >= 2) & ~attained.all(-2).any(-1)


def uniform_gain(losses: np.ndarray) -> np.ndarray:
    """By how much the even mixture of the strategies with the least worst case improves on it, (...): the proof's.

    For losses of whole numbers, and without rounding: both are multiplied by the number of those strategies first.
    """
    worst = losses.max(-1)
    best = worst == worst.min(-1, keepdims=True)
    count = best.sum(-1)
    summed = (losses * best[..., None]).sum(-2).max(-1)
    return (count * worst.min(-1) - summed) / count


def random_games(count: int, strategies: int, inputs: int, levels: int, generator: np.random.Generator) -> np.ndarray:
    """Games (count, strategies, inputs) of losses 0 ... levels - 1, each drawn uniformly, that meet the condition."""
    at_least("count", count, 1)
    for name, size in (("strategies", strategies), ("inputs", inputs), ("levels", levels)):
        at_least(name, size, 2)  # with one of anything no game meets the condition
    found = np.empty((0, strategies, inputs), dtype=int)
    while len(found) < count:
        drawn = generator.integers(levels, size=(4 * count, strategies, inputs))
        found = np.concatenate([found, drawn[condition(drawn)]])
    return found[:count]


def elections(gap: float, wrong: int, votes: int, trials: int, generator: np.random.Generator) -> float:
    """Share of trials in which the right answer has most votes, ties broken at random; simulated.

    All wrong answers are equally frequent, each less so than the right one by the gap, from 0 to 1.
    """
    right = (1 + wrong * gap) / (wrong + 1)
    share = np.array([right, *[right - gap] * wrong])
    return float((elected(share, votes, trials, generator) == 0).mean())


def votes_needed(gap: float, wrong: int, failure: float, trials: int, generator: np.random.Generator) -> int:
    """The fewest votes that keep to that probability of failure in simulation, by bisection; odd numbers only."""
    low, high = 0, votes_promised(gap, wrong, failure) // 2 + 1  # in pairs of votes beyond the first
    while low < high:
        middle = (low + high) // 2
        enough = elections(gap, wrong, 2 * middle + 1, trials, generator) >= 1 - failure
        low, high = (low, middle) if enough else (middle + 1, high)
    return 2 * low + 1


def estimated(losing: np.ndarray, m: int, q: float) -> float:
    """The q-th root of equation 5's expectation, where inputs lose 1 on a share of the seeds and else 0.

    losing (inputs,): those shares. The mean over m seeds is binomial; the mean over inputs of the expectation of its
    q-th power is summed exactly. With ever more seeds it becomes L_q, games.q_norm(losing, q). How many of the inputs
    are in the batch does not change this expectation, nor do seeds that they share.
    """
    at_least("m", m, 1)
    at_least("q", q, 1.0)
    check_shares(losing)
    hits = np.arange(m + 1)
    chances = stats.binom.pmf(hits, m, losing[:, None])
    return float(np.mean((chances * (hits / m) ** q).sum(1)) ** (1 / q))


def in_batches(losing: np.ndarray, n: int, m: int, q: float, draws: int, generator: np.random.Generator) -> np.ndarray:
    """The q-norms (draws,) that batches of n inputs with m seeds show: the root of equation 5 in each.

    Inputs are drawn from losing (inputs,), and fail independently of each other. Their q-th powers have estimated's
    expectation for any n; that of the norms themselves is smaller.
    """
    at_least("n", n, 1)
    at_least("m", m, 1)
    at_least("q", q, 1.0)
    check_shares(losing)
    means = generator.binomial(m, generator.choice(losing, (draws, n))) / m
    return np.array([q_norm(batch, q) for batch in means])


def check_shares(losing: np.ndarray) -> None:
    """Raise BadInput unless all are probabilities."""
    if losing.min() < 0 or losing.max() > 1:
        raise BadInput("losing: give probabilities, from 0 to 1")
