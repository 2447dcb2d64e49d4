import numpy as np
import pytest
import torch

from helpers import tiny, tiny_recall
from randformer.core import adversary as evaluation
from randformer.core.adversary import (
    bootstrap,
    evaluate,
    majority,
    score_at_percentile,
    success_by_votes,
    summary,
    vote_success,
    worst_input,
)
from randformer.core.runs import NetworkRun
from randformer.core.training import begin

CPU = torch.device("cpu")


def test_the_95th_percentile_of_badness_is_the_5th_of_success():
    success = np.arange(101) / 100
    assert score_at_percentile(success, success, 0.95) == 0.05
    assert score_at_percentile(success, success, 1.0) == 0
    assert score_at_percentile(success, success, 0.0) == 1
    assert score_at_percentile(success, success, 0.5) == 0.5


def test_less_than_five_percent_of_failures_do_not_reach_the_percentile():
    for share, expected in ((0.04, 1.0), (0.06, 0.0)):
        success = (np.arange(1000) >= 1000 * share).astype(float)
        found = summary(success, success)
        assert found["percentile95"] == expected
        assert found["worst"] == 0
        assert found["zero_share"] == pytest.approx(share)


def test_inputs_are_chosen_on_one_set_of_seeds_and_scored_on_another():
    """All inputs are alike, right half of the time: the worst is only unlucky, and scores one half on new seeds."""
    generator = np.random.default_rng(0)
    choose, score = generator.binomial(100, 0.5, (2, 20_000)) / 100
    assert score_at_percentile(choose, choose, 1.0) < 0.35
    assert score_at_percentile(choose, score, 1.0) == pytest.approx(0.5, abs=0.1)
    assert score_at_percentile(choose, score, 0.95) == pytest.approx(0.5, abs=0.01)


def test_a_band_averages_over_neighbouring_ranks():
    values = np.arange(1001.0)
    assert score_at_percentile(values, values, 0.95, band=0.01) == pytest.approx(50)
    assert score_at_percentile(values, values, 1.0, band=0.01) == pytest.approx(5)


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


def evaluated(run: NetworkRun) -> dict:
    state = begin(run, CPU)
    return evaluate(run, state.parameters * 3, state.seed[0] if run.objective.fixed_seed else None)


def test_a_fixed_seed_answers_always_the_same():
    found = evaluated(tiny(fixed=True))
    assert found["inputs"] == 60
    assert found["histogram"][0] + found["histogram"][-1] == 60
    assert found["success"]["zero_share"] == pytest.approx(found["histogram"][0] / 60)
    assert 0 <= found["sampled"]["average"] <= 1
    assert "majority5" not in found


def test_random_seeds_are_scored_counted_and_voted_on():
    found = evaluated(tiny())
    assert sum(found["histogram"]) == 60
    mean = sum(i * count for i, count in enumerate(found["histogram"])) / 60 / 100
    assert found["success"]["average"] == pytest.approx(mean, abs=1e-5)
    assert found["success"]["worst"] <= found["success"]["percentile95"] <= found["success"]["average"]
    assert found["loss"]["percentile95"] >= found["loss"]["average"] > 0
    assert sum(found["worst_input"]["counts"]) == evaluation.WORST_SEEDS
    assert {"majority5", "majority30"} < set(found)
    assert found == evaluated(tiny())  # and the same when repeated


def test_a_random_memory_is_measured_on_all_queries_and_values():
    found = evaluated(tiny_recall())
    assert found["inputs"] == 64 * 4 * 4
    assert found["success"]["average"] == pytest.approx(np.mean(found["keys"]), abs=1e-4)
    assert 0 < found["variance"] < 0.25
    assert len(found["held"]) == found["seeds"] == evaluation.SEEDS
    assert {name: sum(counts) for name, counts in found["votes"].items()} == dict.fromkeys(
        ("majority5", "bitwise5", "majority30", "bitwise30"), found["inputs"]
    )
    assert found["cells"]["success"]["percentile95"] >= found["success"]["percentile95"]  # a mean over memories
    assert set(found["cells"]) == {"success", *found["votes"]}
    fixed = evaluated(tiny_recall(fixed=True))
    assert fixed["variance"] == 0
    assert set(fixed["cells"]) == {"success"}


@pytest.mark.parametrize("run", [tiny(), tiny_recall()])
def test_the_best_fixed_seed_is_compared_with_random_ones(run):
    state = begin(run, CPU)
    best, mean = evaluation.fixed_and_random(run, state.parameters * 3)
    assert 0 < best < mean
    assert (best, mean) == evaluation.fixed_and_random(run, state.parameters * 3)
    best, mean = evaluation.fixed_and_random(run, state.parameters * 0)  # deaf to its seed
    assert best == pytest.approx(mean)


def test_cells_are_means_over_their_inputs():
    assert evaluation.over_groups(np.array([0, 1, 0, 1]), np.array([0.0, 1.0, 1.0, 1.0])).tolist() == [0.5, 1]


def test_the_interval_of_one_run_is_unknown_and_of_equal_runs_a_point():
    assert all(np.isnan(bootstrap([3.0])))
    assert bootstrap([3.0, 3.0, 3.0]) == (3, 3)


def test_the_interval_is_the_one_of_the_resampled_mean():
    """Two runs at 0 and 1: a resample's mean is 0, 1/2, 1 with odds 1:2:1. Many runs: mean +- 1.96 standard errors."""
    assert bootstrap([0.0, 1.0]) == (0, 1)
    assert bootstrap([0.0, 1.0], confidence=0.4) == (0.5, 0.5)
    values = np.random.default_rng(1).normal(5, 2, 400)
    low, high = bootstrap(values.tolist())
    assert low == pytest.approx(values.mean() - 1.96 * values.std() / 20, abs=0.02)
    assert high == pytest.approx(values.mean() + 1.96 * values.std() / 20, abs=0.02)
