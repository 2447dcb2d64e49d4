import math

import pytest

from helpers import tiny, tiny_gridworld
from randformer.core.runs import changed, sketch
from randformer.experiments.coloring.sweep import runs as coloring
from randformer.experiments.recall.sweep import runs as recall
from randformer.harness import workers
from randformer.harness.checks import BadInput
from randformer.problems.coloring.task import Coloring


def test_a_run_is_named_by_what_differs_from_the_paper():
    assert str(recall("paper")["size"][-1]) == "recall A_R^q n=20 q=100 m=30 run=4"
    assert str(coloring("smoke")["sweep"][0]).startswith("coloring A_r0^E n=6 q=1 steps=40 batch=16 warmup=10 run=0")


def test_the_key_follows_the_version(monkeypatch):
    before = coloring("smoke")["sweep"][0].key
    monkeypatch.setattr(Coloring, "NUMERICS", Coloring.NUMERICS + 1)
    assert coloring("smoke")["sweep"][0].key != before


def test_one_task_evaluated_anew_leaves_the_others_records_as_they_are(monkeypatch):
    runs = [coloring("laptop")["sweep"][0], recall("laptop")["size"][0]]
    monkeypatch.setattr(Coloring, "EVALUATION", Coloring.EVALUATION + 1)
    assert [workers.why_stale("laptop", run) for run in runs] == [
        (False, f"evaluation.json has version {Coloring.EVALUATION - 1}, not {Coloring.EVALUATION}"),
        None,
    ]


def test_the_worst_input_alone_is_for_evolution():
    run = tiny_gridworld(q=math.inf)
    assert run.config["model"]["q"] == "inf"
    assert run.key != tiny_gridworld(q=1e300).key
    assert "q=inf" in str(run)
    with pytest.raises(BadInput, match="q = inf: training by gradient needs a finite q, at least 1"):
        tiny(q=math.inf)


def test_a_gradient_with_its_root_is_another_run_and_evolution_has_none():
    rooted = changed(tiny(), {"objective": {"root": True}})
    assert "root" in str(rooted).split()
    assert rooted.key != tiny().key
    with pytest.raises(BadInput, match="root = True: evolution has no gradient"):
        changed(tiny_gridworld(), {"objective": {"root": True}})


def test_a_sketch_has_every_point_once_with_a_twentieth_of_the_training():
    runs = [tiny(k, q=q, steps=400, warmup=40) for q in (1, 3) for k in (0, 1)]
    grid = [tiny_gridworld(k, steps=30) for k in (0, 1)]
    found = sketch({"sweep": runs, "grid": grid})
    assert [(run.objective.q, run.run_index) for run in found["sweep"]] == [(1, 0), (3, 0)]
    assert {(run.training.steps, run.training.warmup) for run in found["sweep"]} == {(20, 2)}
    assert [run.training.generations for run in found["grid"]] == [2]  # rounded up
