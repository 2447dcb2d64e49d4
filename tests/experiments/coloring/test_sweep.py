import pytest

from randformer.experiments.coloring.sweep import runs as coloring
from randformer.experiments.registry import declared
from randformer.harness.checks import BadInput


def test_the_paper_profile_is_table_2():
    runs = coloring("paper")["sweep"]
    assert {(r.training.steps, r.training.batch) for r in runs} == {(300_000, 256)}
    assert {r.objective.m for r in runs if not r.objective.fixed_seed} == {10}
    assert {r.objective.q for r in runs} == set(range(1, 11))
    assert all(sum(r.objective == s.objective for s in runs) == 5 for r in runs)


def test_the_laptop_profile_has_the_papers_problem_and_enough_runs():
    runs = coloring("laptop")["sweep"]
    assert {r.task.n for r in runs} == {10}
    assert {r.objective.q for r in runs} == {1, 2, 3, 4, 6, 8, 10}
    for model in {r.objective for r in runs}:
        assert sum(r.objective == model for r in runs) >= 3


def test_the_calibration_shares_its_runs_with_the_sweep():
    parts = coloring("laptop")
    assert set(parts["calibration"]) & set(parts["sweep"])
    assert len(declared("laptop", "coloring")) < sum(map(len, parts.values()))


def test_sizes_can_be_replaced():
    runs = coloring("smoke", vertices=7, m=4)["sweep"]
    assert {r.task.n for r in runs} == {7}
    assert {r.objective.m for r in runs} == {1, 4}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("tiny",), "profile = 'tiny': give one of smoke, laptop, paper"),
        (("smoke", 2), "n (vertices) = 2: give a whole number, at least 3 and at most 10"),
        (("smoke", 5, 0), "m = 0: give a whole number, at least 1"),
    ],
)
def test_bad_sizes_are_refused(given, told):
    with pytest.raises(BadInput) as error:
        coloring(*given)
    assert str(error.value) == told
