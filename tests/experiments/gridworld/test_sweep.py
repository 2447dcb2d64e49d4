from math import inf

import pytest

from randformer.experiments.gridworld.sweep import NETWORK, SIZES, resized
from randformer.experiments.gridworld.sweep import runs as gridworld
from randformer.harness.checks import BadInput


def test_the_paper_profile_is_table_3():
    parts = gridworld("paper")
    runs = [run for part in parts.values() for run in part]
    assert {(r.training.steps, r.training.batch, r.training.learning_rate, r.training.std) for r in runs} == {
        (25_000, 300, 0.01, 0.03)
    }
    assert {(r.task.n, r.task.episode) for r in parts["models"]} == {(5, 25)}
    assert {(r.network.width, r.network.layers, r.network.heads, r.network.key_size) for r in runs} == {(80, 2, 4, 10)}
    assert {r.objective.m for r in parts["m"]} == {1, 5, 10, 20}
    assert all(sum(r.objective == s.objective for s in parts["models"]) == 5 for r in parts["models"])


def test_the_laptop_profile_has_the_papers_grid_episodes_seeds_and_adversary():
    parts = gridworld("laptop")
    assert {(r.task.n, r.task.episode) for r in parts["models"] + parts["m"]} == {(5, 25)}
    assert {r.objective.name for r in parts["models"]} == {"A_R^E", "A_R^q", "A_r0^E", "A_r0^q"}
    assert {r.objective.q for r in parts["models"]} == {1, 10, inf}
    assert {r.objective.q for r in parts["m"]} == {inf}
    assert {r.objective.m for r in parts["m"]} == {1, 5, 10, 20}


def test_what_a_claim_stands_on_has_three_runs():
    parts = gridworld("laptop")
    for part, q, m in (("models", 1, 10), ("models", inf, 10), ("m", inf, 1), ("m", inf, 10)):
        model = [r for r in parts[part] if (r.objective.q, r.objective.m, r.objective.fixed_seed) == (q, m, False)]
        assert len(model) >= 3
    assert set(parts["m"]) & set(parts["models"])


def test_sizes_can_be_replaced():
    changed = {"cells": 4, "episode": 9, "m": 2, "width": 12, "heads": 3, "population": 6, "generations": 7}
    run = gridworld("smoke", **changed)["models"][0]
    assert (run.task.n, run.task.episode, run.objective.m, run.network.width, run.network.heads) == (4, 9, 2, 12, 3)
    assert (run.training.batch, run.training.steps) == (6, 7)
    assert gridworld("smoke", cells=SIZES["smoke"].task.n) == gridworld("smoke")


def test_a_key_keeps_its_share_of_the_width():
    assert resized(NETWORK, 80, 4) == NETWORK
    assert resized(NETWORK, 40, 4).key_size == 5
    assert resized(NETWORK, 80, 8).key_size == 5


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"profile": "tiny"}, "profile = 'tiny': give one of smoke, laptop, paper"),
        ({"cells": 1}, "n (cells a side) = 1: give a whole number, at least 2"),
        ({"episode": 0}, "episode (steps) = 0: give a whole number, at least 1"),
        ({"population": 1}, "population = 1: give a whole number, at least 2"),
        ({"population": 5}, "population = 5: candidates come in pairs, give an even number"),
        ({"m": 0}, "m = 0: give a whole number, at least 1"),
        ({"width": 15, "heads": 2}, "width = 15: not divisible by heads = 2, give a multiple of it"),
        ({"heads": 0}, "heads = 0: give a whole number, at least 1"),
        ({"generations": 0}, "generations = 0: give a whole number, at least 1"),
    ],
)
def test_impossible_sizes_are_refused(given, told):
    with pytest.raises(BadInput) as error:
        gridworld(**({"profile": "smoke"} | given))
    assert str(error.value) == told
