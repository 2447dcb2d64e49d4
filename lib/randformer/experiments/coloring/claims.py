"""What 03_graph_coloring.ipynb claims: the rules, fixed before any run, and what they are judged by."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from randformer.experiments.coloring import NOTEBOOK
from randformer.report.claims import Claim, Condition
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
)
