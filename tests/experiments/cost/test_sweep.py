from collections import Counter

import pytest

from randformer.core.gradient import RisingQ
from randformer.experiments.cost.sweep import SIZES, larger
from randformer.experiments.cost.sweep import runs as cost
from randformer.experiments.registry import declared
from randformer.harness.checks import BadInput
from randformer.harness.profiles import PROFILES


@pytest.mark.parametrize("profile", PROFILES)
def test_fewer_steps_pay_for_more_seeds(profile):
    """All trainings of one task and size draw as many seeds, but for what a whole number of steps leaves over."""
    for run in cost(profile)["compute"]:
        seeds = SIZES[profile][run.problem].seeds
        assert seeds - run.objective.m < run.training.steps * run.objective.m <= seeds
        assert run.training.warmup <= run.training.steps // 4


def test_every_point_has_three_runs_at_both_sizes():
    parts = cost("laptop")
    counts = Counter(run.group.group for run in parts["compute"])
    assert set(counts.values()) == {3}
    for name in ("q", "schedule"):
        points = Counter((run.task, run.objective, run.training) for run in parts[name])
        assert set(points.values()) == {3}
    assert {(run.problem, run.task.n) for run in parts["q"]} == {
        (e, n) for e, s in SIZES["laptop"].items() for n in s.ns
    }


def test_records_of_the_other_notebooks_are_shared():
    """The sweeps over q at the larger sizes are those of recall and colouring, but for a few more runs."""
    known = set(declared("laptop", "recall") + declared("laptop", "coloring"))
    larger = [run for run in cost("laptop")["q"] if run.task.n == max(SIZES["laptop"][run.problem].ns)]
    assert sum(run in known for run in larger) >= len(larger) - 3


def test_a_schedule_differs_in_its_rise_alone():
    for run in cost("laptop")["schedule"]:
        if isinstance(run.training, RisingQ):
            rest = {name: value for name, value in vars(run.training).items() if name != "rise"}
            assert any(
                vars(other.training) == rest for other in cost("laptop")["schedule"] if other.objective == run.objective
            )


def test_larger_models_are_larger_and_of_one_task_each():
    for task in SIZES["laptop"]:
        runs = [run for run in cost("laptop")["larger"] if run.problem == task and run.run_index == 0]
        assert [run.network for run in runs] == list(larger("laptop")[task].values())
        sizes = [run.parameters for run in runs]
        assert sizes == sorted(set(sizes))
        assert {run.task.n for run in runs} == {max(SIZES["laptop"][task].ns)}


def test_an_unknown_profile_is_refused():
    with pytest.raises(BadInput, match="profile = 'desktop'"):
        cost("desktop")
