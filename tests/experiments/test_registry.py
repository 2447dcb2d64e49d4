import pytest

from randformer.experiments.registry import declared
from randformer.harness.checks import BadInput
from randformer.harness.profiles import PROFILES


@pytest.mark.parametrize("profile", PROFILES)
def test_every_run_has_its_own_key(profile):
    runs = declared(profile)
    assert len({run.key for run in runs}) == len(runs) == len({str(run) for run in runs})


@pytest.mark.parametrize("profile", PROFILES)
def test_runs_that_train_together_differ_in_q_and_number_only(profile):
    for run in declared(profile):
        assert run.group.training == run.training
        assert run.group.objective.m == run.objective.m
        assert run.group.group == run.group


def test_an_unknown_experiment_is_refused():
    with pytest.raises(BadInput, match="only = 'colouring': give one of recall, coloring, gridworld, theory, cost"):
        declared("smoke", "colouring")
