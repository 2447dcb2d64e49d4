"""Trainings of other networks than the project's own: one at a time, whatever they learn and however.

A subclass says what its state is, a dict of tensors, how it begins and what a step does to it. Here are the record's
config and key, the loop, checkpoints and the loss history.
"""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from math import ceil
from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor

from randformer.contract import Tick, Trained
from randformer.core.training import CHECKPOINT_SECONDS, HISTORY
from randformer.harness import checkpoints
from randformer.harness.checks import at_least
from randformer.harness.records import digits, key
from randformer.harness.serial import encoded

Tensors = dict[str, Tensor]


@dataclass
class Progress:
    """A training under way."""

    tensors: Tensors
    generator: torch.Generator
    step: int = 0
    history: list[float] = field(default_factory=list)  # mean losses of equal stretches of steps
    seconds: float = 0.0  # of the processor


@dataclass(frozen=True)
class SoloRun(ABC):
    """A contract.Run, trained alone and on the processor. Its fields have no defaults: all stand in its config."""

    NUMERICS: ClassVar[int]
    EVALUATION: ClassVar[int]
    problem: ClassVar[str]
    STORED: ClassVar[tuple[str, ...]]  # the tensors of the state that the record keeps

    steps: int
    run_index: int

    def __post_init__(self):
        at_least("steps", self.steps, 1)

    @property
    def kind(self) -> type:
        return type(self)

    @cached_property
    def config(self) -> dict:
        """What record and key are made of, as JSON."""
        return encoded(self) | {"experiment": self.problem, "version": self.NUMERICS}

    @cached_property
    def key(self) -> str:
        """Name of its record's folder."""
        return key(self.config)

    @property
    def point(self) -> Self:
        """What repetitions have in common."""
        return replace(self, run_index=0)

    @property
    def group(self) -> Self:
        """The run: none is trained side by side with another, so each has its record as soon as it is done."""
        return self

    @property
    @abstractmethod
    def width(self) -> int:
        """Sequences, or what takes about as long, through the network in a step."""

    @property
    def cost(self) -> int:
        """The same in the whole training."""
        return self.steps * self.width

    @abstractmethod
    def begin(self, generator: torch.Generator) -> Tensors:
        """The state before the first step; the generator stands at run_index."""

    @abstractmethod
    def advance(self, tensors: Tensors, step: int, generator: torch.Generator) -> float:
        """Do step 0, 1, ... to the state, in place, and return its loss."""

    @abstractmethod
    def evaluate(self, record: dict) -> dict:
        """What the figures need of a restored record, as JSON numbers."""

    def memory(self, train: bool) -> int:
        """Bytes of what is stored, and while training of the whole state."""
        state = self.begin(torch.Generator().manual_seed(self.run_index))
        return sum(tensor.nbytes for name, tensor in state.items() if train or name in self.STORED)

    def content(self, tensors: Tensors) -> dict:
        """What run.json says besides the loss history, as JSON."""
        return {}

    def train(self, runs: list[Self], device: torch.device, cache: Path, tick: Tick) -> tuple[dict, dict]:
        """contract.Run.train, one after another, always on the processor."""
        trained, diverged = {}, {}
        for run in runs:
            progress = checkpoints.load(cache, run, device, partial(resumed, run)) or begun(run)
            tick(progress.step * run.width)
            lost = follow(run, progress, device, cache, tick)
            if lost is None:
                kept = {name: progress.tensors[name].contiguous() for name in run.STORED}
                content = {"loss_history": digits(torch.tensor(progress.history))} | run.content(progress.tensors)
                trained[run] = Trained(kept, content, progress.seconds)
            else:
                diverged[run] = lost
        return trained, diverged

    def restore(self, tensors: Tensors) -> dict:
        """{name: tensor} of STORED. Raises KeyError, ValueError where they do not fit."""
        expected = begun(self).tensors
        for name in self.STORED:
            if tensors[name].shape != expected[name].shape:
                raise ValueError(f"{name} is {list(tensors[name].shape)}, not {list(expected[name].shape)}")
        return {name: tensors[name] for name in self.STORED}

    def __str__(self) -> str:
        """Its problem and all its fields."""
        told = [f"{f.name}={getattr(self, f.name)}" for f in fields(self) if f.name != "run_index"]
        return " ".join([self.problem, *told, f"run={self.run_index}"])


def begun(run: SoloRun) -> Progress:
    """A training before its first step."""
    generator = torch.Generator().manual_seed(run.run_index)
    return Progress(run.begin(generator), generator)


def stretch_of(run: SoloRun) -> int:
    """Steps that a point of the history is the mean of."""
    return ceil(run.steps / HISTORY)


def follow(run: SoloRun, progress: Progress, device: torch.device, cache: Path, tick: Tick) -> int | None:
    """Train to the end; the step at which it diverged, if it did."""
    saved, began = time.monotonic(), time.process_time()
    while progress.step < run.steps:
        end = min(run.steps, progress.step + stretch_of(run))
        losses = [run.advance(progress.tensors, step, progress.generator) for step in range(progress.step, end)]
        tick(len(losses) * run.width)
        progress.history.append(sum(losses) / len(losses))
        progress.step = end
        numbers = [torch.tensor(progress.history), *(t for t in progress.tensors.values() if t.is_floating_point())]
        if not all(each.isfinite().all() for each in numbers):
            return end
        progress.seconds += time.process_time() - began
        began = time.process_time()
        if time.monotonic() - saved > CHECKPOINT_SECONDS and end < run.steps:
            checkpoints.save(cache, run, device, stored(progress))
            saved = time.monotonic()
    return None


def stored(progress: Progress) -> Tensors:
    """A training under way as tensors, for a checkpoint."""
    numbers = {
        "progress.step": torch.tensor(progress.step),
        "progress.seconds": torch.tensor(progress.seconds),
        "progress.history": torch.tensor(progress.history, dtype=torch.float64),
        "progress.generator": progress.generator.get_state(),
    }
    return {name: tensor.contiguous() for name, tensor in progress.tensors.items()} | numbers


def resumed(run: SoloRun, tensors: Tensors) -> Progress:
    """What stored put there. Raises KeyError, ValueError for what the run cannot have saved."""
    progress, step = begun(run), int(tensors["progress.step"])
    if step % stretch_of(run) or not 0 < step < run.steps:
        raise ValueError(f"step {step} is none at which a training of {run.steps} is saved")
    history = tensors["progress.history"].tolist()
    if len(history) != step // stretch_of(run):
        raise ValueError(f"a history of {len(history)} points is not that of step {step}")
    for name, fresh in progress.tensors.items():
        saved = tensors[name]
        if saved.shape != fresh.shape or saved.dtype != fresh.dtype:
            raise ValueError(f"{name} is {saved.dtype} {list(saved.shape)}, not {fresh.dtype} {list(fresh.shape)}")
        progress.tensors[name] = saved
    progress.generator.set_state(tensors["progress.generator"])
    return replace(progress, step=step, history=history, seconds=float(tensors["progress.seconds"]))
