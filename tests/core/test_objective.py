import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from randformer.core.objective import Objective, relaxed_worst_case
from randformer.harness.checks import BadInput


def draw(k: int = 2, m: int = 3, b: int = 5, seed: int = 0) -> torch.Tensor:
    return torch.rand(k, m, b, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def l_q(losses: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    return relaxed_worst_case(losses.mean(1), q)[1]


def test_q_1_is_the_expected_loss():
    losses = draw()
    for value in relaxed_worst_case(losses.mean(1), torch.ones(2, dtype=torch.float64)):
        torch.testing.assert_close(value, losses.mean((1, 2)))


@given(st.floats(1, 20), st.integers(0, 99))
def test_the_formula_of_equation_4(q, seed):
    losses = draw(seed=seed)
    expected = (losses.mean(1) ** q).mean(1) ** (1 / q)
    torch.testing.assert_close(l_q(losses, torch.full((2,), q, dtype=torch.float64)), expected)


@given(st.floats(1, 20), st.integers(0, 99))
def test_the_gradient_is_equation_5s_but_for_its_size(q, seed):
    losses = draw(seed=seed).requires_grad_(True)
    objective, _ = relaxed_worst_case(losses.mean(1), torch.full((2,), q, dtype=torch.float64))
    (ours,) = torch.autograd.grad(objective.sum(), losses)
    (theirs,) = torch.autograd.grad((losses.mean(1) ** q).mean(1).sum(), losses)
    scale = losses.detach().mean(1).amax(1).view(2, 1, 1) ** (q - 1)
    torch.testing.assert_close(ours * scale, theirs)


@given(st.floats(1, 20), st.integers(0, 99))
def test_with_its_root_the_gradient_is_that_of_equation_4(q, seed):
    losses = draw(seed=seed).requires_grad_(True)
    objective, l_q = relaxed_worst_case(losses.mean(1), torch.full((2,), q, dtype=torch.float64), rooted=True)
    (ours,) = torch.autograd.grad(objective.sum(), losses)
    theirs = (losses.mean(1) ** q).mean(1) ** (1 / q)
    torch.testing.assert_close(objective, theirs)
    torch.testing.assert_close(l_q, theirs.detach())
    torch.testing.assert_close(ours, torch.autograd.grad(theirs.sum(), losses)[0])


@pytest.mark.parametrize("q", [1.0, 2.0, 10.0, 100.0, 500.0])
def test_the_gradient_is_the_one_of_finite_differences(q):
    """Of equation 5 in units of the largest mean loss, that unit held fixed."""
    losses = draw(k=1)
    objective, _ = relaxed_worst_case(losses.requires_grad_(True).mean(1), torch.tensor([q]))
    (gradient,) = torch.autograd.grad(objective.sum(), losses)
    unit, step = losses.detach().mean(1).max(), 1e-7

    def equation_5(x: torch.Tensor) -> torch.Tensor:
        return unit * ((x.mean(1) / unit) ** q).mean()

    for place in ((0, 0, 0), (0, 2, 3), (0, 1, 4)):
        change = torch.zeros_like(losses)
        change[place] = step
        slope = (equation_5(losses.detach() + change) - equation_5(losses.detach() - change)) / (2 * step)
        assert gradient[place].item() == pytest.approx(slope.item(), rel=1e-4, abs=1e-9)


def test_large_q_approaches_the_worst_input_from_below():
    losses = draw(b=50)
    worst = losses.mean(1).amax(1)
    distance = [(worst - l_q(losses, torch.full((2,), q))).max().item() for q in (10.0, 100.0, 500.0)]
    assert distance[0] > distance[1] > distance[2] > 0
    # at worst all but one input have loss 0: then L_q = worst * n^(-1/q)
    torch.testing.assert_close(l_q(losses, torch.full((2,), 500.0)), worst, rtol=1 - 50 ** (-1 / 500), atol=0)


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1.0, 1e4, 1e30])
def test_q_500_neither_overflows_nor_vanishes_in_single_precision(scale):
    losses = (draw().float() * scale).requires_grad_(True)
    q = torch.full((2,), 500.0)
    objective, value = relaxed_worst_case(losses.mean(1), q)
    (gradient,) = torch.autograd.grad(objective.sum(), losses)
    torch.testing.assert_close(value / scale, l_q(losses.detach() / scale, q))
    worst = losses.detach().mean(1).argmax(1)
    assert gradient.isfinite().all()
    for k in range(2):  # q / n on the mean loss of the worst input
        assert gradient[k, :, worst[k]].sum().item() == pytest.approx(500 / 5, rel=1e-4)


def test_inputs_without_loss_and_batches_without_loss():
    losses = torch.zeros(2, 3, 5, requires_grad=True)
    objective, value = relaxed_worst_case(losses.mean(1), torch.tensor([1.0, 10.0]))
    (gradient,) = torch.autograd.grad(objective.sum(), losses)
    assert objective.tolist() == value.tolist() == [0, 0]
    assert gradient.isfinite().all()


def test_permuting_seeds_or_inputs_changes_nothing():
    losses, q = draw(), torch.tensor([3.0, 50.0], dtype=torch.float64)
    for permuted in (losses.flip(1), losses.flip(2)):
        for ours, theirs in zip(
            relaxed_worst_case(permuted.mean(1), q), relaxed_worst_case(losses.mean(1), q), strict=True
        ):
            torch.testing.assert_close(ours, theirs)


def test_models_with_their_own_q_do_not_mix():
    losses = draw()
    both = relaxed_worst_case(losses.mean(1), torch.tensor([2.0, 30.0]))
    for k, q in enumerate((2.0, 30.0)):
        for ours, alone in zip(both, relaxed_worst_case(losses[k : k + 1].mean(1), torch.tensor([q])), strict=True):
            torch.testing.assert_close(ours[k : k + 1], alone)


def test_the_four_models():
    four = [Objective(1, 1, True), Objective(10, 1, True), Objective(1, 10), Objective(10, 10)]
    assert [model.name for model in four] == ["A_r0^E", "A_r0^q", "A_R^E", "A_R^q"]
    assert Objective(10) == Objective(10.0)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"q": 0.5}, "q = 0.5: give a number, at least 1"),
        ({"q": float("nan")}, "q = nan: give a number, at least 1"),
        ({"q": "10"}, "q = '10': give a number, at least 1"),
        ({"m": 0}, "m = 0: give a whole number, at least 1"),
        ({"m": 2.0}, "m = 2.0: give a whole number, at least 1"),
        ({"m": 5, "fixed_seed": True}, "m = 5: a model with a fixed seed sees one seed, give m = 1"),
    ],
)
def test_impossible_models_are_refused(bad, told):
    with pytest.raises(BadInput) as error:
        Objective(**bad)
    assert str(error.value) == told


def test_the_infinite_norm_is_the_worst_inputs_mean_over_seeds():
    losses = torch.rand(3, 4, 7, generator=torch.Generator().manual_seed(0))
    q = torch.tensor([math.inf, 1.0, math.inf])
    _, l_q = relaxed_worst_case(losses.mean(1), q)
    worst, average = losses.mean(1).max(1).values, losses.mean((1, 2))
    torch.testing.assert_close(l_q, torch.stack([worst[0], average[1], worst[2]]))
    assert Objective(math.inf, 10).name == "A_R^q"


def test_a_models_numbers_do_not_depend_on_its_place_among_others():
    """Vectors of a processor's registers end in a tail that is computed in another way."""
    for k in (1, 3, 6, 16, 24):
        mean = torch.rand(k, 8, generator=torch.Generator().manual_seed(k))
        q = torch.linspace(1, 10, k)
        together = relaxed_worst_case(mean, q)
        alone = [relaxed_worst_case(row.clone(), one) for row, one in zip(mean.split(1), q.split(1), strict=True)]
        for i in range(2):
            assert torch.equal(together[i], torch.cat([found[i] for found in alone]))
