import numpy as np
import pytest

from randformer.core.votes import (
    failure_bound,
    majority,
    success_by_votes,
    vote_success,
    votes_promised,
    worst_input,
)


def test_majority_is_the_mode_and_the_first_among_equals():
    answers = np.array([[1, 5, 7], [2, 5, 8], [2, 6, 9], [1, 6, 9]])
    assert majority(answers).tolist() == [1, 5, 9]
    assert majority(answers[::-1]).tolist() == [1, 6, 9]
    assert majority(answers[:1]).tolist() == [1, 5, 7]


class Even:
    """A reader for which even answers are right."""

    def right(self, answers, inputs=slice(None)):
        return np.asarray(answers) % 2 == 0

    def answers_to(self, index, parameters, seeds):
        return np.array([4, 4, 4, 1, 1, 2])


def test_votes_are_taken_in_disjoint_groups_and_leftover_seeds_are_not_used():
    answers = np.array([[2], [2], [1], [1], [1], [2], [1]])
    assert vote_success(Even(), answers, 3).tolist() == [0.5]
    assert vote_success(Even(), answers, 1).tolist() == [pytest.approx(3 / 7)]


def test_a_vote_makes_the_more_frequent_answer_surer():
    """60 % right against 40 % wrong: majority(k) tends to 1, as the binomial distribution says."""
    answers = np.where(np.random.default_rng(0).random((99, 4000)) < 0.6, 0, 1)
    rates = [vote_success(Even(), answers, k).mean() for k in (1, 3, 11, 99)]
    assert rates[0] == pytest.approx(0.6, abs=0.01)
    assert rates[1] == pytest.approx(0.648, abs=0.01)  # 0.6^3 + 3 0.6^2 0.4
    assert rates[2] == pytest.approx(0.7535, abs=0.01)
    assert rates[3] > 0.97


def test_the_votes_promised_are_the_fewest_that_the_bound_allows():
    for gap, wrong, failure in ((0.05, 31, 0.01), (0.4, 1, 0.2), (1.0, 3, 0.5)):
        k = votes_promised(gap, wrong, failure)
        assert failure_bound(gap, wrong, k) <= failure < failure_bound(gap, wrong, k - 1)


def test_the_worst_input_is_described_by_its_answers():
    described = worst_input(Even(), None, None, 3)
    assert described == {"index": 3, "counts": [3, 2, 1], "right": [True, False, True]}


def test_spending_seeds_on_one_input():
    worst = {"counts": [60, 40], "right": [True, False]}
    found = success_by_votes(worst, (1, 3, 1000), wrong_answers=1, votes=40_000)
    assert found["majority(k)"] == pytest.approx([0.6, 0.648, 1.0], abs=0.01)
    assert found["retry until valid"] == pytest.approx([0.6, 1 - 0.4**3, 1.0])
    assert found["bound of Proposition 2"] == pytest.approx([1 - np.exp(-0.02), 1 - np.exp(-0.06), 1.0], abs=1e-6)
    assert all(b <= v + 0.01 for b, v in zip(found["bound of Proposition 2"], found["majority(k)"], strict=True))


def test_a_vote_that_the_wrong_answer_wins_has_no_bound():
    found = success_by_votes({"counts": [60, 20, 20], "right": [False, True, True]}, (30,), wrong_answers=1)
    assert found["majority(k)"][0] < 0.05
    assert found["bound of Proposition 2"] == [0]
    assert found["retry until valid"][0] > 0.99
    assert success_by_votes({"counts": [5], "right": [False]}, (9,), 1)["retry until valid"] == [0]
    assert success_by_votes({"counts": [5], "right": [True]}, (9,), 1)["majority(k)"] == [1]
