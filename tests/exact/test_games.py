import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq

from randformer.exact import games
from randformer.harness.checks import BadInput

RPS = np.array([[0.5, 1, 0], [0, 0.5, 1], [1, 0, 0.5]])
LOSSES = arrays(float, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(0, 6))


def test_values_in_closed_form():
    assert games.solve(RPS).value == pytest.approx(0.5)
    assert games.solve(1 - np.eye(4)).value == pytest.approx(3 / 4)
    (a, b), (c, d) = two_by_two = [[3.0, 0.0], [1.0, 2.0]]  # no saddle point
    solution = games.solve(two_by_two)
    assert solution.value == pytest.approx((a * d - b * c) / (a + d - b - c))
    assert solution.mixture == pytest.approx([0.25, 0.75])
    assert solution.inputs == pytest.approx([0.5, 0.5])


@settings(deadline=None)
@given(LOSSES)
def test_both_sides_of_a_certificate_meet_below_the_pure_value(losses):
    solution = games.solve(losses)
    assert (solution.mixture @ losses).max() == pytest.approx((losses @ solution.inputs).min(), abs=1e-8)
    best = min(max(row) for row in losses)
    assert games.pure(losses)[0] == best
    assert losses[games.pure(losses)[1]].max() == best
    assert solution.low <= best + 1e-9


@settings(deadline=None)
@given(LOSSES, st.randoms(use_true_random=False))
def test_order_and_scale_do_not_matter(losses, random):
    rows = random.sample(range(len(losses)), len(losses))
    assert games.solve(3 * losses[rows] + 1).value == pytest.approx(3 * games.solve(losses).value + 1)


def test_a_wrong_mixture_proves_only_a_gap():
    solution = games.certified(RPS, np.array([1.0, 0, 0]), np.full(3, 1 / 3))
    assert (solution.low, solution.high) == (pytest.approx(0.5), 1.0)


@pytest.mark.parametrize(
    ("losses", "told"),
    [
        ([], "losses of shape (0,): give at least one strategy (row) and one input (column)"),
        ([[]], "losses of shape (1, 0): give at least one strategy (row) and one input (column)"),
        ([[1, 2], [3]], "losses: give a matrix of numbers, all of its rows equally long"),
        ([["a"]], "losses: give a matrix of numbers, all of its rows equally long"),
        ([[1, np.nan]], "losses: every one must be finite"),
        ([[1, np.inf]], "losses: every one must be finite"),
    ],
)
def test_what_is_no_game_is_refused(losses, told):
    with pytest.raises(BadInput) as error:
        games.solve(losses)
    assert str(error.value) == told


@pytest.mark.parametrize("q", [1, 1.5, 2, 10, 100, 500])
def test_the_minimum_of_a_q_norm_has_a_small_gap_and_no_grid_point_below(q):
    losses = np.array([[0.2, 0.9, 0.4], [0.8, 0.3, 0.5], [0.6, 0.6, 0.7]])
    found = games.relaxed(losses, q)
    assert found.low <= found.value <= found.low + 1e-6
    steps = range(21)
    grid = [(i, j, 20 - i - j) for i, j in itertools.product(steps, steps) if i + j <= 20]
    assert found.low <= min(games.q_norm(np.array(point) / 20 @ losses, q) for point in grid)
    assert games.q_norm(found.mixture @ losses, q) == pytest.approx(found.value)


def test_the_q_norm_goes_from_the_average_to_the_worst_case():
    means = np.array([0.1, 0.5, 0.3])
    assert games.q_norm(means, 1) == pytest.approx(0.3)
    assert games.q_norm(means, 2) == pytest.approx(np.sqrt(0.35 / 3))
    assert games.q_norm(means, 1e4) == pytest.approx(0.5, rel=1e-3)
    assert games.q_norm(np.zeros(3), 7) == 0
    assert games.relaxed(RPS, 500).value == pytest.approx(games.solve(RPS).value)


def test_a_gradient_agrees_with_differences():
    mixture, step = np.array([0.3, 0.3, 0.4]), 1e-6
    losses = RPS + np.array([[0.1], [0.2], [0.0]])
    _, slope = games.gradient(losses, mixture, 7)
    for i, change in enumerate(np.eye(3) * step):
        ends = [games.q_norm((mixture + sign * change) @ losses, 7) for sign in (1, -1)]
        assert slope[i] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)


@pytest.mark.parametrize(("losses", "q", "told"), [(RPS, 0.5, "q = 0.5"), (RPS - 1, 2, "at least 0")])
def test_what_has_no_q_norm_is_refused(losses, q, told):
    with pytest.raises(BadInput, match=told):
        games.relaxed(losses, q)


def test_the_double_oracle_finds_the_value_of_a_game_written_down():
    losses = np.random.default_rng(3).integers(0, 10, (30, 25)).astype(float)

    def best_strategies(inputs):
        means = sum(chance * losses[:, column] for column, chance in inputs)
        return float(means.min()), [int(means.argmin())]

    def best_input(mixture):
        means = sum(chance * losses[row] for row, chance in mixture)
        return float(means.max()), int(means.argmax())

    solution, rows, columns = games.double_oracle(
        [0], [0], lambda row, column: losses[row, column], best_strategies, best_input
    )
    assert solution.value == pytest.approx(games.solve(losses).value)
    assert len(rows) < 30
    assert len(set(columns)) == len(columns)


def test_where_mixing_begins():
    assert games.mixing_begins(RPS) == pytest.approx(1, abs=1e-5)
    one, other = np.array([0.9, 0.1]), np.array([0.3, 0.8])  # one is better on average
    exact = brentq(lambda q: (one ** (q - 1) * (one - other)).sum(), 1, 2)  # where other starts to lower one's norm
    assert games.mixing_begins([one, other]) == pytest.approx(exact, abs=1e-5)
    assert games.relaxed([one, other], exact - 0.01).mixture == pytest.approx([1, 0], abs=1e-6)
    assert games.relaxed([one, other], exact + 0.01).mixture[1] > 1e-3


def test_an_oracle_that_overstates_is_found_out():
    with pytest.raises(ArithmeticError, match="bounds differ"):
        games.double_oracle([0], [0], lambda row, column: 1.0, lambda inputs: (0.0, [0]), lambda mixture: (1.0, 0))


def test_a_few_rows_go_from_the_best_single_one_to_the_best_mixture():
    losses = np.random.default_rng(0).random((12, 8))
    values = games.best_small_mixtures(losses, 12)
    assert values[0] == games.pure(losses)[0]
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(games.solve(losses).value)
    assert len(games.best_small_mixtures(losses, 3)) == 3
