import numpy as np
import pytest

from randformer.exact import games
from randformer.harness.checks import BadInput
from randformer.problems.skirental import game


@pytest.mark.parametrize("price", [1, 2, 3, 5, 10, 20])
def test_closed_forms_are_the_values_of_the_game(price):
    losses = game.losses(price)
    assert games.pure(losses)[0] == pytest.approx(game.best_deterministic(price))
    assert games.pure(losses)[1] + 1 == price or price == 1
    solution = games.solve(losses)
    assert solution.low == pytest.approx(game.best_randomized(price), rel=1e-8)
    assert solution.high == pytest.approx(game.best_randomized(price), rel=1e-8)


@pytest.mark.parametrize("price", [1, 2, 5, 10, 20])
def test_the_best_distribution_is_equally_bad_on_every_day(price):
    days = game.best_days(price)
    assert days.sum() == pytest.approx(1)
    assert game.ratios(days, price) == pytest.approx(game.best_randomized(price))


def test_known_numbers():
    assert game.best_deterministic(10) == pytest.approx(1.9)
    assert game.best_randomized(10) == pytest.approx(1.5353, abs=1e-4)
    assert game.best_randomized(10**6) == pytest.approx(np.e / (np.e - 1), rel=1e-5)


def test_costs_are_counted_by_hand():
    losses = game.losses(3)
    assert losses.shape == (7, 6)
    for buying in range(1, 8):
        for days in range(1, 7):
            paid = sum(1 for day in range(1, days + 1) if day < buying) + (3 if buying <= days else 0)
            assert losses[buying - 1, days - 1] == paid / min(days, 3)


@pytest.mark.parametrize("asked", [game.horizon, game.losses, game.best_deterministic, game.best_randomized])
def test_a_price_below_1_is_refused(asked):
    with pytest.raises(BadInput, match=r"^B \(price\) = 0: give a whole number, at least 1$"):
        asked(0)
