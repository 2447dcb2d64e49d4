"""Recall with slots as a game: keep some pairs, guess when asked for another.

A strategy is a set of keys to keep, as many as there are slots, and the value to answer for all others; an input asks
for a key, and its value is what it is. The loss is the probability of a wrong answer.
"""

import itertools

import numpy as np

from randformer.harness.checks import BadInput, at_least


def losses(pairs: int, slots: int, values: int) -> np.ndarray:
    """The game's matrix: a row per (keys kept, guess), a column per (key asked for, its value). Raises BadInput."""
    at_least("pairs", pairs, 1)
    at_least("slots", slots, 0, pairs)
    at_least("values", values, 1)
    rows = [
        [key not in kept and value != guess for key in range(pairs) for value in range(values)]
        for kept in itertools.combinations(range(pairs), slots)
        for guess in range(values)
    ]
    return np.array(rows, dtype=float)


def mixed(pairs, slots: int, values: int):
    """Least worst-case loss of any mixture, for one number of pairs or an array of them. Raises BadInput.

    Keys kept and guess drawn uniformly reach it; keys and values asked for uniformly prove it: of them any strategy
    loses exactly this share. A network stores sums of vectors, not pairs, and is not bound by it.
    """
    at_least("slots", slots, 0)
    at_least("values", values, 1)
    if np.min(pairs) < 1:
        raise BadInput(f"pairs = {pairs}: give at least 1")
    return np.maximum(0, 1 - slots / pairs) * (1 - 1 / values)


def pure(pairs: int, slots: int, values: int) -> float:
    """Least worst-case loss of one strategy: some key is not kept, and some value of it not guessed."""
    at_least("pairs", pairs, 1)
    return float(slots < pairs and values > 1)
