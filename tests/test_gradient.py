import itertools
import math
from dataclasses import replace

import pytest
import torch

from conftest import tiny, tiny_recall
from randformer import gradient
from randformer.checks import BadInput
from randformer.experiments_recall import recall
from randformer.gradient import State, Training, adam, begin, join, train
from randformer.runs import Run

CPU = torch.device("cpu")


def silent(steps: int) -> None:
    pass


def test_the_learning_rate_rises_to_the_peak_and_falls_to_the_final_value():
    t = Training(steps=100, batch=1, warmup=10, peak=1e-2, final=1e-3)
    rates = [t.learning_rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(1e-3)
    assert rates[9:11] == pytest.approx([1e-2, 1e-2])
    assert rates[55] == pytest.approx((1e-2 + 1e-3) / 2)
    assert rates[99] == pytest.approx(1e-3, rel=0.01)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


def test_adam_is_pytorchs_adamw_on_clipped_gradients():
    """Two models in one state against two optimizers of their own."""
    t = Training(steps=30, batch=1, warmup=5, peak=0.1, eps=1e-3, weight_decay=0.1, clip=1.0)
    start = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    state = State(0, start.clone(), torch.zeros(2, 6), torch.zeros(2, 6), torch.zeros(2), [], torch.zeros(2, 0))
    alone = [torch.nn.Parameter(row.clone()) for row in start]
    theirs = [torch.optim.AdamW([p], betas=(0.9, 0.95), eps=1e-3, weight_decay=0.1) for p in alone]
    scale = torch.tensor([[10.0], [0.1]])  # the first is clipped, the second is not
    for i in range(30):
        for k, optimizer in enumerate(theirs):
            alone[k].grad = scale[k] * (alone[k].detach() - k - 1)
            torch.nn.utils.clip_grad_norm_([alone[k]], 1.0)
            optimizer.param_groups[0]["lr"] = t.learning_rate(i)
            optimizer.step()
        adam(t, state, scale * (state.parameters - torch.tensor([[1.0], [2.0]])))
    torch.testing.assert_close(state.parameters, torch.stack([p.detach() for p in alone]), rtol=1e-4, atol=1e-5)


def laptop(number: int, q: float) -> Run:
    """A recall run of the laptop profile with a fixed seed, cut to a few steps."""
    run = next(r for r in recall("laptop")["size"] if r.task.n == 12 and r.model.fixed_seed)
    return replace(run, number=number, model=replace(run.model, q=q), training=replace(run.training, steps=4, warmup=2))


@pytest.mark.parametrize("kind", [tiny, tiny_recall, laptop])
def test_runs_together_give_the_bytes_that_each_gives_alone(tmp_path, kind):
    runs = [kind(0, q=3), kind(1, q=3), kind(0, q=10), kind(2, q=1)]
    together, _ = train(runs, CPU, tmp_path, silent)
    for run in runs:
        alone, _ = train([run], CPU, tmp_path, silent)
        assert torch.equal(alone[run].parameters, together[run].parameters)
        assert torch.equal(alone[run].history, together[run].history)


def test_training_lowers_the_loss(tmp_path):
    run = tiny(steps=400, batch=16, peak=1e-2)
    trained, _ = train([run], CPU, tmp_path, silent)
    history = trained[run].history[0]
    assert len(history) == gradient.HISTORY
    assert history[-20:].mean() < 0.8 * history[:5].mean()


def test_a_fixed_seed_is_drawn_once_and_kept(tmp_path):
    run = tiny(3, fixed=True)
    trained, _ = train([run], CPU, tmp_path, silent)
    assert torch.equal(trained[run].seed, begin(run, CPU).seed)
    assert not torch.equal(trained[run].seed, begin(tiny(4, fixed=True), CPU).seed)


def test_repetitions_differ_and_repeat(tmp_path):
    a, b = begin(tiny(0), CPU), begin(tiny(1), CPU)
    assert not torch.equal(a.parameters, b.parameters)
    assert torch.equal(a.parameters, begin(tiny(0), CPU).parameters)


def test_seeds_are_drawn_anew_at_every_step(monkeypatch, tmp_path):
    drawn = []
    losses = gradient.losses

    def spy(run, state):
        before = [g.get_state() for g in state.generators]
        drawn.append(run.task.draw_seeds(3, 1, torch.Generator().set_state(before[0].clone())))
        return losses(run, state)

    monkeypatch.setattr(gradient, "losses", spy)
    train([tiny(steps=5)], CPU, tmp_path, silent)
    assert len({tuple(s.flatten().tolist()) for s in drawn}) == 5


def test_a_run_that_diverges_stops_alone(monkeypatch, tmp_path):
    """Run 1's loss becomes NaN at step 7: it is named with its step, the others end as if it had never been."""
    losses = gradient.losses

    def poisoned(run, state):
        found = losses(run, state)
        if state.step == 7 and len(found) == 3:
            found = found * torch.tensor([1, math.nan, 1]).view(3, 1, 1)
        return found

    runs = [tiny(0), tiny(1), tiny(2)]
    undisturbed, _ = train(runs, CPU, tmp_path, silent)
    monkeypatch.setattr(gradient, "losses", poisoned)
    monkeypatch.setattr(gradient, "CHECKPOINT_SECONDS", 0)
    trained, diverged = train(runs, CPU, tmp_path, silent)
    assert diverged == {runs[1]: 8}
    assert set(trained) == {runs[0], runs[2]}
    for run in trained:
        assert torch.equal(trained[run].parameters, undisturbed[run].parameters)
        assert trained[run].history.isfinite().all()
    kept = list(tmp_path.glob(f"{runs[1].key}-cpu.checkpoint"))
    assert len(kept) == 1  # the diverged run's last checkpoint, from before


@pytest.mark.parametrize("points", [0, 7, 19])
def test_a_training_goes_on_from_its_checkpoint_with_the_same_bytes(monkeypatch, tmp_path, points):
    class Killed(Exception):
        pass

    run = tiny(steps=20)
    whole, _ = train([run], CPU, tmp_path / "whole", silent)
    monkeypatch.setattr(gradient, "CHECKPOINT_SECONDS", 0)
    ticks = []

    def kill(steps: int) -> None:
        ticks.append(steps)
        if sum(ticks) > points:
            raise Killed

    with pytest.raises(Killed):
        train([run], CPU, tmp_path / "killed", kill)
    resumed, _ = train([run], CPU, tmp_path / "killed", ticks.append)
    assert torch.equal(resumed[run].parameters, whole[run].parameters)
    assert torch.equal(resumed[run].history, whole[run].history)


def test_runs_at_different_steps_are_both_finished(monkeypatch, tmp_path):
    """As after a kill between two checkpoint files."""
    monkeypatch.setattr(gradient, "CHECKPOINT_SECONDS", 0)
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


@pytest.mark.parametrize("bad", [{"steps": 0}, {"batch": 0}, {"peak": -1e-3}, {"eps": "small"}, {"steps": 10.0}])
def test_impossible_trainings_are_refused(bad):
    (name,) = bad
    with pytest.raises(BadInput, match=f"{name} = .*: give"):
        Training(**({"steps": 1, "batch": 1} | bad))
