from dataclasses import replace

import pytest

from helpers import TINY, TINY_GRIDWORLD, TINY_RECALL
from randformer.core.gradient import bytes_kept
from randformer.experiments.coloring.sweep import runs as coloring
from randformer.experiments.coloring.sweep import start
from randformer.experiments.gridworld.sweep import runs as gridworld
from randformer.experiments.recall.sweep import runs as recall
from randformer.experiments.registry import declared
from randformer.harness import sizes, workers
from randformer.harness.checks import BadInput
from randformer.harness.profiles import PROFILES

MUCH = 10**8


@pytest.mark.parametrize("profile", PROFILES)
def test_what_the_profiles_declare_passes_on_a_small_machine(profile, monkeypatch):
    monkeypatch.setattr(sizes, "memory", lambda: 4 * sizes.GIB)
    sizes.check(declared(profile))


@pytest.mark.parametrize(
    ("declare", "given", "told"),
    [
        (
            recall,
            {"pairs": MUCH},
            r"pairs = 100000000: a model of that size would take about \d+ GiB, this machine has ",
        ),
        (recall, {"pairs": 10**5}, r"pairs = 100000: a model of that size would take about \d+ GiB"),
        (recall, {"memory": MUCH}, r"memory = 100000000: a model of that size would take about \d+ GiB"),
        (recall, {"seed_bits": MUCH * 10}, r"seed_bits = 1000000000: a model of that size would take about \d+ GiB"),
        (recall, {"m": MUCH}, r"m = 100000000: the training would take 1.9e\+14 sequences .* 6.1 years: give fewer"),
        (coloring, {"m": MUCH}, r"m = 100000000: the training would take .* years: give fewer"),
        (gridworld, {"cells": 10**4}, r"cells = 10000: .*: give fewer"),
        (gridworld, {"episode": MUCH}, r"episode = 100000000: a model of that size would take about \d+ GiB"),
        (gridworld, {"width": 10**6}, r"width = 1000000: a model of that size would take about \d+ GiB"),
        (gridworld, {"population": MUCH}, r"population = 100000000: .*: give fewer"),
        (gridworld, {"generations": 10**12}, r"generations = 1000000000000: the training would take .*: give fewer"),
        (gridworld, {"m": MUCH}, r"m = 100000000: .*: give fewer"),
    ],
)
def test_sizes_that_cannot_be_are_refused_where_they_are_declared(declare, given, told, monkeypatch):
    monkeypatch.setattr(sizes, "memory", lambda: 16 * sizes.GIB)
    with pytest.raises(BadInput, match=f"^{told}"):
        declare("laptop", **given)


def test_a_profiles_own_sizes_are_declared_on_any_machine(monkeypatch):
    monkeypatch.setattr(sizes, "memory", lambda: 1)
    for declare in (recall, coloring, gridworld):
        assert declare("paper", m=None)


def test_and_before_anything_is_trained(monkeypatch, tmp_path):
    monkeypatch.setattr(workers, "ROOT", tmp_path)
    monkeypatch.setattr(workers, "CACHE", tmp_path / ".cache")
    large = replace(TINY_RECALL, task=replace(TINY_RECALL.task, n=MUCH), training=replace(TINY.training, batch=MUCH))
    with pytest.raises(BadInput, match=r"^recall A_R\^E|^recall .*: a model of that size would take about \d+ GiB"):
        workers.ensure_records("smoke", [TINY, large], jobs=1)
    assert not list((tmp_path / "results").rglob("run.json"))
    with pytest.raises(BadInput, match=r"^coloring .* m=100000000000 .*: give fewer"):
        workers.live(start("smoke", 6, 10.0, 10**11))


def test_the_bounds_are_below_what_is_used_and_not_far():
    """Of a step under one seed, what autograd keeps is counted."""
    for run in (TINY_RECALL, TINY):
        one = replace(run, objective=replace(run.objective, m=1), training=replace(run.training, batch=600))
        assert 0.05 < one.task.training_bytes(one) / bytes_kept(one, 1) < 1.5


def test_memory_is_the_machines_or_the_containers(monkeypatch, tmp_path):
    (tmp_path / "memory.max").write_text("1000000\n", encoding="utf-8")
    (tmp_path / "other").write_text("max\n", encoding="utf-8")
    assert sizes.memory() > 10**8
    monkeypatch.setattr(sizes, "LIMITS", (str(tmp_path / "memory.max"), str(tmp_path / "other")))
    assert sizes.memory() == 10**6


def test_a_searchers_evaluation_counts():
    assert replace(TINY_GRIDWORLD, task=replace(TINY_GRIDWORLD.task, n=1000)).memory(train=False) > 10**9
