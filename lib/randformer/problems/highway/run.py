"""One training of a stack by one way to take its gradient, and what it learned."""

from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from randformer.core.highway import GRU, Highway, cosine
from randformer.core.solo import SoloRun, Tensors
from randformer.core.training import adam
from randformer.harness.checks import BadInput, at_least, one_of
from randformer.problems.highway import data

DATA = {"digits": (64, 10), "pixels": (1, 10), "adding": (2, 1)}  # numbers seen at once, numbers said
WAYS = ("backpropagation", "highway", "fixed point")
CLIP = 1.0  # largest norm of a gradient
BETAS, EPS = (0.9, 0.999), 1e-8  # of Adam
COMPARED = 128  # samples on which gradients are compared


@dataclass(frozen=True)
class StackRun(SoloRun):
    """A residual MLP for digits, else a GRU. Raises BadInput where a field has an impossible value."""

    NUMERICS, EVALUATION, problem, STORED = 1, 1, "highway", ("parameters",)

    data: str
    layers: int  # L: layers, or steps of the recurrence
    units: int
    batch: int
    learning_rate: float  # of Adam, falling evenly to 0
    way: str
    k: int  # iterations; of backpropagation L, which it equals

    def __post_init__(self):
        super().__post_init__()
        one_of("data", self.data, DATA)
        one_of("way", self.way, WAYS)
        at_least("layers", self.layers, 2)
        for name in ("units", "batch"):
            at_least(name, getattr(self, name), 1)
        at_least("learning_rate", self.learning_rate, 0.0)
        at_least("k", self.k, 0, self.layers)
        if self.way == "backpropagation" and self.k != self.layers:
            raise BadInput(f"k = {self.k}: give {self.layers}, all layers, for backpropagation")
        if self.data == "pixels" and self.layers != 64:
            raise BadInput(f"layers = {self.layers}: give 64, the pixels of an image")

    @property
    def width(self) -> int:
        """Layers that a batch goes through in a step."""
        return self.batch * self.layers

    def begin(self, generator: torch.Generator) -> Tensors:
        """Parameters (P,) and Adam's moments: the same for all ways, of one run_index."""
        network = Network(self)
        initialize(network, generator)
        parameters = parameters_to_vector(network.parameters()).detach().clone()
        return {"parameters": parameters} | {name: torch.zeros_like(parameters) for name in ("exp_avg", "exp_avg_sq")}

    def advance(self, tensors: Tensors, step: int, generator: torch.Generator) -> float:
        """A step of Adam on fresh samples; their loss before it."""
        network = placed(self, tensors["parameters"])
        loss = network.loss(*data.drawn(self.data, self.layers, self.run_index, self.batch, generator))
        gradient = parameters_to_vector(torch.autograd.grad(loss, list(network.parameters())))
        gradient *= CLIP / gradient.norm().clamp_min(CLIP)
        rate = self.learning_rate * (1 - step / self.steps)
        adam(SimpleNamespace(step=step, **tensors), gradient, rate, *BETAS, EPS)
        return float(loss.detach())

    def evaluate(self, record: dict) -> dict:
        """Loss and accuracy [%] on test samples, and cosines before and after training (cosines_of)."""
        network = placed(self, record["parameters"])
        seen, targets = data.tested(self.data, self.layers, self.run_index)
        with torch.no_grad():
            said, loss = network(seen), float(network.loss(seen, targets))
        accuracy = 100 * float(data.right(said, targets).double().mean())
        before = self.begin(torch.Generator().manual_seed(self.run_index))["parameters"]
        cosines = {"before": cosines_of(self, before), "after": cosines_of(self, record["parameters"])}
        return {"loss": loss, "accuracy": accuracy, "cosines": cosines}


class Network(nn.Module):
    """What is seen, read into the stack; its last state, read out."""

    def __init__(self, run: StackRun):
        super().__init__()
        (seen, said), units = DATA[run.data], run.units
        self.recurrent, self.units = run.data != "digits", units
        if self.recurrent:
            blocks = GRU(nn.GRUCell(seen, units))
        else:
            self.read_in = nn.Linear(seen, units)
            maps = [(nn.Linear(units, units), nn.Linear(units, units)) for _ in range(run.layers)]
            blocks = [nn.Sequential(nn.LayerNorm(units), first, nn.ReLU(), second) for first, second in maps]
        exact = run.way == "backpropagation"
        self.stack = Highway(blocks, None if exact else run.k, run.way == "fixed point")
        self.read_out = nn.Linear(units, said)

    def forward(self, seen: Tensor) -> Tensor:
        """Samples (B, ...) to what is said of them (B, numbers said)."""
        if not self.recurrent:
            return self.read_out(self.stack(self.read_in(seen))[-1])
        first = seen.new_zeros(len(seen), self.units)
        return self.read_out(self.stack(first, seen.transpose(0, 1))[-1])

    def loss(self, seen: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of digits, mean squared error of sums."""
        said = self(seen)
        if targets.is_floating_point():
            return (said.squeeze(-1) - targets).square().mean()
        return nn.functional.cross_entropy(said, targets)


def initialize(network: nn.Module, generator: torch.Generator) -> None:
    """Matrices uniform within 1 / sqrt(numbers that they read), as torch has them; biases 0, LayerNorm's weights 1."""
    for name, parameter in network.named_parameters():
        with torch.no_grad():
            if parameter.dim() == 1:
                parameter.fill_(float(name.endswith(".0.weight")))
            else:
                parameter.uniform_(-1, 1, generator=generator).mul_(parameter.shape[1] ** -0.5)


@lru_cache(maxsize=8)
def network_of(run: StackRun) -> Network:
    """Made once for all steps of a training."""
    return Network(run)


def placed(run: StackRun, parameters: Tensor) -> Network:
    """The run's network with those parameters (P,)."""
    network = network_of(run)
    vector_to_parameters(parameters, network.parameters())
    return network


def ks(layers: int) -> list[int]:
    """Iterations at which gradients are compared: 0, 1, 2, 4, ... and all."""
    return [0, *(2**i for i in range(layers.bit_length()) if 2**i < layers), layers]


def cosines_of(run: StackRun, parameters: Tensor) -> dict:
    """Cosine of iterated and exact gradient of the stack, by k of ks, in double precision, on test samples.

    "whole": of all its parameters; "layers": (ks, L), of each layer's parameters, or of the state before each step.
    "fixed point": whole, of the iteration with an empty residual path.
    """
    exact = gradient_of(run, parameters, None)
    found = {"k": ks(run.layers), "whole": [], "layers": [], "fixed point": []}
    for k in found["k"]:
        whole, layers = gradient_of(run, parameters, k)
        found["whole"].append(cosine(whole, exact[0]))
        found["layers"].append([round(cosine(*pair), 4) for pair in zip(layers, exact[1], strict=True)])
        found["fixed point"].append(cosine(gradient_of(run, parameters, k, True)[0], exact[0]))
    return found


def gradient_of(run: StackRun, parameters: Tensor, k: int | None, fixed_point: bool = False) -> tuple[list, list]:
    """The gradient of the stack's parameters, and layer by layer (lists of tensors)."""
    network = Network(run).double()
    vector_to_parameters(parameters.double(), network.parameters())
    network.stack.k, network.stack.fixed_point = k, fixed_point
    seen, targets = (part[:COMPARED] for part in data.tested(run.data, run.layers, run.run_index))
    seen = seen.double().requires_grad_()
    loss = network.loss(seen, targets.double() if targets.is_floating_point() else targets)
    own = list(network.stack.parameters())
    if network.recurrent:
        *whole, at = torch.autograd.grad(loss, [*own, seen])
        return whole, [[step] for step in at.unbind(1)]
    whole = list(torch.autograd.grad(loss, own))
    size = len(own) // run.layers
    return whole, [whole[i : i + size] for i in range(0, len(own), size)]
