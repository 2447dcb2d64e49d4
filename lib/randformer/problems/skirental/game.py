"""Ski rental as a game: renting costs 1 a day, buying costs B, and the adversary says how many days there are.

A deterministic algorithm is the day on which it buys, if skis are still needed on that day. The loss is the
competitive ratio: what it pays over what who knows the number of days pays, min(days, B). Whoever never buys has paid
twice the price after 2 B days, so more days are in nobody's interest.
"""

import numpy as np

from randformer.harness.checks import at_least


def horizon(price: int) -> int:
    """Days that the adversary may choose from, 1 to that many. Raises BadInput for a price below 1."""
    at_least("B (price)", price, 1)
    return 2 * price


def losses(price: int) -> np.ndarray:
    """Ratios: a row per day of buying, 1 to 2 B, and the last for never; a column per number of days, 1 to 2 B."""
    days, buying = np.arange(1, horizon(price) + 1), np.arange(1, horizon(price) + 2)[:, None]
    return np.where(days < buying, days, buying - 1 + price) / np.minimum(days, price)


def best_deterministic(price: int) -> float:
    """Least worst ratio of a day of buying, that of day B: 2 - 1 / B (Karlin et al. 1988)."""
    at_least("B (price)", price, 1)
    return 2 - 1 / price


def best_randomized(price: int) -> float:
    """Least worst ratio of a distribution over days: 1 / (1 - (1 - 1 / B)^B) (Karlin et al. 1990)."""
    at_least("B (price)", price, 1)
    return 1 / (1 - (1 - 1 / price) ** price)


def best_days(price: int) -> np.ndarray:
    """The distribution that has it: P(buy on day j) of days 1 to B, (B,), a factor of B / (B - 1) from day to day."""
    at_least("B (price)", price, 1)
    weights = (1 - 1 / price) ** np.arange(price - 1, -1, -1.0)
    return weights / weights.sum()


def ratios(days: np.ndarray, price: int) -> np.ndarray:
    """Ratio (2 B,) against each number of days of buying on day j with probability days[j - 1], never with the rest."""
    bought = np.zeros(horizon(price) + 1)
    bought[: len(days)] = days
    bought[-1] += 1 - bought.sum()
    return bought @ losses(price)
