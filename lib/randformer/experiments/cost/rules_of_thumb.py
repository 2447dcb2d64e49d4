"""Rules of thumb for m and q (our own): read off a sweep at one size, and tried on a sweep at another.

A sweep is a table of one row per run: x, the m or q that was trained with, and value, larger is better.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from randformer.experiments.cost.sweep import Sizes
from randformer.report.tables import chosen

ENOUGH = 0.9  # of the best value


def best(sweep: pd.DataFrame) -> float:
    """The x with the largest mean value; the smallest of equals."""
    means = sweep.groupby("x")["value"].mean()
    return float(means.idxmax())


def enough(sweep: pd.DataFrame) -> float:
    """The smallest x whose mean value, and that of every larger x, is at least ENOUGH times the largest."""
    means = sweep.groupby("x")["value"].mean()
    short = means[means < ENOUGH * means.max()]
    return float(means.index[means.index > (short.index.max() if len(short) else -np.inf)].min())


def behind(sweep: pd.DataFrame, x: float, draws: int = 10_000) -> tuple[float, float, float]:
    """How far the mean at x is behind the best x's, and a 95 % interval by resampling the runs of both.

    x stands for the closest one of the sweep, in its logarithm.
    """
    xs = np.array(sorted(sweep["x"].unique()))
    taken = xs[np.abs(np.log(xs / x)).argmin()]
    ours, theirs = (sweep.loc[sweep["x"] == at, "value"].to_numpy() for at in (taken, best(sweep)))
    if taken == best(sweep):
        return 0.0, 0.0, 0.0
    generator = np.random.default_rng(0)
    resampled = [generator.choice(values, (draws, len(values))).mean(1) for values in (theirs, ours)]
    low, high = np.quantile(resampled[0] - resampled[1], [0.025, 0.975])
    return float(theirs.mean() - ours.mean()), float(low), float(high)


def tried(sweep: pd.DataFrame, rule: Callable[[pd.DataFrame], float], ns: tuple[int, int]) -> dict[str, str]:
    """What a rule says on the size that it is read off, and what one loses by it on the other; a row of a table.

    sweep: of one task, with a column N; ns: the two sizes. Losses are in points of value.
    """
    small, large = (sweep[sweep["N"] == n] for n in ns)
    taken = rule(small)
    lost, low, high = behind(large, taken)
    row = {"read off": f"N = {ns[0]}", "says": f"{taken:g}", "tried on": f"N = {ns[1]}"}
    return row | {"best there": f"{best(large):g}", "points lost": f"{lost:.1f} [{low:.1f}, {high:.1f}]"}


def table(compute: pd.DataFrame, powers: pd.DataFrame, sizes: dict[str, Sizes]) -> pd.DataFrame:
    """Both rules on each task, by the 95th percentile of success [%] of single seeds; a row for each.

    compute: over m, powers: over q, both tables.tidy's with a column experiment; sizes: of the tasks.
    """
    rows = []
    for x, of, rule in (("m", compute, best), ("q", powers, enough)):
        single = chosen(of, answer="A_R", measure="95th percentile")
        for task, points in single.assign(x=single[x]).groupby("experiment", sort=False):
            row = {"rule for": x, "task": task} | tried(points, rule, sizes[task].ns)
            rows.append(row | {"n": sizes[task].runs})
    return pd.DataFrame(rows)
