"""What 03_graph_coloring.ipynb claims: the rules, fixed before any run, and what they are judged by."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from randformer.experiments.coloring import NOTEBOOK
from randformer.report.claims import Claim, Condition
from randformer.report.intervals import ANY
from randformer.report.tables import of_run


@dataclass(frozen=True)
class Evidence:
    """What the claims look at."""

    sweep: pd.DataFrame  # over q, as tables.tidy has it; the rules' q = 1 is its smallest, their q = 10 its largest


def expected(answer: str, measure: str) -> Callable[[Evidence], list[float]]:
    """One value per run [%] of the models trained on the smallest q."""
    return lambda evidence: of_run(evidence.sweep, answer, measure, evidence.sweep["q"].min())


def adversarial(answer: str, measure: str) -> Callable[[Evidence], list[float]]:
    """One value per run [%] of the models trained on the largest q."""
    return lambda evidence: of_run(evidence.sweep, answer, measure, evidence.sweep["q"].max())


def more_never_succeed(evidence: Evidence) -> np.ndarray:
    """Points that the share of cycles at 0 is larger with the fixed seed, both trained on the largest q."""
    fixed, random = (np.array(adversarial(answer, "inputs at 0")(evidence)) for answer in ("A_r0", "A_R"))
    return fixed - random


CLAIMS = (
    Claim(
        "C1",
        "Colouring, expected loss: all or nothing",
        "89.5 % of cycles at 100, the rest at 0",
        "q = 1, A_R: {0:words} % of cycles have success 0 or 100; 95th percentile {1}",
        (
            Condition(expected("A_R", "all or nothing"), ">=", 95),
            Condition(expected("A_R", "95th percentile"), "==", 0),
        ),
        NOTEBOOK,
    ),
    Claim(
        "C2",
        "Colouring, randomized: no cycle defeats it",
        "q = 10, 95th percentile: A_R 70, A_r0 0",
        "q = 10: A_R 95th percentile {0} %, A_r0 95th percentile = {1}",
        (
            Condition(adversarial("A_R", "95th percentile"), ">=", 60),
            Condition(adversarial("A_r0", "95th percentile"), "==", 0),
        ),
        NOTEBOOK,
    ),
    Claim(
        "C3",
        "Colouring, majority",
        "q >= 3: 95th percentile 100",
        "q = 10: A_R-majority(30) 95th percentile {0} %",
        (Condition(adversarial("A_R-majority(30)", "95th percentile"), ">=", 99),),
        NOTEBOOK,
    ),
    Claim(
        "C4",
        "Colouring, sampling the outputs is no substitute",
        "95th percentile about 3",
        "q = 10: A_r0-sampled 95th percentile {0} %",
        (Condition(adversarial("A_r0-sampled", "95th percentile"), "<=", 15),),
        NOTEBOOK,
    ),
    Claim(
        "C5",
        "Colouring, the worst cycle of all",
        "not reported",
        "Success on the worst of all cycles: {0} for A_r0 at q = 1 and 10 and A_R at q = 1, {3} % for A_R at q = 10",
        (
            Condition(expected("A_r0", "worst input"), "==", 0),
            Condition(adversarial("A_r0", "worst input"), "==", 0),
            Condition(expected("A_R", "worst input"), "==", 0),
            Condition(adversarial("A_R", "worst input"), ">=", 40),
        ),
        NOTEBOOK,
        added="2026-11-26",
    ),
    Claim(
        "C6",
        "Colouring, cycles that always fail",
        "not reported",
        "q = 10, cycles at 0: more with the fixed seed than with random ones ({0} points, in {1} % of runs), and {2} % "
        "with random ones",
        (
            Condition(more_never_succeed, ">", 0, span=ANY, unit="points"),
            Condition(lambda evidence: 100.0 * (more_never_succeed(evidence) > 0), "==", 100),
            Condition(adversarial("A_R", "inputs at 0"), "==", 0),
        ),
        NOTEBOOK,
        added="2026-11-26",
    ),
)
