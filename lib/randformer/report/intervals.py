"""How sure one can be of a mean over runs."""

import numpy as np


def bootstrap(values: list[float], confidence: float = 0.95) -> tuple[float, float]:
    """Interval of the mean of one value per run, by resampling runs 10,000 times; a single run has none: (nan, nan)."""
    values = np.asarray(values, float)
    if len(values) < 2:
        return float("nan"), float("nan")
    draws = np.random.default_rng(0).choice(values, (10_000, len(values))).mean(1)
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
