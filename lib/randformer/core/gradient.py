"""Training by gradient: Adam on the relaxed worst case, as tables 1 and 2 have it.

m seeds cost m times the time. They need not cost m times the memory: equation 5's gradient is a sum over seeds as soon
as one knows what each input's mean loss weighs, q * mean^(q - 1). A first pass without a gradient finds the mean
losses, a second adds up the gradient slice by slice of the seeds. Steps that fit into the memory take a single pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from randformer.core.cuda_graphs import Replayed
from randformer.core.objective import relaxed_worst_case
from randformer.core.training import State, adam, draw_inputs, draw_seeds
from randformer.harness.checks import at_least

if TYPE_CHECKING:
    from randformer.core.runs import NetworkRun

BUDGET = 2**27  # bytes that one model's step may keep for its gradient, 128 MiB; more is done in slices of the seeds


@dataclass(frozen=True)
class GradientTraining:
    """The optimizer's row of tables 1 and 2. Raises BadInput where a field has an impossible value."""

    WATCHED = ()  # nothing beside the loss
    UNITS = ("steps", "inputs")  # what steps and batch count

    steps: int
    batch: int  # inputs per step
    warmup: int = 1000  # steps of linear rise to the peak learning rate
    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-4  # reached along half a cosine (the tables say annealed; the shape is our choice)
    beta1: float = 0.9
    beta2: float = 0.95
    eps: float = 1e-3
    weight_decay: float = 0.1  # decoupled from the gradient, as in AdamW, on every parameter (our choice)
    clip: float = 1.0  # largest norm of one model's gradient

    def __post_init__(self):
        at_least("steps", self.steps, 1)
        at_least("batch", self.batch, 1)
        at_least("warmup", self.warmup, 0)
        for name in ("learning_rate", "final_learning_rate", "eps", "weight_decay", "clip"):
            at_least(name, getattr(self, name), 0.0)
        for name in ("beta1", "beta2"):
            at_least(name, getattr(self, name), 0.0, 0.999999)

    def learning_rate_at(self, step: int) -> float:
        """Of step 0, 1, ... steps - 1."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        along = (step - self.warmup) / max(1, self.steps - self.warmup)
        return (
            self.final_learning_rate
            + (self.learning_rate - self.final_learning_rate) * (1 + math.cos(math.pi * along)) / 2
        )

    def q_at(self, step: int, q: Tensor) -> Tensor:
        """The q (K,) that step descends on, given that of the models."""
        return q

    def first_std(self, parameters: Tensor) -> Tensor:
        """No search distribution: (K, 0)."""
        return parameters[:, :0].clone()

    def watch(self, run: NetworkRun, state: State) -> Tensor:
        """Nothing, (K, 0)."""
        return state.parameters[:, :0]

    def step(self, run: NetworkRun, q: Tensor, state: State) -> tuple[Tensor, Tensor]:
        """One training step in place: L_q (K,) before it, and which models are still finite (K,).

        A model that is not finite any more is not to be trained on: drop it from the state.
        """
        q = self.q_at(state.step, q)
        if q.is_cuda and state.replayed is None:
            state.replayed = Replayed(partial(drawn_gradients, run), q, state)
        gradient, objective, l_q = state.replayed(q) if q.is_cuda else drawn_gradients(run, q, state)
        finite = objective.isfinite() & gradient.isfinite().all(1)
        self.descend(state, gradient)
        return l_q, finite

    def descend(self, state: State, gradient: Tensor) -> None:
        """Adam with decoupled weight decay and clipping by norm, per model, in place."""
        gradient = gradient * (self.clip / gradient.norm(dim=1, keepdim=True).clamp_min(self.clip))
        rate = self.learning_rate_at(state.step)
        state.parameters *= 1 - rate * self.weight_decay
        adam(state, gradient, rate, self.beta1, self.beta2, self.eps)


@dataclass(frozen=True)
class RisingQ(GradientTraining):
    """The same, with a q that rises from 1 to its value, evenly in its logarithm (our choice, against a constant q)."""

    rise: float = 0.5  # share of the steps on which it does

    def __post_init__(self):
        super().__post_init__()
        at_least("rise", self.rise, 0.0, 1.0)

    def q_at(self, step: int, q: Tensor) -> Tensor:
        """The q (K,) that step descends on, given that of the models."""
        end = self.rise * self.steps
        return q ** min(1.0, step / end) if end else q


def drawn_gradients(run: NetworkRun, q: Tensor, state: State) -> tuple[Tensor, Tensor, Tensor]:
    """gradients of the state's models for q (K,), on inputs and seeds that their generators draw."""
    size = seeds_at_once(run.group, BUDGET)
    return gradients(run, q, state.parameters, draw_inputs(run, state), draw_seeds(run, state), size)


def gradients(
    run: NetworkRun, q: Tensor, parameters: Tensor, inputs: Tensor, seeds: Tensor, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradient (K, P), and what relaxed_worst_case says (K,) each, of models (K, P), in slices of size seeds.

    All slices but the last go through the network twice. Any size gives the same numbers, to rounding.
    """
    *others, last = seeds.split(size, 1)
    with torch.no_grad():
        total = sum(losses(run, parameters, inputs, part).sum(1) for part in others)
    parameters = parameters.detach().requires_grad_(True)
    kept = losses(run, parameters, inputs, last)  # (K, size, B), with all that its gradient needs
    mean = ((total + kept.detach().sum(1)) / seeds.shape[1]).requires_grad_(True)
    objective, l_q = relaxed_worst_case(mean, q, run.objective.root)
    (weight,) = torch.autograd.grad(objective.sum(), mean)
    weight = (weight / seeds.shape[1]).unsqueeze(1)  # of each input's loss under one seed
    (gradient,) = torch.autograd.grad(kept, parameters, weight.expand_as(kept))
    del kept
    for part in others:
        again = losses(run, parameters, inputs, part)
        gradient += torch.autograd.grad(again, parameters, weight.expand_as(again))[0]
    return gradient, objective.detach(), l_q


def losses(run: NetworkRun, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
    """Losses (K, m, B) of models (K, P) on their inputs under their seeds."""
    return run.task.losses(run.network, parameters, inputs, seeds)


@lru_cache(maxsize=64)
def seeds_at_once(run: NetworkRun, budget: int) -> int:
    """How many of a step's m seeds one pass may take, for one model to keep no more than so many bytes; at least 1.

    Whatever else is trained beside it: that must not change a run's numbers.
    """
    if (one := bytes_kept(run, 1)) * run.objective.m <= budget:
        return run.objective.m
    more = bytes_kept(run, 2) - one
    return min(run.objective.m, max(1, 1 + (budget - one) // more))


def bytes_kept(run: NetworkRun, m: int) -> int:
    """What a step of one model keeps of its forward pass until the gradient is taken, under m seeds; it is counted."""
    sizes, parameters, generator = {}, torch.zeros(1, run.parameters, requires_grad=True), torch.Generator()
    drawn = run.task.draw_inputs(run.training.batch, generator), run.task.draw_seeds(m, run.training.batch, generator)

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        kept = losses(run, parameters, *(each.unsqueeze(0) for each in drawn))
    del kept
    return sum(sizes.values())
