from collections import Counter
from dataclasses import replace

import pytest

from randformer.core.objective import Objective
from randformer.experiments.recall.sweep import FINALISTS, block
from randformer.experiments.recall.sweep import runs as recall
from randformer.harness.checks import BadInput


def test_the_paper_profile_is_table_1():
    runs = recall("paper")["size"] + recall("paper")["q"]
    assert {(r.training.steps, r.training.batch, r.task.queries) for r in runs} == {(30_000, 512, "one")}
    assert {r.objective.m for r in runs if not r.objective.fixed_seed} == {30}
    assert {r.task.n for r in runs} == {10, 11, 12, 14, 15, 16, 18, 20}
    assert all(sum(r.group == s.group and r.objective == s.objective for s in runs) == 5 for r in runs)
    training = runs[0].training
    assert (training.warmup, training.learning_rate, training.final_learning_rate, training.eps) == (
        2000,
        3e-3,
        3e-4,
        1e-5,
    )
    assert (training.beta1, training.beta2, training.clip, training.weight_decay) == (0.9, 0.95, 1.0, 0.0)


def test_the_laptop_profile_has_the_papers_recall_and_enough_runs_for_its_claims():
    parts = recall("laptop")
    runs = list(dict.fromkeys(parts["size"] + parts["q"] + parts["m"]))
    counts = Counter((r.task.n, r.objective) for r in runs)
    assert min(counts.values()) >= 2
    for n in (12, 20):
        for power in (1, 100):
            assert counts[n, Objective(power, 1, True)] >= 3
            assert counts[n, Objective(power, 30)] >= 3
    assert counts[20, Objective(100, 1, True)] == counts[20, Objective(100, 30)] == 5
    assert all(counts[15, Objective(power, 30)] >= 3 for power in (1, 2, 4, 32, 64, 100, 500))
    assert all(counts[15, Objective(100, m)] >= 3 for m in (1, 20, 30))
    assert {r.objective.q for r in parts["q"]} == {1, 2, 4, 8, 16, 32, 64, 100, 500}
    assert {r.objective.m for r in parts["m"]} == {1, 5, 10, 20, 30, 50}


def test_every_block_is_tried_at_every_n_and_named():
    runs = recall("laptop")["screening"]
    named = Counter((block(run), run.task.n) for run in runs)
    assert len({name for name, _ in named}) == 12
    assert {n for _, n in named} == {10, 11, 12, 14, 16, 20}
    assert set(named.values()) == {1}
    assert all(run.objective == Objective(1, 1, True) for run in runs)
    raw = next(run for run in runs if block(run) == "raw token")
    assert raw.network.width == 5 + raw.task.n + 10


def test_the_closest_blocks_are_trained_like_everything_else():
    parts = recall("laptop")
    named = Counter((block(run), run.task.n) for run in parts["final"])
    assert {name for name, _ in named} == set(FINALISTS)
    assert set(named.values()) == {2}
    fixed = {run for run in parts["size"] if run.objective == Objective(1, 1, True)}
    assert len(fixed & set(parts["final"])) == 2 * 6  # the block that was taken


def test_longer_and_other_trainings_differ_in_that_alone():
    parts = recall("laptop")
    known = set(parts["size"] + parts["m"])
    for run in parts["longer"]:
        shorter = replace(run, training=replace(run.training, steps=run.training.steps * 2 // 5))
        assert shorter in known
    for run in parts["one query"]:
        assert replace(run, task=replace(run.task, queries="all")) in known


def test_recall_sizes_can_be_replaced():
    runs = recall("smoke", pairs=5, memory=2, bits=3, seed_bits=4, q=7, m=2)
    every = [run for part in runs.values() for run in part]
    assert {(r.task.bits, r.task.seed_bits, r.network.key_size) for r in every} == {(3, 4, 2)}
    assert {r.task.n for r in runs["q"] + runs["m"]} == {5}
    assert {r.objective.q for r in runs["size"] + runs["m"]} == {1, 7}
    assert {r.objective.m for r in runs["size"]} == {1, 2}
    same = recall("smoke", q=1, m=1)
    assert all(len(set(part)) == len(part) for part in same.values())
    assert [block(r) for r in runs["screening"]] == [block(r) for r in recall("smoke")["screening"]]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"profile": "tiny"}, "profile = 'tiny': give one of smoke, laptop, paper"),
        ({"memory": 0}, "memory (key size) = 0: give a whole number, at least 1"),
        ({"pairs": 1}, "n (pairs) = 1: give a whole number, at least 2"),
        ({"bits": 0}, "bits = 0: give a whole number, at least 1 and at most 8"),
        ({"seed_bits": 0}, "seed_bits = 0: give a whole number, at least 1"),
        ({"q": 0.5}, "q = 0.5: give a number, at least 1"),
        ({"m": 0}, "m = 0: give a whole number, at least 1"),
    ],
)
def test_bad_recall_sizes_are_refused(given, told):
    with pytest.raises(BadInput) as error:
        recall(**({"profile": "smoke"} | given))
    assert str(error.value) == told
