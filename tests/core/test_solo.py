import json
import pickle
from dataclasses import dataclass, replace

import pytest
import torch

from randformer.contract import Run
from randformer.core import solo
from randformer.core.solo import SoloRun, begun, follow, resumed, stored
from randformer.harness.checks import BadInput
from randformer.harness.records import canonical, key

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Walk(SoloRun):
    """Adds normal numbers; the loss is the distance from 0."""

    NUMERICS, EVALUATION, problem, STORED = 3, 1, "walk", ("place",)
    width = 2

    rate: float

    def begin(self, generator):
        return {"place": torch.zeros(3), "moves": torch.zeros(1, dtype=torch.int64)}

    def advance(self, tensors, step, generator):
        tensors["place"] += self.rate * torch.randn(3, generator=generator)
        tensors["moves"] += 1
        return float(tensors["place"].norm())

    def evaluate(self, record):
        return {"norm": float(record["place"].norm())}


def trained(run, cache, runs=None, ticks=None):
    ticks = [] if ticks is None else ticks
    return run.train(runs or [run], CPU, cache, ticks.append)


def test_it_is_a_run():
    run = Walk(5, 2, 0.1)
    assert isinstance(run, Run)
    assert run.config == {"steps": 5, "run_index": 2, "rate": 0.1, "experiment": "walk", "version": 3}
    assert run.config == json.loads(canonical(run.config))
    assert run.key == key(run.config)
    assert pickle.loads(pickle.dumps(run)) == run
    assert run.point == Walk(5, 0, 0.1)
    assert run.group == run
    assert (run.width, run.cost, run.memory(True), run.memory(False)) == (2, 10, 20, 12)
    assert str(run) == "walk steps=5 rate=0.1 run=2"
    with pytest.raises(BadInput, match="steps = 0: give a whole number, at least 1"):
        Walk(0, 2, 0.1)


def test_alone_and_beside_others_it_is_the_same(tmp_path):
    runs, ticks = [Walk(450, i, 0.1) for i in range(3)], []
    together, diverged = trained(runs[0], tmp_path, runs, ticks)
    assert diverged == {}
    assert sum(ticks) == 3 * 450 * 2
    alone = trained(runs[1], tmp_path)[0][runs[1]]
    assert torch.equal(alone.tensors["place"], together[runs[1]].tensors["place"])
    assert alone.content == together[runs[1]].content
    assert len(alone.content["loss_history"]) == 150  # means of 3 steps: no more than 200 points
    assert not torch.equal(alone.tensors["place"], together[runs[2]].tensors["place"])
    assert run_norm(runs[1], alone) == pytest.approx(float(alone.tensors["place"].norm()))


def run_norm(run, result):
    return run.evaluate(run.restore(result.tensors))["norm"]


def test_killed_and_taken_up_again_it_ends_with_the_same_bytes(tmp_path, monkeypatch):
    run = Walk(450, 1, 0.1)
    whole = trained(run, tmp_path)[0][run]
    monkeypatch.setattr(solo, "CHECKPOINT_SECONDS", 0.0)
    ticks = []

    def kill(steps):
        ticks.append(steps)
        if len(ticks) == 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.train([run], CPU, tmp_path, kill)
    again = trained(run, tmp_path)[0][run]
    assert torch.equal(again.tensors["place"], whole.tensors["place"])
    assert again.content == whole.content


def test_what_is_taken_up_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(solo, "CHECKPOINT_SECONDS", 0.0)
    run, ticks = Walk(450, 1, 0.1), []
    trained(run, tmp_path)
    trained(run, tmp_path, ticks=ticks)  # from the last checkpoint before the end
    assert ticks == [2 * 447, 2 * 3]


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("progress.step", torch.tensor(4)),
        ("progress.step", torch.tensor(450)),
        ("progress.history", torch.zeros(3, dtype=torch.float64)),
        ("place", torch.zeros(4)),
        ("moves", torch.zeros(1)),
    ],
)
def test_what_it_cannot_have_saved_is_refused(name, bad, tmp_path):
    run = Walk(450, 1, 0.1)
    progress = begun(run)
    progress.step, progress.history = 6, [0.0, 0.0]
    assert resumed(run, stored(progress)).step == 6
    with pytest.raises(ValueError, match=r"step|history|not torch"):
        resumed(run, stored(progress) | {name: bad})
    with pytest.raises(KeyError):
        resumed(run, {n: t for n, t in stored(progress).items() if n != "place"})


def test_a_training_that_diverges_is_named(tmp_path):
    run = Walk(450, 0, float("inf"))
    assert follow(run, begun(run), CPU, tmp_path, lambda steps: None) == 3
    _, diverged = trained(replace(run, steps=10), tmp_path)
    assert list(diverged.values()) == [1]


def test_tensors_that_do_not_fit_are_refused():
    run = Walk(5, 0, 0.1)
    with pytest.raises(ValueError, match=r"place is \[4\], not \[3\]"):
        run.restore({"place": torch.zeros(4)})
    with pytest.raises(KeyError):
        run.restore({})
