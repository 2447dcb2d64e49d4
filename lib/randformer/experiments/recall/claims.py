"""What 02_associative_recall.ipynb claims: the rules, fixed before any run, and what they are judged by."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from randformer.experiments.recall import NOTEBOOK, paper
from randformer.experiments.recall.sweep import LARGE_Q, SMALL_Q
from randformer.report.claims import Claim, Condition
from randformer.report.intervals import ANY
from randformer.report.tables import CELLS, SPANS, chosen, of_run, over_points

BADNESS = "95th percentile"
VOTED_NS = (12, 14, 16, 18, 20)  # of R9


@dataclass(frozen=True)
class Evidence:
    """What the claims look at: sweeps as tables.tidy has them."""

    size: pd.DataFrame  # over N, at q = 1 and q
    over_q: pd.DataFrame
    over_m: pd.DataFrame  # at q
    q: float  # the rules' q = 100
    ns: tuple[int, int]  # their N = 12 and N = 20
    ms: tuple[int, int]  # their m = 1 and m = 20

    def at(self, answer: str, measure: str, q: float | None = None, end: int = 1) -> np.ndarray:
        """One value per run at the small N (end = 0) or the large one, of what was trained on q."""
        return self.of(answer, measure, self.ns[end], q)

    def of(self, answer: str, measure: str, n: int, q: float | None = None) -> np.ndarray:
        """One value per run at n pairs, of what was trained on q."""
        return np.array(of_run(self.size, answer, measure, self.q if q is None else q, N=n))


def fixed_seed(q: float | None, end: int) -> Callable[[Evidence], np.ndarray]:
    """The 95th percentile [%] of A_r0 trained on q (None: the large one) at one end of the sizes."""
    return lambda evidence: evidence.at("A_r0", BADNESS, q, end)


def randomized(measure: str = BADNESS, answer: str = "A_R") -> Callable[[Evidence], np.ndarray]:
    """A measure of A_R trained on the large q, at the large N, answering with one seed or by a vote."""
    return lambda evidence: evidence.at(answer, measure)


def gained(more: str, fewer: str) -> Callable[[Evidence], np.ndarray]:
    """Points of the 95th percentile that one way of answering is above another."""
    return lambda evidence: evidence.at(more, BADNESS) - evidence.at(fewer, BADNESS)


def cost_of_seeds(evidence: Evidence) -> np.ndarray:
    """Points of average success that random seeds differ from a fixed one, both on the expected loss."""
    return evidence.at("A_R", "average", 1) - evidence.at("A_r0", "average", 1)


def beyond_sampling(evidence: Evidence) -> np.ndarray:
    """Points of average success that random seeds are above outputs sampled under a fixed one."""
    return evidence.at("A_R", "average") - evidence.at("A_r0-sampled", "average")


def largest_variance(evidence: Evidence) -> list[float]:
    """Over the small q."""
    return over_points(evidence.over_q, "A_R", "variance", qs(evidence, lambda q: q <= SMALL_Q), max)


def smallest_variance(evidence: Evidence) -> list[float]:
    """Over the large q."""
    return over_points(evidence.over_q, "A_R", "variance", qs(evidence, lambda q: q >= LARGE_Q), min)


def qs(evidence: Evidence, wanted: Callable[[float], bool]) -> list[float]:
    """Those q of the sweep."""
    of = chosen(evidence.over_q, answer="A_R")
    return [q for q in sorted(of["q"].unique()) if wanted(q)]


def saved_by_seeds(evidence: Evidence) -> np.ndarray:
    """Share [%] of the 95th-percentile loss that the larger m saves."""
    return saved(evidence.over_m, evidence)


def saved(over_m: pd.DataFrame, evidence: Evidence, **at: float) -> np.ndarray:
    """The same of any sweep over m."""
    few, some = (np.array(of_run(over_m, "A_R", f"loss, {BADNESS}", evidence.q, m=m, **at)) for m in evidence.ms)
    return 100 * (1 - some / few)


def vote_on_bits(k: int, n: int, less: float = 0) -> Callable[[Evidence], np.ndarray]:
    """The 95th percentile [%] of k votes on each bit at n pairs, less that."""
    return lambda evidence: evidence.of(f"A_R-parts({k})", BADNESS, n) - less


CLAIMS = (
    Claim(
        "R1",
        "Recall, expected loss: the seed is ignored",
        "variance 0; average 57 for both",
        "N = 20, q = 1: A_R's variance over seeds {0}; its average success {1} points of A_r0's",
        (
            Condition(lambda evidence: evidence.at("A_R", "variance", 1), "<", 0.005, 4, SPANS["variance"], unit=""),
            Condition(cost_of_seeds, "within", 5, span=ANY, unit="points"),
        ),
        NOTEBOOK,
    ),
    Claim(
        "R2",
        "Recall with a fixed seed breaks",
        "95th percentile 0 from N = 12",
        "A_r0 at q = 1 and q = 100, N = 12 and N = 20: 95th percentile {0}",
        tuple(Condition(fixed_seed(q, end), "==", 0) for end in (0, 1) for q in (1, None)),
        NOTEBOOK,
    ),
    Claim(
        "R3",
        "Randomized recall does not",
        "95th percentile 20",
        "N = 20, q = 100: A_R 95th percentile {0} %",
        (Condition(randomized(), ">=", 15),),
        NOTEBOOK,
    ),
    Claim(
        "R4",
        "Recall, amplification",
        "95th percentile 20; majority(5) 50; majority(30) 100",
        "N = 20, q = 100: majority(30) 95th percentile {0} %; majority(5) above one seed and below majority(30)",
        (
            Condition(randomized(answer="A_R-majority(30)"), ">=", 95),
            Condition(gained("A_R-majority(5)", "A_R"), ">", 0, span=ANY, unit="points"),
            Condition(gained("A_R-majority(30)", "A_R-majority(5)"), ">", 0, span=ANY, unit="points"),
        ),
        NOTEBOOK,
    ),
    Claim(
        "R5",
        "Randomness emerges with q",
        "variance 0 to q = 8, 0.035 at q = 32, 0.03 above",
        f"N = 15: variance over seeds {{0}} at q <= {SMALL_Q:g} and {{1}} at q >= {LARGE_Q:g}",
        (
            Condition(largest_variance, "<", 0.005, 4, SPANS["variance"], unit=""),
            Condition(smallest_variance, ">", 0.015, 4, SPANS["variance"], unit=""),
        ),
        NOTEBOOK,
    ),
    Claim(
        "R6",
        "A few seeds suffice",
        "0.55 at m = 1, 0.36 at m = 20: 35 % less",
        "N = 15, q = 100: 95th-percentile loss at m = 20 {0:words} % below m = 1",
        (Condition(saved_by_seeds, ">=", 25, span=ANY),),
        NOTEBOOK,
    ),
    Claim(
        "R7",
        "Sampling the outputs is no substitute",
        "40 against 5",
        "N = 20, q = 100: average success of A_r0-sampled {0:words} points below A_R's",
        (Condition(beyond_sampling, ">=", 20, span=ANY, unit="points"),),
        NOTEBOOK,
    ),
    Claim(
        "R8",
        "Recall, averaged probabilities",
        "majority(30) 95th percentile 100",
        "N = 20, q = 100: averaged probabilities of 30 seeds, 95th percentile {0} %",
        (Condition(randomized(answer="A_R-probabilities(30)"), ">=", 95),),
        NOTEBOOK,
        added="2026-11-26",
    ),
    Claim(
        "R9",
        "Recall, a vote on each bit is what figure 1C shows",
        "majority(5) 90, 75, 55, 55, 50; majority(30) 100",
        "q = 100, N = 12, 14, 16, 18, 20, 95th percentile of votes on each bit: of 5 seeds {0} points of the paper's, "
        "of 30 seeds {5}",
        (
            *(
                Condition(
                    vote_on_bits(5, n, paper.FIGURE_1C["A_R-majority(5)"][n]), "within", 15, span=ANY, unit="points"
                )
                for n in VOTED_NS
            ),
            *(Condition(vote_on_bits(30, n), ">=", 90) for n in VOTED_NS),
        ),
        NOTEBOOK,
        added="2026-11-26",
    ),
    Claim(
        "R10",
        "Recall, the worst key and value",
        "not reported",
        "N = 20, q = 100: success of the worst (key, value) pair, averaged over memories: A_r0 {0}, A_R {1} %",
        (
            Condition(lambda evidence: evidence.at("A_r0", CELLS["worst"]), "==", 0),
            Condition(randomized(CELLS["worst"]), ">=", 15),
        ),
        NOTEBOOK,
        added="2026-11-26",
    ),
)
