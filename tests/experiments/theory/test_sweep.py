import pytest

from randformer.experiments.registry import declared
from randformer.experiments.theory.sweep import runs as theory
from randformer.harness.checks import BadInput

EXPERIMENTS = {"recall", "coloring", "gridworld"}


def test_every_network_is_another_notebooks_and_has_random_seeds():
    parts = theory("laptop")
    runs = {run for part in parts.values() for run in part}
    assert runs <= {run for name in (*EXPERIMENTS, "cost") for run in declared("laptop", name)}
    assert not any(run.objective.fixed_seed for run in runs)
    assert {run.problem for run in runs} == EXPERIMENTS
    every = {run for run in declared("laptop") if not run.objective.fixed_seed}
    assert runs == every
    assert set(parts["q"]) < set(parts["recall"])


def test_an_unknown_profile_is_refused():
    with pytest.raises(BadInput, match="profile = 'tiny'"):
        theory("tiny")
