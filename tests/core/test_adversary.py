from types import SimpleNamespace

import numpy as np
import pytest
import torch

from helpers import tiny, tiny_recall
from randformer.core import adversary
from randformer.core.adversary import (
    evaluate,
    score_at_percentile,
    summary,
)
from randformer.core.runs import NetworkRun
from randformer.core.training import begin
from randformer.core.votes import WAYS

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
        found = summary([success, success])
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


@pytest.mark.parametrize("m", [3, 20, 100])
@pytest.mark.parametrize("percentile", [0.95, 1.0])
def test_the_bracket_holds_the_truth(m, percentile):
    """Success drawn from a known distribution, seen on m seeds a side: where m is large, so does a single point."""
    generator, mean, std = np.random.default_rng(1), 0.4, 0.1
    total = mean * (1 - mean) / std**2 - 1
    truth = generator.beta(mean * total, (1 - mean) * total, 40_000)
    sides = list(generator.binomial(m, truth, (2, len(truth))) / m)
    low, high = adversary.bracket(sides, sides, percentile)
    expected = score_at_percentile(truth, truth, percentile)
    assert low - 0.01 <= expected <= high + 0.01
    votes = list(generator.binomial(adversary.GROUPS, truth, (2, len(truth))) / adversary.GROUPS)
    assert summary(votes)["percentile95"] == pytest.approx(np.quantile(truth, 0.05), abs=0.01)


def test_the_point_between_stays_in_its_bracket():
    """Where few inputs fail, the 95th percentile lies above the mean, and the formula has nothing to say."""
    assert adversary.agreed(0.9, 0.95, 1.0) == 0.95
    assert adversary.agreed(0.9, 0.85, 1.0) == 0.9
    assert adversary.agreed(0.5, 0.2, 0.2) == pytest.approx(0.2)
    assert adversary.agreed(0.5, 0.1, 0.4) == pytest.approx(0.3)


def test_a_band_averages_over_neighbouring_ranks():
    values = np.arange(1001.0)
    assert score_at_percentile(values, values, 0.95, band=0.01) == pytest.approx(50)
    assert score_at_percentile(values, values, 1.0, band=0.01) == pytest.approx(5)


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
    assert found["success"]["average"] == pytest.approx(mean, abs=5e-3)  # the histogram's bars are a point wide
    assert found["success"]["worst"] <= found["success"]["percentile95"] <= found["success"]["average"]
    assert found["loss"]["percentile95"] >= found["loss"]["average"] > 0
    assert sum(found["worst_input"]["counts"]) == adversary.WORST_SEEDS
    assert {f"{way}{k}" for way in (*WAYS, "retry") for k in (5, 30)} < set(found)
    assert found["seeds"] == 3000
    assert found == evaluated(tiny())  # and the same when repeated


def test_a_random_memory_is_measured_on_all_queries_and_values():
    found = evaluated(tiny_recall())
    assert found["inputs"] == 16 * 4 * 4
    assert found["success"]["average"] == pytest.approx(np.mean(found["keys"]), abs=1e-4)
    assert 0 < found["variance"] < 0.25
    assert len(found["held"]) == found["seeds"] == 2 ** tiny_recall().task.seed_bits  # every seed there is
    assert found["success"]["bracket"]["worst"] == [found["success"]["worst"]] * 2  # and so nothing is estimated
    assert {name: sum(counts) for name, counts in found["votes"].items()} == dict.fromkeys(
        (f"{way}{k}" for k in (5, 30) for way in ("majority", "parts", "probabilities", "logits")), found["inputs"]
    )
    assert found["cells"]["success"]["percentile95"] >= found["success"]["percentile95"]  # a mean over memories
    assert set(found["cells"]) == {"success", *found["votes"]}
    fixed = evaluated(tiny_recall(fixed=True))
    assert fixed["variance"] == 0
    assert set(fixed["cells"]) == {"success"}


@pytest.mark.parametrize("run", [tiny(), tiny_recall()])
def test_the_best_fixed_seed_is_compared_with_random_ones(run):
    state = begin(run, CPU)
    best, mean = adversary.fixed_and_random(run, state.parameters * 3)["same inputs"]
    assert 0 < best < mean
    assert (best, mean) == adversary.fixed_and_random(run, state.parameters * 3)["same inputs"]
    best, mean = adversary.fixed_and_random(run, state.parameters * 0)["same inputs"]  # deaf to its seed
    assert best == pytest.approx(mean)


def test_a_fixed_seed_is_tried_on_inputs_that_did_not_choose_it():
    """Seed 3 is by far the best on the first half, and bad on the second; where no inputs can be drawn it is not."""
    losses = torch.ones(8, 40)
    losses[3, :20], losses[3, 20:] = 0, 1.5
    drawn = {"draw_inputs": lambda *_: torch.zeros(1), "draw_seeds": lambda m, batch, _: torch.zeros(m)}

    def found(n: int) -> dict:
        task = SimpleNamespace(n=n, losses=lambda *_: losses.unsqueeze(0), **drawn)
        return adversary.fixed_and_random(SimpleNamespace(run_index=0, network=None, task=task), None, seeds=4)

    assert found(2) == {"same inputs": (0.75, 1.0), "other inputs": (1.5, 1.0)}
    assert found(3) == {"same inputs": (0.75, 1.0)}  # 60 asked for, and there are 40


def test_cells_are_means_over_their_inputs():
    assert adversary.over_groups(np.array([0, 1, 0, 1]), np.array([0.0, 1.0, 1.0, 1.0])).tolist() == [0.5, 1]
