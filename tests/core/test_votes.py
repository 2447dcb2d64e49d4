import math

import numpy as np
import pytest
import torch
from scipy import stats

from randformer.core.votes import (
    KS,
    averaged,
    failure_bound,
    majority,
    outcomes,
    seeds_needed,
    success_by_votes,
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

    def probabilities_to(self, index, parameters, seeds):
        return torch.tensor([4, 4, 4, 1, 1, 2])

    def decided(self, probabilities):
        return probabilities.numpy()


class Pair(Even):
    """Two inputs, two binary probabilities of each: bits of the answer."""

    binary, checkable = True, True

    def answers(self, said):
        return ((said > 0.5) * torch.tensor([1, 2])).sum(-1).numpy()


def test_every_way_to_vote_on_one_example():
    """Three seeds say of one input 00 (even, right) once, 01 and 11 (odd) once each; averages tip bit 0 to zero."""
    said = torch.tensor([[[0.01, 0.4]], [[0.6, 0.4]], [[0.6, 0.6]]])
    found = outcomes(Pair(), said, (1, 3))
    assert found["success"].tolist() == [[True], [False], [False]]
    assert {name: right.tolist() for name, right in found.items() if name.endswith("3")} == {
        "majority3": [[True]],  # all answers are different: the first
        "parts3": [[False]],  # bit 0 is 1 in two of three
        "probabilities3": [[True]],  # its mean is 0.40
        "logits3": [[True]],
        "retry3": [[True]],
    }
    assert all(found[f"{way}1"].all() for way in ("majority", "parts", "probabilities", "logits", "retry"))


def test_equal_votes_of_parts_are_the_firsts():
    bits = torch.tensor([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]])
    assert (averaged("parts", bits, True) > 0.5).tolist() == [True, False, True, False]
    assert (averaged("parts", bits.flip(0), True) > 0.5).tolist() == [False, True, True, False]
    colors = torch.tensor([[0.1, 0.2, 0.7], [0.8, 0.1, 0.1]])
    assert averaged("parts", colors, False).argmax() == 2
    assert averaged("parts", colors.flip(0), False).argmax() == 0


def test_averaged_logits_are_those_of_the_network_but_for_a_constant():
    logits = torch.randn(7, 5, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        averaged("logits", logits.softmax(-1), False), logits.log_softmax(-1).mean(0).softmax(-1)
    )
    torch.testing.assert_close(averaged("logits", logits.sigmoid(), True), logits.mean(0).sigmoid())
    assert averaged("logits", torch.tensor([[0.0], [1.0]]), True).item() == pytest.approx(0.5, abs=0.02)


def test_the_mode_is_found_whatever_the_number_of_voters_and_inputs():
    answers = np.random.default_rng(0).integers(0, 4, (200, 5000)).astype(np.uint16)
    for k in (1, 2, 7, 30, 200):
        counts = np.stack([(answers[:k] == value).sum(0) for value in range(4)])
        elected = majority(answers[:k])
        assert np.array_equal(counts[elected, np.arange(5000)], counts.max(0))


def test_a_vote_makes_the_more_frequent_answer_surer():
    """60 % right against 40 % wrong: majority(k) tends to 1, as the binomial distribution says."""
    answers = np.where(np.random.default_rng(0).random((99, 200_000)) < 0.6, 0, 1)
    rates = [(majority(answers[:k]) == 0).mean() for k in (1, 3, 11, 99)]
    assert rates[:3] == pytest.approx([0.6, 0.648, 0.7535], abs=0.005)  # 0.648 = 0.6^3 + 3 0.6^2 0.4
    assert rates[3] > 0.97


def test_the_votes_promised_are_the_fewest_that_the_bound_allows():
    for gap, wrong, failure in ((0.05, 31, 0.01), (0.4, 1, 0.2), (1.0, 3, 0.5)):
        k = votes_promised(gap, wrong, failure)
        assert failure_bound(gap, wrong, k) <= failure < failure_bound(gap, wrong, k - 1)


def test_the_worst_input_is_described_by_its_answers():
    described = worst_input(Even(), None, None, 3)
    assert described == {"index": 3, "counts": [3, 2, 1], "right": [True, False, True]}


class Bit:
    """A reader of one binary probability, for which 0 is right."""

    binary, wrong_answers = True, 1

    def decided(self, said):
        return (said[..., 0] > 0.5).numpy().astype(int)

    def right(self, answers, index):
        return np.asarray(answers) == 0


def test_seeds_needed_are_the_fewest_that_are_right_often_enough():
    """Of ten seeds six say 0 for sure, and four 0.7: votes are binomial, and a mean is right up to 5 in 7 of those."""
    said = torch.tensor([[0.0]] * 6 + [[0.7]] * 4)
    found = seeds_needed(Bit(), said, 0)
    voted, tipped = (stats.binom.cdf([limit * k for k in KS], KS, 0.4) for limit in (0.5 - 1e-9, 5 / 7))
    expected = {"majority": voted, "parts": voted, "probabilities": tipped}
    for way, rates in expected.items():
        (at,) = np.flatnonzero(np.array(KS) == found[way])
        assert rates[at] > 0.98
        assert rates[at - 1] < 0.995
    assert found["logits"] <= found["probabilities"] <= 20 < 100 <= found["majority"]
    assert found["promised"] == votes_promised(0.2, 1, 0.01)


def test_no_number_of_seeds_helps_where_most_mislead():
    found = seeds_needed(Bit(), torch.tensor([[0.0]] * 4 + [[0.7]] * 6), 0)
    assert found["majority"] == found["parts"] == found["promised"] == math.inf
    assert found["probabilities"] < math.inf  # their mean is 0.42
    assert math.isnan(seeds_needed(Bit(), torch.tensor([[0.0]] * 1001 + [[1.0]] * 999), 0)["parts"])


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
