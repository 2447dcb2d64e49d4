import pytest

from randformer.core.highway import depth
from randformer.experiments.highway import claims, sweep
from randformer.harness.checks import BadInput
from randformer.harness.profiles import PROFILES


@pytest.mark.parametrize("profile", PROFILES)
def test_every_task_has_what_its_claims_look_at(profile):
    runs = sweep.runs(profile)
    assert list(runs) == ["digits", "adding", "pixels"]
    for task, of in runs.items():
        ways = {(run.way, run.k) for run in of}
        assert ("backpropagation", of[0].layers) in ways
        assert {run.data for run in of} == {task}
        repetitions = {way: [run.run_index for run in of if (run.way, run.k) == way] for way in ways}
        assert len(set(map(tuple, repetitions.values()))) == 1, "ways are compared run by run"
        if profile != "smoke":
            assert len(of) // len(ways) >= 5
            assert task not in claims.NEEDED or {(w, claims.NEEDED[task]) for w in ("highway", "fixed point")} <= ways


def test_the_claims_k_are_those_of_the_rules():
    runs = sweep.runs("laptop")
    assert claims.NEEDED["digits"] == runs["digits"][0].layers / 4
    assert claims.NEEDED["adding"] <= 10
    assert runs["adding"][0].layers >= 64
    assert depth(runs["adding"][0].layers, claims.NEEDED["adding"]) == 32


def test_an_unknown_profile_is_told():
    with pytest.raises(BadInput, match="profile = 'desktop': give one of smoke, laptop, paper"):
        sweep.runs("desktop")
