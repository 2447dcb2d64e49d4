"""What 13_highway_backpropagation.ipynb claims: the rules, fixed before any run, and what they are judged by."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from randformer.experiments.highway import NOTEBOOK
from randformer.report.claims import Claim, Condition
from randformer.report.intervals import ANY, POSITIVE
from randformer.report.tables import NotMeasured

NEEDED = {"digits": 4, "adding": 3}  # k of the claims: a quarter of 16 layers; of 64 steps, within half of their depth


@dataclass(frozen=True)
class Evidence:
    """What the claims look at."""

    errors: list[float]  # of k = L, for each architecture: largest difference from backpropagation, double precision
    scores: pd.DataFrame  # task, way, k, run, accuracy [%] on test samples
    cosines: pd.DataFrame  # task, way, trained with (k), run, when, k, L, cosine
    depths: dict[str, float]  # task: sequential depth at NEEDED, over backpropagation's


def lost(task: str, way: str) -> Callable[[Evidence], list[float]]:
    """Points of accuracy, run by run, that backpropagation is better than k = NEEDED of that way."""

    def measure(evidence: Evidence) -> list[float]:
        of = evidence.scores[evidence.scores["task"] == task]
        exact = of[of["way"] == "backpropagation"].set_index("run")["accuracy"]
        found = of[(of["way"] == way) & (of["k"] == NEEDED[task])].set_index("run")["accuracy"]
        if found.empty:
            raise NotMeasured(f"{task} with {way}, k = {NEEDED[task]}")
        return (exact - found).dropna().tolist()

    return measure


def worse(evidence: Evidence) -> list[float]:
    """Points, run by run, that the fixed-point iteration is worse than Highway's on the long memory."""
    ours, theirs = (lost("adding", way)(evidence) for way in ("highway", "fixed point"))
    return [b - a for a, b in zip(ours, theirs, strict=True)]


def rises(evidence: Evidence) -> list[float]:
    """100 for each training, before and after it, in which no larger k has a smaller cosine (to rounding, 1e-6)."""
    groups = evidence.cosines.groupby(["task", "way", "trained with", "run", "when"])
    return [100.0 * bool((of.sort_values("k")["cosine"].diff().dropna() >= -1e-6).all()) for _, of in groups]


def at_a_quarter(task: str, way: str) -> Callable[[Evidence], list[float]]:
    """Least cosine from k = L / 4 on after training, run by run, of networks trained so: highway, with k = L / 4."""

    def measure(evidence: Evidence) -> list[float]:
        table = evidence.cosines
        table = table[(table["task"] == task) & (table["way"] == way) & (table["when"] == "after")]
        table = table[table["k"] >= table["L"] / 4]
        if way == "highway":
            table = table[table["trained with"] == table["L"] / 4]
        if table.empty:
            raise NotMeasured(f"{task}, {way}, k = L / 4")
        return table.groupby("run")["cosine"].min().tolist()

    return measure


CLAIMS = (
    Claim(
        "H1",
        "As many iterations as layers are backpropagation",
        "exact",
        "k = L: largest difference from backpropagation {0}, in double precision; residual MLP, pre-norm transformer, "
        "GRU, LSTM",
        (Condition(lambda evidence: evidence.errors, "<=", 1e-10, digits=13, span=POSITIVE, sample=False),),
        NOTEBOOK,
        added="2026-11-28",
    ),
    Claim(
        "H2",
        "Few iterations are nearly the gradient",
        "falls in training at small k",
        "Cosine to the gradient rises with k in {0:words} % of trainings; from k = L / 4 on after backpropagation it "
        "is {1} (digits), {2} (adding), {3} (pixels), after k = L / 4 {4} (digits)",
        (
            Condition(rises, "==", 100, sample=False),
            *(
                Condition(at_a_quarter(*of), ">=", 0.95, digits=3, span=(-1.0, 1.0))
                for of in (
                    *((task, "backpropagation") for task in ("digits", "adding", "pixels")),
                    ("digits", "highway"),
                )
            ),
        ),
        NOTEBOOK,
        added="2026-11-28",
    ),
    Claim(
        "H3",
        "A quarter of the layers is enough for a residual MLP",
        "matches at k = 4 of 54",
        "Digits, 16 layers, k = 4: test accuracy {0:words} points below backpropagation's",
        (Condition(lost("digits", "highway"), "<=", 1, span=ANY),),
        NOTEBOOK,
        added="2026-11-28",
    ),
    Claim(
        "H4",
        "The residual path carries a long memory",
        "matches at k = 10 of 1,024; fixed point fails",
        "Adding problem, GRU, 64 steps, k = 3: test accuracy {0:words} points below backpropagation's; fixed-point "
        "iteration {1:words} points worse",
        (
            Condition(lost("adding", "highway"), "<=", 2, span=ANY),
            Condition(worse, ">=", 10, span=ANY),
        ),
        NOTEBOOK,
        added="2026-11-28",
    ),
    Claim(
        "H5",
        "Less is done one after another",
        "1.2 to 3.5 times as fast on a GPU",
        "Block passes and scan steps over backpropagation's: GRU at k = 3 {0}, residual MLP at k = 4 {1}",
        (
            Condition(lambda e: [e.depths["adding"]], "<=", 0.5, digits=2, span=POSITIVE, sample=False),
            Condition(lambda e: [e.depths["digits"]], "<=", 0.5, digits=2, span=POSITIVE, sample=False),
        ),
        NOTEBOOK,
        added="2026-11-28",
    ),
)
