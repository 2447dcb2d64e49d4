import itertools

import pytest
import torch

from conftest import tiny
from randformer import training
from randformer.checks import BadInput
from randformer.gradient import Training
from randformer.training import State, train

CPU = torch.device("cpu")


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
    state = State(0, start.clone(), *torch.zeros(2, 2, 6), torch.zeros(2, 0), torch.zeros(2), [], torch.zeros(2, 0, 1))
    alone = [torch.nn.Parameter(row.clone()) for row in start]
    theirs = [torch.optim.AdamW([p], betas=(0.9, 0.95), eps=1e-3, weight_decay=0.1) for p in alone]
    scale = torch.tensor([[10.0], [0.1]])  # the first is clipped, the second is not
    for i in range(30):
        for k, optimizer in enumerate(theirs):
            alone[k].grad = scale[k] * (alone[k].detach() - k - 1)
            torch.nn.utils.clip_grad_norm_([alone[k]], 1.0)
            optimizer.param_groups[0]["lr"] = t.learning_rate(i)
            optimizer.step()
        t.descend(state, scale * (state.parameters - torch.tensor([[1.0], [2.0]])))
    torch.testing.assert_close(state.parameters, torch.stack([p.detach() for p in alone]), rtol=1e-4, atol=1e-5)


def test_training_lowers_the_loss(tmp_path):
    run = tiny(steps=400, batch=16, peak=1e-2)
    trained, _ = train([run], CPU, tmp_path, lambda steps: None)
    history = trained[run].history[0, :, 0]
    assert len(history) == training.HISTORY
    assert history[-20:].mean() < 0.8 * history[:5].mean()


@pytest.mark.parametrize("bad", [{"steps": 0}, {"batch": 0}, {"peak": -1e-3}, {"eps": "small"}, {"steps": 10.0}])
def test_impossible_trainings_are_refused(bad):
    (name,) = bad
    with pytest.raises(BadInput, match=f"{name} = .*: give"):
        Training(**({"steps": 1, "batch": 1} | bad))
