import copy

import pytest
import torch
from torch import nn

from randformer.core.highway import GRU, LSTM, Added, Highway, cosine, depth, scan, scan_steps
from randformer.harness.checks import BadInput

L, B, D, F = 6, 3, 4, 2
STACKS = ("residual MLP", "pre-norm transformer", "GRU", "LSTM", "damped")


class Damped(nn.Module):
    """x -> (1 - 0.2) x + z, the gate that the paper gives GPT-2."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(D, D)

    def forward(self, x):
        return torch.tensor(0.8), self.linear(x).tanh()


def made(name: str):
    """Blocks, first state and inputs (None where there are none), in double precision."""
    torch.manual_seed(1)
    x, inputs = torch.randn(B, D), None
    if name == "residual MLP":
        blocks = [nn.Sequential(nn.LayerNorm(D), nn.Linear(D, 5), nn.ReLU(), nn.Linear(5, D)) for _ in range(L)]
    elif name == "damped":
        blocks = [Damped() for _ in range(L)]
    elif name == "pre-norm transformer":
        options = {"dropout": 0.0, "batch_first": True, "norm_first": True}
        blocks = [Added(nn.TransformerEncoderLayer(D, 2, 7, **options)) for _ in range(L)]
        x = torch.randn(B, 5, D)
    else:
        inputs = torch.randn(L, B, F).double().requires_grad_()
        blocks = GRU(nn.GRUCell(F, D)) if name == "GRU" else LSTM(nn.LSTMCell(F, D))
        x = torch.randn(B, D if name == "GRU" else 2 * D)
    (blocks if inputs is not None else nn.ModuleList(blocks)).double()
    return blocks, x.double().requires_grad_(), inputs


def gradients(name: str, k: int | None, fixed_point: bool = False) -> list[torch.Tensor]:
    """Of a loss that looks at all states, in everything that it depends on."""
    blocks, x, inputs = made(name)
    stack = Highway(blocks, k, fixed_point)
    states = stack(x, *[] if inputs is None else [inputs])
    weights = torch.linspace(-1, 2, states.numel(), dtype=torch.float64).reshape(states.shape)
    loss = (weights * states.sin()).sum()
    leaves = [x, *([] if inputs is None else [inputs]), *stack.parameters()]
    loss.backward()
    return [leaf.grad for leaf in leaves]


@pytest.mark.parametrize("fixed_point", [False, True])
@pytest.mark.parametrize("name", STACKS)
def test_all_iterations_are_backpropagation_and_none_is_not(name, fixed_point):
    exact = gradients(name, None)
    found = gradients(name, L, fixed_point)
    for ours, theirs in zip(found, exact, strict=True):
        assert (ours - theirs).abs().max() <= 1e-10
    assert cosine(gradients(name, 0, fixed_point), exact) < 1 - 1e-6


def test_paths_through_at_most_k_blocks_by_hand():
    """Linear blocks x -> x J: the gradient at the first state is the sum over all subsets of at most k blocks."""
    torch.manual_seed(0)
    blocks = [nn.Linear(D, D, bias=False).double() for _ in range(4)]
    terms = [torch.zeros(D, D).double() for _ in range(5)]
    for subset in range(16):
        product = torch.eye(D).double()
        for i, block in enumerate(blocks):
            if subset >> i & 1:
                product = block.weight.detach() @ product
        terms[subset.bit_count()] += product
    for k in range(5):
        x = torch.zeros(1, D).double().requires_grad_()
        Highway(blocks, k)(x)[-1, 0, 0].backward()
        assert torch.allclose(x.grad[0], sum(terms[: k + 1])[0])


@pytest.mark.parametrize(("name", "kind"), [("GRU", nn.GRU), ("LSTM", nn.LSTM)])
def test_recurrences_are_torch_s(name, kind):
    blocks, x, inputs = made(name)
    theirs = kind(F, D).double()
    for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        getattr(theirs, f"{part}_l0").data = getattr(blocks.cell, part).data
    first = x.detach().unsqueeze(0)
    said, _ = theirs(inputs, first if name == "GRU" else tuple(part.contiguous() for part in first.chunk(2, -1)))
    assert torch.allclose(Highway(blocks, 2)(x, inputs)[..., :D], said)


def test_a_layer_that_has_its_own_residual_path_is_itself():
    layer = nn.Linear(D, D)
    x = torch.randn(B, D)
    assert torch.allclose(Highway([Added(layer)] * 2, 1)(x)[-1], layer(layer(x)), atol=1e-6)


def test_random_blocks_are_drawn_once():
    """A forward pass with dropout, seen from outside, is a function whose gradient is the one that is taken."""
    x = torch.ones(1, 100, requires_grad=True)
    states = Highway([nn.Dropout(0.5)], 1)(x)
    states.sum().backward()
    assert torch.equal(x.grad, states[0].detach())
    assert set(x.grad.flatten().tolist()) == {1.0, 3.0}


def test_without_a_gradient_the_states_are_the_same():
    blocks, x, _ = made("residual MLP")
    with torch.no_grad():
        alone = Highway(blocks, 2)(x)
    assert torch.equal(alone, Highway(blocks, 2)(x).detach())
    assert torch.equal(alone, Highway(copy.deepcopy(blocks), None)(x).detach())


@pytest.mark.parametrize("layers", [1, 2, 3, 4, 7, 8, 9])
def test_a_scan_is_its_recurrence(layers):
    gates, b = torch.randn(layers, 2).double(), torch.randn(layers + 1, 2).double()
    expected = [b[-1]]
    for i in reversed(range(layers)):
        expected.append(b[i] + gates[i] * expected[-1])
    assert torch.allclose(scan(gates, b), torch.stack(expected[::-1]))
    assert 2 ** scan_steps(layers) >= layers + 1 > 2 ** (scan_steps(layers) - 1)


def test_what_is_done_one_after_another():
    assert depth(64, None) == 64
    assert depth(63, 3) == 4 * (1 + 6)


def test_cosines():
    assert cosine([torch.ones(2), torch.zeros(1)], [torch.ones(2), torch.zeros(1)]) == pytest.approx(1)
    assert cosine([torch.zeros(2)], [torch.ones(2)]) == 0


def test_bad_input_is_told_in_a_line():
    blocks = [nn.Linear(D, D) for _ in range(3)]
    for k in (-1, 4, 1.5):
        with pytest.raises(BadInput, match=r"k = .*: give a whole number, at least 0 and at most 3"):
            Highway(blocks, k)
    with pytest.raises(BadInput, match="blocks: give at least one"):
        Highway([], 1)
    with pytest.raises(BadInput, match="inputs: give them"):
        Highway(blocks, 1)(torch.zeros(1, D), torch.zeros(3, 1, D))
    with pytest.raises(BadInput, match="inputs: give them"):
        Highway(nn.Linear(D, D), 1)(torch.zeros(1, D))
    with pytest.raises(BadInput, match="at most 2"):
        Highway(GRU(nn.GRUCell(F, D)), 3)(torch.zeros(1, D), torch.zeros(2, 1, F))
