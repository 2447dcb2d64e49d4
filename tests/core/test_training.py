import math
from dataclasses import replace

import pytest
import torch

from helpers import tiny, tiny_gridworld, tiny_recall
from randformer.core import gradient, training
from randformer.core.runs import NetworkRun
from randformer.core.training import begin, join, train
from randformer.experiments.recall.sweep import runs as recall
from randformer.harness import checkpoints

CPU = torch.device("cpu")


def silent(steps: int) -> None:
    pass


def laptop(number: int, q: float) -> NetworkRun:
    """A recall run of the laptop profile with a fixed seed, cut to a few steps."""
    run = next(r for r in recall("laptop")["size"] if r.task.n == 12 and r.objective.fixed_seed)
    return replace(
        run, run_index=number, objective=replace(run.objective, q=q), training=replace(run.training, steps=4, warmup=2)
    )


@pytest.mark.parametrize("kind", [tiny, tiny_recall, tiny_gridworld, laptop])
def test_runs_together_give_the_bytes_that_each_gives_alone(tmp_path, kind):
    runs = [kind(0, q=3), kind(1, q=3), kind(0, q=10), kind(2, q=1)]
    together, _ = train(runs, CPU, tmp_path, silent)
    for run in runs:
        alone, _ = train([run], CPU, tmp_path, silent)
        assert torch.equal(alone[run].parameters, together[run].parameters)
        assert torch.equal(alone[run].history, together[run].history)


def test_a_fixed_seed_is_drawn_once_and_kept(tmp_path):
    run = tiny(3, fixed=True)
    trained, _ = train([run], CPU, tmp_path, silent)
    assert torch.equal(trained[run].seed, begin(run, CPU).seed)
    assert not torch.equal(trained[run].seed, begin(tiny(4, fixed=True), CPU).seed)


def test_repetitions_differ_and_repeat(tmp_path):
    a, b = begin(tiny(0), CPU), begin(tiny(1), CPU)
    assert not torch.equal(a.parameters, b.parameters)
    assert torch.equal(a.parameters, begin(tiny(0), CPU).parameters)


@pytest.mark.parametrize("kind", [tiny, tiny_recall, tiny_gridworld])
@pytest.mark.parametrize("fixed", [False, True])
def test_seeds_are_drawn_anew_at_every_step_unless_one_is_fixed(monkeypatch, tmp_path, kind, fixed):
    run, seen = kind(steps=5, fixed=fixed), []
    losses = type(run.task).losses

    def spy(task, network, parameters, inputs, seeds):
        seen.append(tuple(seeds.flatten().tolist()))
        return losses(task, network, parameters, inputs, seeds)

    if isinstance(run.training, gradient.GradientTraining):
        gradient.seeds_at_once(run.group, gradient.BUDGET)  # looks at losses too, once
    monkeypatch.setattr(type(run.task), "losses", spy)
    monkeypatch.setattr(type(run.training), "watch", lambda *given: torch.zeros(1, len(run.training.WATCHED)))
    train([run], CPU, tmp_path, silent)
    assert len(seen) == 5
    assert len(set(seen)) == (1 if fixed else 5)


def test_a_run_that_diverges_stops_alone(monkeypatch, tmp_path):
    """NetworkRun 1's loss becomes NaN at step 7: it is named with its step, the others end as if it had never been."""
    losses, of_three = gradient.losses, []

    def poisoned(run, *of):
        found = losses(run, *of)
        if len(found) == 3:
            of_three.append(found)
            if len(of_three) == 8:
                found = found * torch.tensor([1, math.nan, 1]).view(3, 1, 1)
        return found

    runs = [tiny(0), tiny(1), tiny(2)]
    undisturbed, _ = train(runs, CPU, tmp_path, silent)
    monkeypatch.setattr(gradient, "losses", poisoned)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    trained, diverged = train(runs, CPU, tmp_path, silent)
    assert diverged == {runs[1]: 8}
    assert set(trained) == {runs[0], runs[2]}
    for run in trained:
        assert torch.equal(trained[run].parameters, undisturbed[run].parameters)
        assert trained[run].history.isfinite().all()
    kept = list(tmp_path.glob(f"{runs[1].key}-cpu.checkpoint"))
    assert len(kept) == 1  # the diverged run's last checkpoint, from before


@pytest.mark.parametrize("kind", [tiny, tiny_recall, tiny_gridworld])
def test_weights_that_overflow_in_the_last_update_are_told(tmp_path, kind):
    run = kind(steps=1, learning_rate=1e40)
    assert train([run], CPU, tmp_path, silent) == ({}, {run: 1})


@pytest.mark.parametrize("number", [math.inf, math.nan])
def test_a_last_update_that_overflows_leaves_the_others_alone(monkeypatch, tmp_path, number):
    runs = [tiny(0), tiny(1), tiny(2)]
    undisturbed, _ = train(runs, CPU, tmp_path, silent)
    descend = gradient.GradientTraining.descend

    def overflow(training, state, of):
        descend(training, state, of)
        if state.step == 20:
            state.parameters[1, 5] = number

    monkeypatch.setattr(gradient.GradientTraining, "descend", overflow)
    trained, diverged = train(runs, CPU, tmp_path, silent)
    assert diverged == {runs[1]: 20}
    assert set(trained) == {runs[0], runs[2]}
    assert all(torch.equal(trained[run].parameters, undisturbed[run].parameters) for run in trained)


@pytest.mark.parametrize(("kind", "what"), [(tiny, "step"), (tiny_gridworld, "step"), (tiny_gridworld, "watch")])
def test_a_history_that_is_not_finite_is_told(monkeypatch, tmp_path, kind, what):
    """The loss that is noted, though not the one that is descended on; what is watched."""
    run = kind()
    method = getattr(type(run.training), what)

    def infinite(training, run, *given):
        found, more = method(training, run, *given), math.inf if given[-1].step > 5 else 0.0
        return (found[0] + more, found[1]) if what == "step" else found + more

    monkeypatch.setattr(type(run.training), what, infinite)
    assert train([run], CPU, tmp_path, silent) == ({}, {run: 6})


@pytest.mark.parametrize("points", [0, 7, 19])
@pytest.mark.parametrize("kind", [tiny, tiny_gridworld])
def test_a_training_goes_on_from_its_checkpoint_with_the_same_bytes(monkeypatch, tmp_path, kind, points):
    class Killed(Exception):
        pass

    run = kind(steps=20)
    whole, _ = train([run], CPU, tmp_path / "whole", silent)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    ticks = []

    def kill(steps: int) -> None:
        ticks.append(steps)
        if sum(ticks) > points:
            raise Killed

    with pytest.raises(Killed):
        train([run], CPU, tmp_path / "killed", kill)
    left = 20 - checkpoints.step(tmp_path / "killed", run, CPU)
    ticks.clear()
    resumed, _ = train([run], CPU, tmp_path / "killed", ticks.append)
    assert sum(ticks) == left  # what was done before is none of its work
    assert torch.equal(resumed[run].parameters, whole[run].parameters)
    assert torch.equal(resumed[run].history, whole[run].history)
    assert torch.equal(resumed[run].std, whole[run].std)
    assert resumed[run].seconds > 0


def test_runs_at_different_steps_are_both_finished(monkeypatch, tmp_path):
    """As after a kill between two checkpoint files."""
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    runs = [tiny(0), tiny(1)]
    whole, _ = train(runs, CPU, tmp_path / "whole", silent)
    train([runs[0]], CPU, tmp_path / "part", silent)
    trained, _ = train(runs, CPU, tmp_path / "part", silent)
    for run in runs:
        assert torch.equal(trained[run].parameters, whole[run].parameters)


def test_states_at_different_steps_are_not_joined():
    a, b = begin(tiny(0), CPU), begin(tiny(1), CPU)
    b.step = 1
    with pytest.raises(ValueError, match="too many values"):
        join([a, b])
