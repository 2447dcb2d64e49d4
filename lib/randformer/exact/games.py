"""Finite zero-sum games, solved with a certificate: what the best fixed and the best randomized strategy can reach.

A game is a matrix of losses, a row per deterministic strategy, a column per input. The player draws a row from a
mixture, the oblivious adversary chooses a column; the pure value is the least worst case of one row, the value that of
a mixture (section 2.1 and definition 2 of the paper, with a seed for each row).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog, minimize

from randformer.harness.checks import BadInput, at_least

TOLERANCE = 1e-9  # between the two sides of a certificate, relative to the largest loss


@dataclass(frozen=True)
class Solution:
    """A solved game: no mixture has a worst case below low, and this one has high; the value lies between."""

    mixture: np.ndarray  # (strategies,), probabilities
    inputs: np.ndarray  # (inputs,), the adversary's probabilities
    low: float  # least mean loss of any strategy against inputs
    high: float  # largest mean loss of the mixture on any input

    @property
    def value(self) -> float:
        return (self.low + self.high) / 2


def matrix(losses) -> np.ndarray:
    """Losses (strategies, inputs) as doubles. Raises BadInput unless rectangular, not empty and finite."""
    try:
        checked = np.array(losses, dtype=float)
    except (TypeError, ValueError):
        raise BadInput("losses: give a matrix of numbers, all of its rows equally long") from None
    if checked.ndim != 2 or checked.size == 0:
        raise BadInput(f"losses of shape {checked.shape}: give at least one strategy (row) and one input (column)")
    if not np.isfinite(checked).all():
        raise BadInput("losses: every one must be finite")
    return checked


def solve(losses) -> Solution:
    """The value and both optimal mixtures, by linear programming. Raises BadInput for what is no matrix of losses.

    Raises ArithmeticError where primal and dual differ by more than TOLERANCE times the largest loss.
    """
    losses = matrix(losses)
    strategies, inputs = losses.shape
    scale = max(np.abs(losses).max(), np.finfo(float).tiny)
    # minimise v over (mixture, v) with mixture @ losses <= v for every input
    found = linprog(
        c=np.append(np.zeros(strategies), 1.0),
        A_ub=np.hstack([losses.T / scale, -np.ones((inputs, 1))]),
        b_ub=np.zeros(inputs),
        A_eq=np.append(np.ones(strategies), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * strategies + [(None, None)],
        method="highs-ds",
    )
    if not found.success:
        raise ArithmeticError(f"the linear program failed: {found.message}")
    solution = certified(losses, probabilities(found.x[:-1]), probabilities(-found.ineqlin.marginals))
    if solution.high - solution.low > TOLERANCE * scale:
        raise ArithmeticError(f"primal and dual values differ: {solution.high} and {solution.low}")
    return solution


def certified(losses: np.ndarray, mixture: np.ndarray, inputs: np.ndarray) -> Solution:
    """What two mixtures prove about a game, wherever they come from."""
    return Solution(mixture, inputs, float((losses @ inputs).min()), float((mixture @ losses).max()))


def probabilities(weights: np.ndarray) -> np.ndarray:
    """A solver's answer without its rounding: nothing below 0, a sum of 1."""
    weights = np.clip(weights, 0, None)
    return weights / weights.sum()


def best_small_mixtures(losses, most: int) -> list[float]:
    """Worst case of the best mixture of 1, 2, ... most rows, added one by one where they help most: upper bounds."""
    losses = matrix(losses)
    chosen, left, values = [], list(range(len(losses))), []
    while left and len(chosen) < most:
        worst = [solve(losses[[*chosen, row]]).high for row in left]
        values.append(min(worst))
        chosen.append(left.pop(int(np.argmin(worst))))
    return values


def pure(losses) -> tuple[float, int]:
    """The least worst case of a single strategy, and the first strategy that has it, by enumeration."""
    worst = matrix(losses).max(1)
    return float(worst.min()), int(worst.argmin())


def mixing_begins(losses, most: float = 500.0) -> float:
    """The q from 1 up to which some single strategy has the least q-norm of all mixtures, by bisection, to 1e-6.

    A strategy is best if no part of the gradient there is below its own norm. Raises BadInput as relaxed does.
    """
    losses = non_negative(losses)

    def pure_is_best(q: float) -> bool:
        norms = [q_norm(row, q) for row in losses]
        value, slope = gradient(losses, np.eye(len(losses))[int(np.argmin(norms))], q)
        return value - slope.min() <= 1e-9 * value

    low, high = 1.0, most
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if pure_is_best(middle) else (low, middle)
    return high


def non_negative(losses) -> np.ndarray:
    """matrix, of losses that a q-norm can be taken of. Raises BadInput for others."""
    losses = matrix(losses)
    if losses.min() < 0:
        raise BadInput("losses: a q-norm needs losses of at least 0")
    return losses


@dataclass(frozen=True)
class Relaxed:
    """A mixture that minimises the q-norm over inputs of its mean loss: no mixture has less than low, it has value."""

    mixture: np.ndarray
    value: float
    low: float


def q_norm(mean_losses: np.ndarray, q: float) -> float:
    """(E_x (E_r L)^q)^(1/q), equation 4, of mean losses over seeds (inputs,), with inputs drawn uniformly."""
    largest = mean_losses.max()
    return float(largest * np.mean((mean_losses / largest) ** q) ** (1 / q)) if largest > 0 else 0.0


def relaxed(losses, q: float) -> Relaxed:
    """The mixture with the least q-norm, q >= 1, of non-negative losses. Raises BadInput for others.

    L_q is convex in the mixture and homogeneous, so its gradient g at any mixture bounds it: no mixture has less than
    min g. That bound and the value reached are returned; their gap is the error.
    """
    losses = non_negative(losses)
    at_least("q", q, 1.0)
    losses, scale = losses / max(losses.max(), np.finfo(float).tiny), losses.max()
    average, even = np.eye(len(losses))[losses.mean(1).argmin()], np.full(len(losses), 1 / len(losses))
    ends = (descend(losses, q, mixture) for mixture in (average, solve(losses).mixture, even))
    best = min(ends, key=lambda found: found.value)
    return Relaxed(best.mixture, best.value * scale, best.low * scale)


def gradient(losses: np.ndarray, mixture: np.ndarray, q: float) -> tuple[float, np.ndarray]:
    """L_q of a mixture and its gradient (strategies,); (0, zeros) where nothing is lost."""
    means = mixture @ losses
    value = q_norm(means, q)
    if value == 0:
        return 0.0, np.zeros(len(losses))
    return value, losses @ ((means / value) ** (q - 1)) / losses.shape[1]


def descend(losses: np.ndarray, q: float, mixture: np.ndarray) -> Relaxed:
    """From one mixture to the least q-norm, with the logarithm of it, which large q bends less."""

    def objective(weights: np.ndarray) -> tuple[float, np.ndarray]:
        weights = np.clip(weights, 0, None)
        value, slope = gradient(losses, weights, q)
        return np.log(max(value, 1e-300)), slope / max(value, 1e-300)

    found = minimize(
        objective,
        mixture,
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * len(mixture),
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        options={"ftol": 1e-15, "maxiter": 500},
    )
    ends = [probabilities(weights) for weights in (mixture, found.x) if np.isfinite(weights).all()]
    values = [(*gradient(losses, weights, q), weights) for weights in ends]
    value, slope, weights = min(values, key=lambda end: end[0])
    return Relaxed(weights, value, float(slope.min()))


Distribution = list[tuple[Any, float]]  # of strategies or inputs, with their probabilities


def double_oracle(
    strategies: list,
    inputs: list,
    loss: Callable[[Any, Any], float],
    best_strategies: Callable[[Distribution], tuple[float, list]],
    best_input: Callable[[Distribution], tuple[float, Any]],
) -> tuple[Solution, list, list]:
    """Solve a game too large to write down, from a few strategies and inputs: (solution, strategies, inputs) used.

    best_strategies(distribution of inputs) is (least mean loss of any strategy, strategies to add, one of them the
    best); best_input(distribution of strategies) is (largest mean loss, input). Both must be exact: they prove the
    bounds low and high of the solution.
    """
    rows, columns = list(strategies), list(inputs)
    losses = np.array([[loss(row, column) for column in columns] for row in rows], dtype=float)
    while True:
        solution = solve(losses)
        low, answers = best_strategies(list(zip(columns, solution.inputs, strict=True)))
        high, attack = best_input(list(zip(rows, solution.mixture, strict=True)))
        if high - low <= TOLERANCE * np.abs(losses).max():
            return Solution(solution.mixture, solution.inputs, low, high), rows, columns
        new_rows = [row for row in answers if row not in rows]
        new_columns = [attack] if attack not in columns else []
        if not new_rows and not new_columns:
            raise ArithmeticError(f"no better answer is new, yet the bounds differ: {low} and {high}")
        rows, columns = rows + new_rows, columns + new_columns
        losses = np.array([[loss(row, column) for column in columns] for row in rows], dtype=float)
