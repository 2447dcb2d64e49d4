"""What 04_grid_world.ipynb claims: the rules, fixed before any run, and what they are judged by."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np
import pandas as pd

from randformer.experiments.gridworld import NOTEBOOK
from randformer.report.claims import Claim, Condition
from randformer.report.intervals import ANY, POSITIVE
from randformer.report.tables import of_run


@dataclass(frozen=True)
class Evidence:
    """What the claims look at: findings.gridworlds of ..."""

    models: pd.DataFrame  # the four models
    over_m: pd.DataFrame  # A_R on the worst cell
    m: int  # the rules' m = 10

    def at(self, measure: str, q: float) -> np.ndarray:
        """One value per run of A_R trained on q."""
        return np.array(of_run(self.models, "A_R", measure, q))

    def with_seeds(self, measure: str, m: int) -> np.ndarray:
        """One value per run of A_R trained on the worst cell under so many seeds a generation."""
        return np.array(of_run(self.over_m, "A_R", measure, inf, m=m))


def of_models(measure: str, q: float) -> Callable[[Evidence], np.ndarray]:
    """A measure of A_R trained on q."""
    return lambda evidence: evidence.at(measure, q)


def worst_cell_saved(evidence: Evidence) -> np.ndarray:
    """Share [%] of the worst cell's steps that training on it saves."""
    return 100 * (1 - evidence.at("worst cell", inf) / evidence.at("worst cell", 1))


def average_lost(evidence: Evidence) -> np.ndarray:
    """Share [%] of the average steps that training on the worst cell costs."""
    return 100 * (evidence.at("average", inf) / evidence.at("average", 1) - 1)


def average_lost_with_one_seed(evidence: Evidence) -> np.ndarray:
    """Share [%] of the average steps that the smallest m costs."""
    few, some = (evidence.with_seeds("average", m) for m in (evidence.over_m["m"].min(), evidence.m))
    return 100 * (few / some - 1)


CLAIMS = (
    Claim(
        "G1",
        "Grid: the adversary helps the worst cell",
        "95th percentile 28 against 39",
        "Worst cell, q = inf: A_R's steps {0:words} % below those at q = 1",
        (Condition(worst_cell_saved, ">=", 20, span=ANY),),
        NOTEBOOK,
    ),
    Claim(
        "G2",
        "Grid: and costs little on average",
        "average 20 against 19",
        "Average steps of A_R at q = inf {0:words} % above those at q = 1",
        (Condition(average_lost, "<=", 10, span=ANY),),
        NOTEBOOK,
    ),
    Claim(
        "G3",
        "Grid: seeds are needed",
        "average 35 at m = 1, 20 at m = 10",
        "q = inf: average steps of A_R at m = 1 {0:words} % above m = 10",
        (Condition(average_lost_with_one_seed, ">=", 30, span=ANY),),
        NOTEBOOK,
    ),
    Claim(
        "G4",
        "Grid: what was found is exploited",
        "shortest ways in episode 2",
        "q = inf, A_R: shortest way in episode 2 for {0} % of (seed, cell) pairs found in episode 1",
        (Condition(of_models("shortest ways", inf), ">=", 90),),
        NOTEBOOK,
    ),
    Claim(
        "G5",
        "Grid: the search is spread",
        "first visits at 12 to 17 everywhere; one fixed path at q = 1",
        "A_R, q = inf: largest mean first visit {0} (not visited: 25); q = 1: {1} % of seeds walk the same way",
        (
            Condition(of_models("largest first visit", inf), "<=", 20, span=POSITIVE, unit="steps"),
            Condition(of_models("on the same walk", 1), ">=", 95),
        ),
        NOTEBOOK,
    ),
)
