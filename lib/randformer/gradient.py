"""Training by gradient: Adam on the relaxed worst case, as tables 1 and 2 have it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .checks import at_least
from .objective import relaxed_worst_case
from .training import State, adam, draw_seeds


@dataclass(frozen=True)
class Training:
    """The optimizer's row of tables 1 and 2. Raises BadInput where a field has an impossible value."""

    WATCHED = ()  # nothing beside the loss

    steps: int
    batch: int  # inputs per step
    warmup: int = 1000  # steps of linear rise to the peak learning rate
    peak: float = 1e-3
    final: float = 1e-4  # reached along half a cosine (the tables say annealed; the shape is our choice)
    beta1: float = 0.9
    beta2: float = 0.95
    eps: float = 1e-3
    weight_decay: float = 0.1  # decoupled from the gradient, as in AdamW, on every parameter (our choice)
    clip: float = 1.0  # largest norm of one model's gradient

    def __post_init__(self):
        at_least("steps", self.steps, 1)
        at_least("batch", self.batch, 1)
        at_least("warmup", self.warmup, 0)
        for name in ("peak", "final", "beta1", "beta2", "eps", "weight_decay", "clip"):
            at_least(name, getattr(self, name), 0.0)

    def learning_rate(self, step: int) -> float:
        """Of step 0, 1, ... steps - 1."""
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        along = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.final + (self.peak - self.final) * (1 + math.cos(math.pi * along)) / 2

    def first_std(self, parameters: Tensor) -> Tensor:
        """No search distribution: (K, 0)."""
        return parameters[:, :0].clone()

    def watch(self, run, state: State) -> Tensor:
        """Nothing, (K, 0)."""
        return state.parameters[:, :0]

    def step(self, run, q: Tensor, state: State) -> tuple[Tensor, Tensor]:
        """One training step in place: L_q (K,) before it, and which models are still finite (K,).

        A model that is not finite any more is not to be trained on: drop it from the state.
        """
        state.parameters.requires_grad_(True)
        objective, l_q = relaxed_worst_case(losses(run, state), q)
        (gradient,) = torch.autograd.grad(objective.sum(), state.parameters)
        state.parameters.requires_grad_(False)
        finite = objective.isfinite() & gradient.isfinite().all(1)
        self.descend(state, gradient)
        return l_q, finite

    def descend(self, state: State, gradient: Tensor) -> None:
        """Adam with decoupled weight decay and clipping by norm, per model, in place."""
        gradient = gradient * (self.clip / gradient.norm(dim=1, keepdim=True).clamp_min(self.clip))
        rate = self.learning_rate(state.step)
        state.parameters *= 1 - rate * self.weight_decay
        adam(state, gradient, rate, self.beta1, self.beta2, self.eps)


def losses(run, state: State) -> Tensor:
    """One step's losses (K, m, B) of all models, each on inputs and seeds drawn by its own generator."""
    inputs = torch.stack([run.task.draw_inputs(run.training.batch, g) for g in state.generators])
    return run.task.losses(run.network, state.parameters, inputs, draw_seeds(run, state))
