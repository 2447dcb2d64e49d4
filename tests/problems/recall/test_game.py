import numpy as np
import pytest

from randformer.exact import games
from randformer.harness.checks import BadInput
from randformer.problems.recall import game as games_recall


@pytest.mark.parametrize(
    ("pairs", "slots", "values"), [(2, 1, 2), (5, 2, 4), (6, 5, 3), (4, 4, 2), (3, 0, 4), (4, 2, 1)]
)
def test_the_program_agrees_with_the_closed_form(pairs, slots, values):
    losses = games_recall.losses(pairs, slots, values)
    assert games.solve(losses).value == pytest.approx(games_recall.mixed(pairs, slots, values), abs=1e-9)
    assert games.pure(losses)[0] == games_recall.pure(pairs, slots, values)


def test_both_uniform_distributions_prove_the_value():
    losses = games_recall.losses(7, 3, 4)
    assert losses.shape == (35 * 4, 7 * 4)
    assert np.ptp(losses.mean(0)) == pytest.approx(0)
    assert np.ptp(losses.mean(1)) == pytest.approx(0)


def test_many_numbers_of_pairs_at_once():
    assert games_recall.mixed(np.array([10, 20]), 10, 32) == pytest.approx([0, 0.5 * 31 / 32])
    with pytest.raises(BadInput, match="pairs = 0"):
        games_recall.mixed(0, 10, 32)
    with pytest.raises(BadInput, match="slots = -2"):
        games_recall.mixed(3, -2, 32)


@pytest.mark.parametrize(
    ("sizes", "told"), [((0, 0, 2), "pairs = 0"), ((3, 4, 2), "slots = 4"), ((3, 1, 0), "values = 0")]
)
def test_impossible_sizes_are_refused(sizes, told):
    with pytest.raises(BadInput, match=told):
        games_recall.losses(*sizes)
