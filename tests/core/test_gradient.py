import itertools
from dataclasses import replace

import pytest
import torch

from helpers import tiny, tiny_recall
from randformer.core import gradient, training
from randformer.core.gradient import GradientTraining, RisingQ, bytes_kept, gradients, seeds_at_once
from randformer.core.objective import Objective, relaxed_worst_case
from randformer.core.training import State, begin, draw_inputs, draw_seeds, join, train
from randformer.harness.checks import BadInput
from randformer.problems.coloring.task import Coloring

CPU = torch.device("cpu")


def test_the_learning_rate_rises_to_the_peak_and_falls_to_the_final_value():
    t = GradientTraining(steps=100, batch=1, warmup=10, learning_rate=1e-2, final_learning_rate=1e-3)
    rates = [t.learning_rate_at(step) for step in range(100)]
    assert rates[0] == pytest.approx(1e-3)
    assert rates[9:11] == pytest.approx([1e-2, 1e-2])
    assert rates[55] == pytest.approx((1e-2 + 1e-3) / 2)
    assert rates[99] == pytest.approx(1e-3, rel=0.01)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))


def test_adam_is_pytorchs_adamw_on_clipped_gradients():
    """Two models in one state against two optimizers of their own."""
    t = GradientTraining(steps=30, batch=1, warmup=5, learning_rate=0.1, eps=1e-3, weight_decay=0.1, clip=1.0)
    start = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    state = State(0, start.clone(), *torch.zeros(2, 2, 6), torch.zeros(2, 0), torch.zeros(2), [], torch.zeros(2, 0, 1))
    alone = [torch.nn.Parameter(row.clone()) for row in start]
    theirs = [torch.optim.AdamW([p], betas=(0.9, 0.95), eps=1e-3, weight_decay=0.1) for p in alone]
    scale = torch.tensor([[10.0], [0.1]])  # the first is clipped, the second is not
    for i in range(30):
        for k, optimizer in enumerate(theirs):
            alone[k].grad = scale[k] * (alone[k].detach() - k - 1)
            torch.nn.utils.clip_grad_norm_([alone[k]], 1.0)
            optimizer.param_groups[0]["lr"] = t.learning_rate_at(i)
            optimizer.step()
        t.descend(state, scale * (state.parameters - torch.tensor([[1.0], [2.0]])))
    torch.testing.assert_close(state.parameters, torch.stack([p.detach() for p in alone]), rtol=1e-4, atol=1e-5)


def test_training_lowers_the_loss(tmp_path):
    run = tiny(steps=400, batch=16, learning_rate=1e-2)
    trained, _ = train([run], CPU, tmp_path, lambda steps: None)
    history = trained[run].history[0, :, 0]
    assert len(history) == training.HISTORY
    assert history[-20:].mean() < 0.8 * history[:5].mean()


@pytest.mark.parametrize(
    "bad", [{"steps": 0}, {"batch": 0}, {"learning_rate": -1e-3}, {"eps": "small"}, {"steps": 10.0}, {"beta1": 1.0}]
)
def test_impossible_trainings_are_refused(bad):
    (name,) = bad
    with pytest.raises(BadInput, match=f"{name} = .*: give"):
        GradientTraining(**({"steps": 1, "batch": 1} | bad))


def step_of(run, models: int = 2):
    """What gradients() takes: a state of that many models (K, P), their q, inputs and seeds, in double precision."""
    state = join([begin(replace(run, run_index=number), CPU) for number in range(models)])
    inputs = draw_inputs(run, state)
    q = torch.tensor([1.0, run.objective.q][:models], dtype=torch.float64)
    return run, q, state.parameters.double(), inputs, draw_seeds(run, state).double()


def under(m: int, run=None):
    """A tiny run with m seeds."""
    return replace(run or tiny_recall(), objective=Objective(3, m))


SLICED = [tiny_recall(), tiny(), replace(tiny(), task=Coloring(6, seeds_per="input"))]


@pytest.mark.parametrize("size", range(1, 8))
@pytest.mark.parametrize("run", [under(7, run) for run in SLICED], ids=lambda run: f"{run.task}")
def test_slices_of_seeds_give_the_gradient_of_all_at_once(run, size):
    """Equation 5's own, by autograd, for every size of a slice."""
    run, q, parameters, inputs, seeds = step_of(run)
    whole = parameters.clone().requires_grad_(True)
    objective, l_q = relaxed_worst_case(gradient.losses(run, whole, inputs, seeds).mean(1), q)
    (expected,) = torch.autograd.grad(objective.sum(), whole)
    found = gradients(run, q, parameters, inputs, seeds, size)
    for ours, theirs in zip(found, (expected, objective.detach(), l_q.detach()), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def test_slices_keep_no_more_than_the_budget_whatever_m():
    """Counted while a step runs: the bytes that the graph holds on to at any time."""
    run = under(40)
    budget = bytes_kept(run, 10)
    assert seeds_at_once(run.group, budget) == 10
    assert seeds_at_once(run.group, bytes_kept(run, 40)) == 40
    assert seeds_at_once(run.group, 1) == 1  # one seed at least
    held = most = 0

    class Held:
        def __init__(self, tensor):
            nonlocal held, most
            self.tensor = tensor
            held += tensor.untyped_storage().nbytes()
            most = max(most, held)

        def __del__(self):
            nonlocal held
            held -= self.tensor.untyped_storage().nbytes()

    peaks = {}
    for m in (10, 40):
        most = held
        arguments = step_of(under(m), models=1)
        with torch.autograd.graph.saved_tensors_hooks(Held, lambda kept: kept.tensor):
            gradients(*arguments, 10)
        assert held == 0
        peaks[m] = most
    assert peaks[40] == pytest.approx(peaks[10], rel=0.01)  # the seeds themselves are more


def test_a_step_takes_as_many_seeds_at_once_as_the_budget_allows(monkeypatch):
    run, losses, seen = under(7), gradient.losses, []
    monkeypatch.setattr(gradient, "BUDGET", bytes_kept(run, 3))
    assert seeds_at_once(run.group, gradient.BUDGET) == 3
    monkeypatch.setattr(gradient, "losses", lambda run, *of: seen.append(of[-1].shape[1]) or losses(run, *of))
    run.training.step(run, torch.tensor([run.objective.q]), begin(run, CPU))
    assert seen == [3, 3, 1, 3, 3]


def test_q_rises_to_its_value_evenly_in_its_logarithm():
    training = RisingQ(steps=100, batch=1, rise=0.5)
    q = torch.tensor([1.0, 100.0])
    assert [training.q_at(step, q)[1].item() for step in (0, 25, 50, 99)] == pytest.approx([1, 10, 100, 100])
    assert training.q_at(10, q)[0] == 1
    assert RisingQ(steps=100, batch=1, rise=0.0).q_at(0, q) is q
    with pytest.raises(BadInput, match="rise = 2: give"):
        RisingQ(steps=100, batch=1, rise=2)


def test_a_rising_q_is_what_a_step_descends_on():
    """At the first step q is 1, whatever the model's: the same step as on the expected loss."""
    run = tiny(q=50)
    raised = replace(run, training=RisingQ(**vars(run.training), rise=1.0))
    states = [begin(run, CPU) for _ in range(2)]
    raised.training.step(raised, torch.tensor([50.0]), states[0])
    run.training.step(run, torch.tensor([1.0]), states[1])
    assert torch.equal(states[0].parameters, states[1].parameters)
