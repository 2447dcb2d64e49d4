"""What 07_online_algorithms.ipynb claims: the rules, fixed before any run, and what they are judged by.

Nobody has trained networks on these problems before: the references are theorems, and exact games.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from randformer.experiments.online import NOTEBOOK
from randformer.report.claims import Claim, Condition
from randformer.report.intervals import ANY, POSITIVE
from randformer.report.tables import NotMeasured, chosen, of_run

PRICES = (5, 10, 20)  # of skis, B
CACHES = (2, 3, 4)  # pages that a cache holds, k


@dataclass(frozen=True)
class Evidence:
    """What the claims look at: a row per run, way to be random and measure.

    Columns: problem, answer (way), q (of training), size (B, k, vertices or bits), run, measure, value.
    """

    table: pd.DataFrame

    def of(self, problem: str, measure: str, size: int, answer: str = "seed", least_q: bool = False) -> np.ndarray:
        """One value per run of the models trained on the largest q, or the smallest. Raises NotMeasured."""
        models = chosen(self.table, problem=problem, answer=answer, size=size)
        if models.empty:
            raise NotMeasured(f"{problem}, {answer}, {size}")
        q = models["q"].min() if least_q else models["q"].max()
        return np.array(of_run(models, answer, measure, q))


Measure = Callable[[Evidence], np.ndarray]


def measured(problem: str, measure: str, size: int, **which) -> Measure:
    """A measure as it stands in the table."""
    return lambda evidence: evidence.of(problem, measure, size, **which)


def above(problem: str, measure: str, reference: str, size: int) -> Measure:
    """How far a measure is above another one of the same run [% of the latter]."""
    return lambda evidence: 100 * (evidence.of(problem, measure, size) / evidence.of(problem, reference, size) - 1)


def less(problem: str, measure: str, size: int, *answers: str) -> Measure:
    """By how much less it is with a seed than for the best of other ways, run by run."""
    return lambda evidence: (
        np.min([evidence.of(problem, measure, size, answer) for answer in answers], 0)
        - evidence.of(problem, measure, size)
    )


CLAIMS = (
    Claim(
        "O1",
        "Ski rental: the randomized optimum is learned",
        "theorem: 1 / (1 - (1 - 1/B)^B), of a deterministic algorithm 2 - 1/B",
        "Ski rental, largest q, random seeds: worst ratio {0:words} % above the randomized optimum and below the "
        "deterministic one, for each of B = 5, 10, 20",
        (
            *(Condition(above("skirental", "worst ratio", "randomized optimum", b), "<=", 5, span=ANY) for b in PRICES),
            *(
                Condition(above("skirental", "worst ratio", "deterministic optimum", b), "<", 0, span=ANY)
                for b in PRICES
            ),
        ),
        NOTEBOOK,
        added="2026-11-28",
    ),
    Claim(
        "O2",
        "Ski rental: the expected ratio needs no randomness",
        "equation 1",
        "Ski rental, q = 1, any number of days equally probable, random seeds: {0} % of seeds buy on the same day, or "
        "never, for each of B = 5, 10, 20",
        tuple(Condition(measured("skirental", "seeds on the same day", b, least_q=True), ">=", 95) for b in PRICES),
        NOTEBOOK,
        added="2026-11-28",
    ),
    Claim(
        "O3",
        "Paging: better than every deterministic algorithm",
        "theorem: k, with random numbers H_k",
        "Paging, largest q, random seeds, all sequences: worst ratio {0} at k = 2, {1} at k = 3",
        tuple(Condition(measured("paging", "worst ratio", k), "<", k, 2, POSITIVE) for k in (2, 3)),
        NOTEBOOK,
        added="2026-11-28",
    ),
    Claim(
        "O4",
        "Paging: close to the randomized optimum",
        "theorem: H_2 = 1.5",
        "Paging, largest q, random seeds, k = 2, all sequences: worst ratio {0:words} % above the game's value",
        (Condition(above("paging", "worst ratio", "randomized optimum", 2), "<=", 10, span=ANY),),
        NOTEBOOK,
        added="2026-11-28",
    ),
    Claim(
        "O5",
        "Paging: an adversary who searches does less harm than to LRU and FIFO",
        "theorem: both k",
        "Paging, longer sequences, k = 3: the worst ratio found by beam search, scored on other seeds, is lower than "
        "those found for LRU and FIFO ({0})",
        (Condition(less("long paging", "searched ratio", 3, "LRU", "FIFO"), ">", 0, 2, ANY),),
        NOTEBOOK,
        added="2026-11-28",
    ),
    Claim(
        "O6",
        "Matching: more than half",
        "theorem: 1/2, with random numbers 1 - 1/e",
        "Online matching, upper-triangular graphs, largest q, random seeds: matched in the worst order {0} % of all",
        (Condition(measured("matching", "worst share matched", 6), ">", 55),),
        NOTEBOOK,
        added="2026-11-28",
    ),
    Claim(
        "O7",
        "Equality: a shared seed is worth a longer message",
        "theorem: without one n bits",
        "Equality of two strings of 6 bits by a message of 2, largest q: the error on the worst pair is lower with "
        "shared random seeds than with a fixed one ({0} points)",
        (Condition(less("equality", "worst error", 6, "fixed seed"), ">", 0, span=ANY),),
        NOTEBOOK,
        added="2026-11-28",
    ),
    Claim(
        "O8",
        "Paging: what is learned is marking",
        "theorem: marking has H_k",
        "Paging, largest q, random seeds, all sequences: {0} % of evictions (but for the last request) are of a page "
        "that marking would keep, for each of k = 2, 3, 4",
        tuple(Condition(measured("paging", "marked pages evicted", k), "<=", 10) for k in CACHES),
        NOTEBOOK,
        added="2026-11-28",
    ),
)
