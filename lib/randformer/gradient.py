"""Training by gradient: Adam on the relaxed worst case, many models side by side, none knowing of the others.

What is per model stays per model: parameters, optimizer moments, clipping, q, and one generator that draws its
initial weights, its fixed seed, its inputs and its seeds. Training runs together or apart gives the same numbers.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from .checks import at_least
from .objective import relaxed_worst_case
from .records import load_checkpoint, save_checkpoint
from .transformer import initialize

HISTORY = 200  # points of a loss history, each the mean over an equal stretch of steps
CHECKPOINT_SECONDS = 15.0


@dataclass(frozen=True)
class Training:
    """The optimizer's row of tables 1 and 2. Raises BadInput where a field has an impossible value."""

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


@dataclass
class State:
    """All that a training in progress is, for K models at the same step."""

    TENSORS = ("parameters", "first", "second", "seed", "history")  # what has a row per model

    step: int
    parameters: Tensor  # K, P
    first: Tensor  # K, P: Adam's mean of gradients
    second: Tensor  # K, P: and of their squares
    seed: Tensor  # K, 1, 1, ...: each model's fixed seed (drawn, and ignored, for models with fresh seeds)
    generators: list[torch.Generator]
    history: Tensor  # K, points so far

    def select(self, keep: Tensor) -> "State":
        """The models where keep (K,) is true."""
        chosen = [g for g, k in zip(self.generators, keep.tolist(), strict=True) if k]
        return replace(self, generators=chosen, **{name: getattr(self, name)[keep] for name in self.TENSORS})


def begin(run, device: torch.device) -> State:
    """A run's state before its first step."""
    generator = torch.Generator(device).manual_seed(run.number)
    parameters = initialize(run.network, run.task.token_size, run.task.outputs, generator).unsqueeze(0)
    seed = run.task.draw_seeds(1, 1, generator).unsqueeze(0)
    zeros = torch.zeros_like(parameters)
    return State(0, parameters, zeros, zeros.clone(), seed, [generator], torch.zeros(1, 0, device=device))


def join(states: list[State]) -> State:
    """One state of all models; they must stand at the same step."""
    (step,) = {state.step for state in states}
    joined = {name: torch.cat([getattr(state, name) for state in states]) for name in State.TENSORS}
    return State(step=step, generators=[g for state in states for g in state.generators], **joined)


def losses(run, state: State) -> Tensor:
    """One step's losses (K, m, B) of all models, each on inputs and seeds drawn by its own generator."""
    task, m, batch = run.task, run.model.m, run.training.batch
    drawn = [(task.draw_inputs(batch, g), task.draw_seeds(m, batch, g)) for g in state.generators]
    inputs = torch.stack([x for x, _ in drawn])
    seeds = state.seed if run.model.fixed_seed else torch.stack([r for _, r in drawn])
    return task.losses(run.network, state.parameters, inputs, seeds)


def adam(training: Training, state: State, gradient: Tensor) -> None:
    """One step of Adam with decoupled weight decay and clipping by norm, per model, in place."""
    gradient = gradient * (training.clip / gradient.norm(dim=1, keepdim=True).clamp_min(training.clip))
    state.first.lerp_(gradient, 1 - training.beta1)
    state.second.lerp_(gradient.square(), 1 - training.beta2)
    first = state.first / (1 - training.beta1 ** (state.step + 1))
    second = state.second / (1 - training.beta2 ** (state.step + 1))
    rate = training.learning_rate(state.step)
    state.parameters *= 1 - rate * training.weight_decay
    state.parameters -= rate * first / (second.sqrt() + training.eps)
    state.step += 1


def step(run, q: Tensor, state: State) -> tuple[Tensor, Tensor]:
    """One training step in place: L_q (K,) before it, and which models are still finite (K,).

    A model that is not finite any more is not to be trained on: drop it from the state.
    """
    state.parameters.requires_grad_(True)
    objective, l_q = relaxed_worst_case(losses(run, state), q)
    (gradient,) = torch.autograd.grad(objective.sum(), state.parameters)
    state.parameters.requires_grad_(False)
    finite = objective.isfinite() & gradient.isfinite().all(1)
    adam(run.training, state, gradient)
    return l_q, finite


def train(runs: list, device: torch.device, cache: Path, tick: Callable[[int], None]) -> tuple[dict, dict]:
    """Train runs that differ in q and number only; returns ({run: State}, {run that diverged: its step}).

    Resumes each run from its checkpoint in the cache folder, if one is there. tick(n) hears of every n model-steps.
    """
    states = {run: load_checkpoint(cache, run, device, begin(run, device)) for run in runs}
    trained, diverged = {}, {}
    for at in sorted({state.step for state in states.values()}):
        together = [run for run in runs if states[run].step == at]
        tick(at * len(together))
        done, lost = train_together(together, join([states[run] for run in together]), cache, tick)
        trained, diverged = trained | done, diverged | lost
    return trained, diverged


def train_together(runs: list, state: State, cache: Path, tick: Callable[[int], None]) -> tuple[dict, dict]:
    """The loop behind train, for runs at the same step."""
    training, diverged, saved = runs[0].training, {}, time.monotonic()
    stretch = math.ceil(training.steps / HISTORY)
    q = torch.tensor([run.model.q for run in runs], device=state.parameters.device)
    while runs and state.step < training.steps:
        total = torch.zeros(len(runs), dtype=torch.float64, device=q.device)
        end = min(training.steps, state.step + stretch)
        steps = end - state.step
        while runs and state.step < end:
            l_q, finite = step(runs[0], q, state)
            total += l_q
            if not finite.all():
                lost = [run for run, ok in zip(runs, finite.tolist(), strict=True) if not ok]
                diverged |= {run: state.step for run in lost}
                runs = [run for run in runs if run not in lost]
                state, q, total = state.select(finite), q[finite], total[finite]
        state.history = torch.cat([state.history, (total / steps).float().unsqueeze(1)], 1)
        tick(steps * len(runs))
        if runs and time.monotonic() - saved > CHECKPOINT_SECONDS and state.step < training.steps:
            save_checkpoint(cache, runs, state)
            saved = time.monotonic()
    return {run: state.select(torch.arange(len(runs)) == k) for k, run in enumerate(runs)}, diverged
