"""What 01_when_randomness_helps.ipynb claims: the rules, fixed before any run, and what they are judged by."""

from dataclasses import dataclass

from randformer.experiments.theory import NOTEBOOK
from randformer.report.claims import Claim, Condition


@dataclass(frozen=True)
class Evidence:
    """What the claims look at; shares are means of these."""

    games: list[bool]  # for each solved game and distribution of inputs: equation 1 holds
    saved: list[float]  # for each trained network: loss [%] of the best fixed seed below that of random seeds
    carried: list[float]  # the same of the best one for other inputs, where some can be held back
    mixing: list[bool]  # for each solved game that meets Proposition 1's conditions: mixing strictly helps


def percent(held: list[bool]) -> list[float]:
    """100 for each that holds."""
    return [100.0 * holds for holds in held]


CLAIMS = (
    Claim(
        "T1",
        "The expected loss needs no randomness",
        "equation 1",
        "All solved games, all trained models: the best of 256 fixed seeds on average no worse than random ones",
        (
            Condition(lambda evidence: percent(evidence.games), "==", 100, sample=False),
            Condition(lambda evidence: percent([saved >= -1e-7 for saved in evidence.saved]), "==", 100, sample=False),
        ),
        NOTEBOOK,
    ),
    Claim(
        "T2",
        "The worst case does",
        "Proposition 1",
        "All solved games with Proposition 1's conditions: mixed value strictly below the pure value",
        (Condition(lambda evidence: percent(evidence.mixing), "==", 100, sample=False),),
        NOTEBOOK,
    ),
    Claim(
        "T3",
        "The expected loss needs no randomness: a seed is found that needs none",
        "not reported",
        "Trained models of recall and colouring: the best of 256 fixed seeds on one half of the inputs loses at most "
        "1 % more than random seeds on the other half, in {0:words} % of models",
        (Condition(lambda evidence: percent([saved >= -1 for saved in evidence.carried]), ">=", 95),),
        NOTEBOOK,
        added="2026-11-27",
    ),
)
