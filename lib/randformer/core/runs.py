"""A training of the network on a task: what determines its numbers, and how the harness gets it trained and judged."""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from math import ceil, inf, prod
from pathlib import Path

import torch
from torch import Tensor

from randformer.contract import Compiled, Sized, Task, Tick, Trained
from randformer.core.evolution import PGPE
from randformer.core.gradient import GradientTraining
from randformer.core.objective import Objective
from randformer.core.training import State, train
from randformer.core.transformer import Network, shapes, unflatten
from randformer.harness import checkpoints
from randformer.harness.checks import BadInput
from randformer.harness.records import digits, key
from randformer.harness.serial import encoded


@dataclass(frozen=True)
class NetworkRun:
    """One training from one set of initial weights. Raises BadInput for a q that its training cannot take."""

    task: Task
    network: Network
    objective: Objective
    training: GradientTraining | PGPE
    run_index: int  # 0, 1, 2 ...: repetitions, and the state the run's generator starts from

    def __post_init__(self):
        by_gradient = isinstance(self.training, GradientTraining)
        if self.objective.q == inf and by_gradient:
            raise BadInput("q = inf: training by gradient needs a finite q, at least 1")
        if self.objective.root and not by_gradient:
            raise BadInput("root = True: evolution has no gradient that it could change, give root = False")

    @property
    def problem(self) -> str:
        """Folder of its records."""
        return self.task.name

    @property
    def kind(self) -> type:
        """The class whose NUMERICS and EVALUATION say which records are still good."""
        return type(self.task)

    @cached_property
    def config(self) -> dict:
        """What record and key are made of, as JSON."""
        return encoded(self) | {"experiment": self.problem, "version": self.task.NUMERICS}

    @cached_property
    def key(self) -> str:
        """Name of its record's folder."""
        return key(self.config)

    @property
    def point(self) -> "NetworkRun":
        """What repetitions of one training have in common: all but the number."""
        return replace(self, run_index=0)

    @property
    def group(self) -> "NetworkRun":
        """What runs trained side by side must have in common: all but q and number."""
        return replace(self.point, objective=replace(self.objective, q=1.0))

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight."""
        return shapes(self.network, self.task.token_size, self.task.outputs)

    @property
    def parameters(self) -> int:
        """Numbers that training learns."""
        return sum(map(prod, self.shapes.values()))

    @property
    def width(self) -> int:
        """Sequences through the network in a step."""
        return self.training.batch * self.objective.m * self.task.sequences_per_seed

    @property
    def cost(self) -> int:
        """Sequences through the network in the whole training."""
        return self.training.steps * self.width

    def memory(self, train: bool) -> int:
        """Bytes that it takes at least: parameters, moments and gradient, and what its task counts."""
        sized = isinstance(self.task, Sized)
        training = 6 * 4 * self.parameters + (self.task.training_bytes(self) if sized else 0)
        evaluation = 4 * self.parameters + (self.task.evaluation_bytes(self) if sized else 0)
        return max(training if train else 0, evaluation)

    def train(self, runs: list["NetworkRun"], device: torch.device, cache: Path, tick: Tick) -> tuple[dict, dict]:
        """contract.Run.train; a unit of work is a sequence."""
        states, diverged = train(runs, device, cache, lambda steps: tick(steps * self.width))
        return {run: run.trained(state) for run, state in states.items()}, diverged

    def begun(self, device: torch.device, cache: Path) -> int:
        """contract.Run.begun."""
        return min(self.training.steps, checkpoints.step(cache, self, device)) * self.width

    def trained(self, state: State) -> Trained:
        """What is stored of a trained model, a state of K = 1."""
        weights = unflatten(state.parameters, self.shapes)
        tensors = {name: weight[0].cpu().contiguous() for name, weight in weights.items()}
        if self.objective.fixed_seed:
            tensors["seed"] = state.seed[0].cpu().contiguous()
        content = {"loss_history": digits(state.history[0, :, 0])}
        if self.training.WATCHED:
            watched = state.history[0, :, 1:].unbind(1)
            content["watched"] = {n: digits(h) for n, h in zip(self.training.WATCHED, watched, strict=True)}
        compiled = isinstance(self.task, Compiled)
        packages = self.task.computed_with(self.network, state.parameters.device) if compiled else {}
        return Trained(tensors, content, state.seconds, packages)

    def restore(self, tensors: dict[str, Tensor]) -> dict:
        """{"parameters": (1, P), "seed": (1, 1, ...), None for fresh seeds} of stored tensors."""
        rows = [tensors[name].reshape(prod(shape)) for name, shape in self.shapes.items()]
        seed = tensors["seed"] if self.objective.fixed_seed else None
        return {"parameters": torch.cat(rows).unsqueeze(0), "seed": seed}

    def evaluate(self, record: dict) -> dict:
        """What the figures need of a restored record."""
        return self.task.evaluate(self, record["parameters"], record["seed"])

    def __str__(self) -> str:
        """Its model and size, and every other field in which it differs from the paper's tables."""
        parts = zip((self.task, self.network, self.training), self.task.standard(), strict=True)
        differs = [
            f"{f.name}={getattr(part, f.name)}"
            for part, table in parts
            for f in fields(part)
            if f.name != "n" and getattr(part, f.name) != getattr(table, f.name, None)
        ]
        size = [
            f"n={self.task.n}",
            f"q={self.objective.q:g}",
            *([] if self.objective.fixed_seed else [f"m={self.objective.m}"]),
            *(["root"] if self.objective.root else []),
        ]
        return " ".join([self.problem, self.objective.name, *size, *differs, f"run={self.run_index}"])


def changed(run: NetworkRun, change: dict[str, dict]) -> NetworkRun:
    """The run with some fields of some of its parts replaced."""
    return replace(run, **{part: replace(getattr(run, part), **fields) for part, fields in change.items()})


def sketch(parts: dict[str, list[NetworkRun]]) -> dict[str, list[NetworkRun]]:
    """The same points with one run each and a twentieth of the training: to look around, not to judge."""
    return {name: [shortened(run) for run in runs if run.run_index == 0] for name, runs in parts.items()}


def shortened(run: NetworkRun, by: int = 20) -> NetworkRun:
    """The run with so many times fewer steps or generations, the warm-up among them."""
    names = [name for name in (run.training.UNITS[0], "warmup") if hasattr(run.training, name)]
    return replace(run, training=replace(run.training, **{n: ceil(getattr(run.training, n) / by) for n in names}))
