"""What both ways of training have in common: many models side by side, none knowing of the others, and checkpoints.

What is per model stays per model: parameters, optimizer moments, q, and one generator that draws its initial weights,
its fixed seed and all that its training draws. Training runs together or apart gives the same numbers. What a step does
is the business of run.training, gradient.GradientTraining or evolution.PGPE.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from randformer.contract import Tick
from randformer.core.transformer import initialize
from randformer.harness import checkpoints

if TYPE_CHECKING:
    from randformer.core.runs import NetworkRun

HISTORY = 200  # points of a loss history, each the mean over an equal stretch of steps
CHECKPOINT_SECONDS = 15.0


@dataclass
class State:
    """All that a training in progress is, for K models at the same step."""

    TENSORS = ("parameters", "exp_avg", "exp_avg_sq", "std", "seed", "history")  # what has a row per model

    step: int
    parameters: Tensor  # K, P
    exp_avg: Tensor  # K, P: Adam's mean of gradients
    exp_avg_sq: Tensor  # K, P: and of their squares
    std: Tensor  # K, P: of the search distribution around the parameters; K, 0 where there is a gradient
    seed: Tensor  # K, 1, 1, ...: each model's fixed seed (drawn, and ignored, for models with fresh seeds)
    generators: list[torch.Generator]
    history: Tensor  # K, points so far, 1 + what is watched: the mean loss L_q of a stretch of steps, then the latter
    seconds: float = 0.0  # of the processor for each model, in all processes that worked on it
    replayed: Callable | None = None  # on a GPU: a step's gradient, recorded for the tensors above

    def select(self, keep: Tensor) -> State:
        """The models where keep (K,) is true."""
        chosen = [g for g, k in zip(self.generators, keep.tolist(), strict=True) if k]
        rows = {name: getattr(self, name)[keep] for name in self.TENSORS}
        return replace(self, generators=chosen, replayed=None, **rows)

    def finite(self) -> Tensor:
        """Which models' numbers, as they would be stored, are all finite, (K,)."""
        stored = (self.parameters, self.std, self.history.flatten(1))
        return torch.stack([numbers.isfinite().all(1) for numbers in stored]).all(0)


def begin(run: NetworkRun, device: torch.device) -> State:
    """A run's state before its first step."""
    generator = torch.Generator(device).manual_seed(run.run_index)
    parameters = initialize(run.network, run.task.token_size, run.task.outputs, generator).unsqueeze(0)
    seed = run.task.draw_seeds(1, 1, generator).unsqueeze(0)
    zeros, std = torch.zeros_like(parameters), run.training.first_std(parameters)
    history = torch.zeros(1, 0, 1 + len(run.training.WATCHED), device=device)
    return State(0, parameters, zeros, zeros.clone(), std, seed, [generator], history)


def join(states: list[State]) -> State:
    """One state of all models; they must stand at the same step."""
    (step,) = {state.step for state in states}
    joined = {name: torch.cat([getattr(state, name) for state in states]) for name in State.TENSORS}
    generators, seconds = [g for state in states for g in state.generators], sum(state.seconds for state in states)
    return State(step=step, generators=generators, seconds=seconds / len(states), **joined)


def draw_inputs(run: NetworkRun, state: State) -> Tensor:
    """A step's inputs (K, B, ...), each model's from its own generator."""
    return torch.stack([run.task.draw_inputs(run.training.batch, g) for g in state.generators])


def draw_seeds(run: NetworkRun, state: State) -> Tensor:
    """A step's seeds (K, m, ...): fresh ones from each model's own generator, or its fixed one all the same."""
    drawn = torch.stack([run.task.draw_seeds(run.objective.m, run.training.batch, g) for g in state.generators])
    return state.seed if run.objective.fixed_seed else drawn


def adam(state: State, gradient: Tensor, rate: float, beta1: float, beta2: float, eps: float) -> None:
    """One step of Adam per model, in place, along gradients (K, P)."""
    state.exp_avg.lerp_(gradient, 1 - beta1)
    state.exp_avg_sq.lerp_(gradient.square(), 1 - beta2)
    first = state.exp_avg / (1 - beta1 ** (state.step + 1))
    second = state.exp_avg_sq / (1 - beta2 ** (state.step + 1))
    state.parameters -= rate * first / (second.sqrt() + eps)
    state.step += 1


def train(runs: list[NetworkRun], device: torch.device, cache: Path, tick: Tick) -> tuple[dict, dict]:
    """Train runs that differ in q and number only; returns ({run: State}, {run that diverged: its step}).

    Resumes each run from its checkpoint in the cache folder, if one is there that fits. tick(n) hears of n model-steps
    that are done here.
    """
    states = {
        run: checkpoints.load(cache, run, device, partial(resumed, run, device)) or begin(run, device) for run in runs
    }
    trained, diverged = {}, {}
    for at in sorted({state.step for state in states.values()}):
        together = [run for run in runs if states[run].step == at]
        done, lost = train_together(together, join([states[run] for run in together]), cache, tick)
        trained, diverged = trained | done, diverged | lost
    return trained, diverged


def saved_state(state: State, k: int) -> dict[str, Tensor]:
    """Model k's part of a state, for a checkpoint."""
    return {
        "step": torch.tensor(state.step),
        "seconds": torch.tensor(state.seconds),
        "generator": state.generators[k].get_state(),
        **{name: getattr(state, name)[k : k + 1].contiguous() for name in state.TENSORS},
    }


def resumed(run: NetworkRun, device: torch.device, tensors: dict[str, Tensor]) -> State:
    """The state, of K = 1, that a checkpoint holds. Raises KeyError, ValueError for what a run cannot have saved."""
    state, step, stretch = begin(run, device), int(tensors["step"]), stretch_of(run)
    if step % stretch or not 0 < step < run.training.steps:
        raise ValueError(f"step {step} is none at which a training of {run.training.steps} is saved")
    state.history = state.history.new_zeros(1, step // stretch, state.history.shape[2])
    for name, fresh in saved_state(state, 0).items():
        saved = tensors[name]
        if saved.shape != fresh.shape or saved.dtype != fresh.dtype:
            raise ValueError(f"{name} is {saved.dtype} {list(saved.shape)}, not {fresh.dtype} {list(fresh.shape)}")
    state.generators[0].set_state(tensors["generator"])
    state.step, state.seconds = step, float(tensors["seconds"])
    for name in state.TENSORS:
        setattr(state, name, tensors[name].to(device))
    return state


def stretch_of(run: NetworkRun) -> int:
    """Steps that a point of a loss history is the mean of; the last point may have fewer."""
    return math.ceil(run.training.steps / HISTORY)


def train_together(runs: list[NetworkRun], state: State, cache: Path, tick: Tick) -> tuple[dict, dict]:
    """The loop behind train, for runs at the same step."""
    training, diverged, saved, began = runs[0].training, {}, time.monotonic(), time.process_time()
    stretch = stretch_of(runs[0])
    q = torch.tensor([run.objective.q for run in runs], device=state.parameters.device)
    while runs and state.step < training.steps:
        total = torch.zeros(len(runs), dtype=torch.float64, device=q.device)
        end = min(training.steps, state.step + stretch)
        steps = end - state.step
        while runs and state.step < end:
            l_q, finite = training.step(runs[0], q, state)
            finite &= l_q.isfinite()
            total += l_q
            if not finite.all():
                runs, state = without_lost(runs, state, finite, diverged)
                q, total = q[finite], total[finite]
        if runs:
            state.seconds += (time.process_time() - began) / len(runs)
            began = time.process_time()
            point = torch.cat([(total / steps).float().unsqueeze(1), training.watch(runs[0], state)], 1)
            state.history = torch.cat([state.history, point.unsqueeze(1)], 1)
            finite = state.finite()  # no later step notices what the last update, or that before a checkpoint, did
            if not finite.all():
                runs, state = without_lost(runs, state, finite, diverged)
                q = q[finite]
        tick(steps * len(runs))
        if runs and time.monotonic() - saved > CHECKPOINT_SECONDS and state.step < training.steps:
            for k, run in enumerate(runs):
                checkpoints.save(cache, run, state.parameters.device, saved_state(state, k))
            saved = time.monotonic()
    return {run: state.select(torch.arange(len(runs)) == k) for k, run in enumerate(runs)}, diverged


def without_lost(runs: list[NetworkRun], state: State, finite: Tensor, diverged: dict) -> tuple[list, State]:
    """Runs and state where finite (K,) is true; the other runs are put down in diverged with the step."""
    diverged |= {run: state.step for run, ok in zip(runs, finite.tolist(), strict=True) if not ok}
    return [run for run in runs if run not in diverged], state.select(finite)
