"""Highway backpropagation: the gradient of a stack of residual layers, iterated along the residual path.

*Accelerated training through iterative gradient propagation along the residual path*, Fagnou, Caillon, Delattre,
Allauzen (ICLR 2025). On a stack of one's own, in three lines:

    stack = Highway([Added(layer) for layer in layers], k=4)   # layers: torch.nn modules, x -> layer(x)
    loss = criterion(stack(x)[-1], targets)                    # states after each layer, (L, ...)
    loss.backward()                                            # all paths through at most 4 blocks

A layer i is x -> a_i * x + z_i: the residual path, whose Jacobian is the gate a_i (1 where there is none), and what a
block adds, whose Jacobian J_i is dear. With d_i the loss's own derivative at state i, and one block pass of all layers
in parallel for each iteration,

    w^0 = scan(d)      w^(n+1) = scan(d + w^n J)      where scan(b)_i = b_i + a_i * scan(b)_(i+1)

The gradient of layer i's parameters is w^k_(i+1) through its block. k = L is backpropagation.
"""

from collections.abc import Sequence
from math import ceil, log2

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from randformer.harness.checks import BadInput, at_least


class Added(nn.Module):
    """The block of a layer that has its residual path inside: what the layer adds to its input."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """x (...) to what is added, (...)."""
        return self.layer(x) - x


class GRU(nn.Module):
    """The block of a torch.nn.GRUCell: h -> u * h + (1 - u) * n; the gate is u."""

    def __init__(self, cell: nn.GRUCell):
        super().__init__()
        self.cell = cell

    def forward(self, h: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """States (..., D) and inputs (..., F) to gates and what is added, (..., D) each."""
        cell = self.cell
        seen = nn.functional.linear(inputs, cell.weight_ih, cell.bias_ih).chunk(3, -1)
        kept = nn.functional.linear(h, cell.weight_hh, cell.bias_hh).chunk(3, -1)
        reset, update = ((a + b).sigmoid() for a, b in zip(seen[:2], kept[:2], strict=True))
        return update, (1 - update) * (seen[2] + reset * kept[2]).tanh()


class LSTM(nn.Module):
    """The block of a torch.nn.LSTMCell. A state is (h, c), one behind the other: the gate is 0 for h and f for c."""

    def __init__(self, cell: nn.LSTMCell):
        super().__init__()
        self.cell = cell

    def forward(self, state: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """States (..., 2 D) and inputs (..., F) to gates and what is added, (..., 2 D) each."""
        cell, (h, c) = self.cell, state.chunk(2, -1)
        said = nn.functional.linear(inputs, cell.weight_ih, cell.bias_ih)
        i, f, g, o = (said + nn.functional.linear(h, cell.weight_hh, cell.bias_hh)).chunk(4, -1)
        i, f, o = i.sigmoid(), f.sigmoid(), o.sigmoid()
        written = i * g.tanh()
        shown = o * (f * c + written).tanh()
        return torch.cat([torch.zeros_like(f), f], -1), torch.cat([shown, written], -1)


class Highway(nn.Module):
    """A stack of residual layers whose gradient is that of k iterations; k = None: backpropagation.

    blocks: one module per layer, x (...) -> z or (a, z); or one module for all steps of a recurrence,
    (states, inputs) -> z or (a, z), which must take any axes before the last. fixed_point: the same iteration with an
    empty residual path (Wang and Ragni 2021). A block is called once for each forward pass, so it may be random. No
    second derivatives. Raises BadInput for k < 0 or above the number of layers, there where that is known.
    """

    def __init__(self, blocks: nn.Module | Sequence[nn.Module], k: int | None, fixed_point: bool = False):
        super().__init__()
        self.shared = isinstance(blocks, nn.Module) and not isinstance(blocks, nn.ModuleList)
        self.blocks = blocks if self.shared else nn.ModuleList(blocks)
        self.k, self.fixed_point = k, fixed_point
        if not self.shared and len(self.blocks) == 0:
            raise BadInput("blocks: give at least one")
        if k is not None:
            at_least("k", k, 0, *([] if self.shared else [len(self.blocks)]))

    def forward(self, x: Tensor, inputs: Tensor | None = None) -> Tensor:
        """First state (...) to the states after each layer (L, ...); inputs (L, ...) of a recurrence, one a step."""
        if self.shared is (inputs is None):
            raise BadInput("inputs: give them, one a step, to a recurrence, and to nothing else")
        layers = len(inputs) if self.shared else len(self.blocks)
        if self.k is None or not torch.is_grad_enabled():
            states = [x]
            for i in range(layers):
                states.append(layer(states[-1], *self.applied(i, states[-1], inputs)))
            return torch.stack(states[1:])
        at_least("k", self.k, 0, layers)
        return Iterated.apply(self, x, inputs, *self.blocks.parameters())

    def applied(self, i: int, x: Tensor, inputs: Tensor | None) -> tuple[Tensor | None, Tensor]:
        """Gate and what is added by the block of layer i; no gate: None."""
        said = self.blocks(x, inputs[i]) if self.shared else self.blocks[i](x)
        return said if isinstance(said, tuple) else (None, said)

    def cut(self, x: Tensor, inputs: Tensor | None) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
        """The stack cut between its layers: states (L + 1, ...), gates (L, ...), and, with graph, what goes in and out.

        Each layer's output depends on its own input only: (its inputs (L, ...), its outputs, a list of tensors whose
        first axes add up to L).
        """
        if self.shared:
            with torch.no_grad():
                states = [x]
                for i in range(len(inputs)):
                    states.append(layer(states[-1], *self.applied(i, states[-1], inputs)))
            before = torch.stack(states[:-1]).requires_grad_()
            said = self.blocks(before, inputs)
            gates, added = said if isinstance(said, tuple) else (None, said)
            outputs = [layer(self.path(before), gates, added)]
            gates = torch.ones_like(before) if gates is None else gates.detach().to(before).expand_as(before)
            return torch.stack(states), gates, before, outputs
        before = [x.detach().requires_grad_()]
        gates, outputs = [], []
        for i in range(len(self.blocks)):
            gate, added = self.applied(i, before[-1], None)
            outputs.append(layer(self.path(before[-1]), gate, added).unsqueeze(0))
            gates.append(torch.ones_like(x) if gate is None else gate.detach().to(x).expand_as(x))
            before.append(outputs[-1][0].detach().requires_grad_())
        return torch.stack(before).detach(), torch.stack(gates), before[:-1], outputs

    def path(self, x: Tensor) -> Tensor:
        """A layer's input as its residual path has it: to be left out of the block's Jacobian, or all of it there."""
        return x if self.fixed_point else x.detach()


def layer(x: Tensor, gate: Tensor | None, added: Tensor) -> Tensor:
    """A layer's output (...)."""
    return x + added if gate is None else gate * x + added


class Iterated(torch.autograd.Function):
    """The stack's states, and their gradient by iteration."""

    @staticmethod
    def forward(ctx, stack: Highway, x: Tensor, inputs: Tensor | None, *parameters: Tensor) -> Tensor:
        """States (L, ...) from the first one (...)."""
        with torch.enable_grad():
            leaf = None if inputs is None else inputs.detach().requires_grad_(inputs.requires_grad)
            states, ctx.gates, ctx.before, ctx.outputs = stack.cut(x.detach(), leaf)
        ctx.stack, ctx.leaves = stack, (leaf, *parameters)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx, direct: Tensor) -> tuple[Tensor | None, ...]:
        """From the loss's own derivatives at the states (L, ...)."""
        listed = isinstance(ctx.before, list)
        before = ctx.before if listed else [ctx.before]
        gates = torch.zeros_like(ctx.gates) if ctx.stack.fixed_point else ctx.gates
        sizes = [len(output) for output in ctx.outputs]

        def through(arriving: Tensor, wanted: list[Tensor]) -> tuple[Tensor | None, ...]:
            """One block pass of all layers, of what arrives behind them (L, ...)."""
            parts = arriving.split(sizes)
            return torch.autograd.grad(ctx.outputs, wanted, parts, retain_graph=True, allow_unused=True)

        direct = torch.cat([torch.zeros_like(direct[:1]), direct])
        w = scan(gates, direct)
        for _ in range(ctx.stack.k):
            found = through(w[1:], before)
            found = [torch.zeros_like(b) if f is None else f for f, b in zip(found, before, strict=True)]
            passed = torch.stack(found) if listed else found[0]
            w = scan(gates, direct + torch.cat([passed, torch.zeros_like(direct[:1])]))
        asked = [i for i, leaf in enumerate(ctx.leaves) if leaf is not None and leaf.requires_grad]
        gradients: list[Tensor | None] = [None] * len(ctx.leaves)
        for i, gradient in zip(asked, through(w[1:], [ctx.leaves[i] for i in asked]) if asked else (), strict=True):
            gradients[i] = gradient
        return None, w[0], *gradients


def scan(gates: Tensor, b: Tensor) -> Tensor:
    """w (L + 1, ...) with w_L = b_L and w_i = b_i + gates_i * w_(i+1), in scan_steps(L) steps of all at once."""
    layers, step = len(gates), 1
    carried = gates
    while step <= layers:
        reached = b[:-step] + carried * b[step:]  # w_i, of the terms up to i + 2 step - 1
        b = torch.cat([reached, b[-step:]])
        carried = carried[: max(0, layers + 1 - 2 * step)] * carried[step:]
        step *= 2
    return b


def scan_steps(layers: int) -> int:
    """Steps that a scan over so many layers takes, one after another."""
    return ceil(log2(layers + 1))


def depth(layers: int, k: int | None) -> int:
    """What k iterations do one after another: block passes and scan steps. Backpropagation (None): a pass a layer.

    The last block pass gives the gradient of the parameters.
    """
    return layers if k is None else (k + 1) * (1 + scan_steps(layers))


def cosine(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """Between two gradients, each a tensor per parameter; 0 where one of them is 0."""
    a, b = (torch.cat([part.flatten() for part in parts]).double() for parts in (one, other))
    lengths = float(a.norm() * b.norm())
    return float(a @ b) / lengths if lengths else 0.0
