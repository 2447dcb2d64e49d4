import numpy as np
import pytest

from randformer.core.votes import votes_promised
from randformer.exact import games, propositions
from randformer.harness.checks import BadInput


def test_the_condition_by_definition():
    assert propositions.condition(np.array([[1, 0], [0, 1]]))
    assert not propositions.condition(np.array([[1, 0], [1, 0]]))  # a common worst input
    assert not propositions.condition(np.array([[1, 0], [0, 2]]))  # only one best strategy
    assert propositions.condition(np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]]))  # common to two, not to all three
    assert not propositions.condition(np.array([[1, 0, 1], [0, 1, 1], [1, 1, 1]]))  # the last input


def test_random_games_meet_it_and_mixing_is_strictly_better():
    drawn = propositions.random_games(200, 4, 5, 3, np.random.default_rng(1))
    assert drawn.shape == (200, 4, 5)
    gains = propositions.uniform_gain(drawn)
    assert (gains > 0).all()
    for losses, gain in zip(drawn[:40], gains[:40], strict=True):
        worst = losses.max(1)
        best = losses[worst == worst.min()]
        assert gain == pytest.approx(worst.min() - best.mean(0).max())
        assert games.solve(losses).value <= worst.min() - gain + 1e-9


def test_promised_votes_are_those_of_proposition_2():
    assert votes_promised(0.1, 31, 0.01) == int(2 / 0.01 * np.log(3100)) + 1
    generator = np.random.default_rng(0)
    assert propositions.elections(0.2, 3, votes_promised(0.2, 3, 0.01), 2000, generator) >= 0.99
    assert propositions.votes_needed(0.2, 3, 0.01, 2000, generator) <= votes_promised(0.2, 3, 0.01)


def test_two_answers_vote_as_coins_fall():
    alone = propositions.elections(0.4, 1, 1, 200_000, np.random.default_rng(0))
    assert alone == pytest.approx(0.7, abs=0.005)
    three = propositions.elections(0.4, 1, 3, 200_000, np.random.default_rng(0))
    assert three == pytest.approx(0.7**3 + 3 * 0.7**2 * 0.3, abs=0.005)


def test_what_equation_5_sees_has_its_limits_in_closed_form():
    losing = np.array([0.0, 0.3, 1.0])
    assert propositions.estimated(losing, 1, 4) == pytest.approx((1.3 / 3) ** 0.25)
    assert propositions.estimated(losing, 10, 1) == pytest.approx(1.3 / 3)
    assert propositions.estimated(losing, 5000, 2) == pytest.approx(games.q_norm(losing, 2), abs=1e-3)
    second_moment = 0.3 * 0.7 / 10 + 0.09
    assert propositions.estimated(np.array([0.3]), 10, 2) == pytest.approx(np.sqrt(second_moment))


def test_batches_have_the_expectation_that_is_summed_but_smaller_norms():
    losing = np.array([0.2, 0.5, 0.9])
    exact = propositions.estimated(losing, 4, 5)
    for n in (1, 3, 10):
        norms = propositions.in_batches(losing, n, 4, 5, 20_000, np.random.default_rng(0))
        assert np.mean(norms**5) == pytest.approx(exact**5, rel=0.03)
        assert norms.mean() < exact


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: propositions.estimated(np.array([0.5]), 0, 2), "m = 0"),
        (lambda: propositions.estimated(np.array([0.5]), 3, 0.5), "q = 0.5"),
        (lambda: propositions.estimated(np.array([3.0]), 3, 2), "losing: give probabilities"),
        (lambda: propositions.in_batches(np.array([0.5]), 0, 3, 2, 1, None), "n = 0"),
        (lambda: votes_promised(0, 3, 0.01), "gap = 0"),
        (lambda: votes_promised(0.1, 3, 2), "failure = 2"),
        (lambda: votes_promised(0.1, 0, 0.01), "wrong = 0"),
        (lambda: propositions.random_games(1, 1, 3, 3, None), "strategies = 1"),
        (lambda: propositions.random_games(1, 3, 3, 1, None), "levels = 1"),
    ],
)
def test_impossible_sizes_are_refused(wrong, told):
    with pytest.raises(BadInput, match=told):
        wrong()
