"""The steps that are timed, and ours: everything else in this folder must give the same numbers as this.

A variant of a step is an object with

    step()                 one step on fresh random numbers, all K models; returns when it is done
    update(inputs, seeds)  the same step on given ones (ours draws its own, draw() gives the very same); for the
                           generation update(noise, seeds), noise (population / 2, P) added to and taken from the centre
    numbers()              what there is to compare after one step from the start, {name: array}
"""

from dataclasses import dataclass, replace
from math import inf

import numpy as np
import torch
from torch import Tensor

from randformer.core.gradient import GradientTraining
from randformer.core.objective import Objective
from randformer.core.runs import NetworkRun
from randformer.core.training import State, begin, draw_inputs, draw_seeds, join
from randformer.experiments.gridworld.sweep import SIZES
from randformer.problems.coloring.task import Coloring
from randformer.problems.recall.task import Recall


@dataclass(frozen=True)
class Workload:
    """One step of a run, K = models of them side by side."""

    name: str
    run: NetworkRun
    models: int = 1

    @property
    def by_gradient(self) -> bool:
        """Whether it is a training step, and not a generation."""
        return isinstance(self.run.training, GradientTraining)

    def begin(self, device: torch.device) -> State:
        """The state of runs 0 to K - 1 before their first step."""
        return join([begin(replace(self.run, run_index=number), device) for number in range(self.models)])


def workloads() -> list[Workload]:
    """The paper's sizes for the steps (tables 1 and 2), the laptop profile's for the generation."""
    found = []
    for kind, shown, q, m in ((Recall, "recall step", 100, 30), (Coloring, "colouring step", 10, 10)):
        task, network, training = kind.standard()
        run = NetworkRun(task, network, Objective(q, m), training, 0)
        found += [Workload(shown, run), Workload(f"{shown}, 5 models", run, 5)]
    sizes = SIZES["laptop"]
    search = NetworkRun(sizes.task, sizes.network, Objective(inf, sizes.m), sizes.training, 0)
    return [*found, Workload("PGPE generation", search)]


def named(name: str) -> Workload:
    """The one of that name."""
    return next(workload for workload in workloads() if workload.name == name)


def draw(run: NetworkRun, state: State) -> tuple[Tensor, Tensor]:
    """What the next step of ours would draw, and draws no more: inputs (K, B, ...), or noise (pairs, P), and seeds."""
    if isinstance(run.training, GradientTraining):
        first = draw_inputs(run, state)
    else:
        (generator,) = state.generators
        shape = (run.training.batch // 2, state.parameters.shape[1])
        first = torch.randn(shape, generator=generator, device=generator.device) * state.std
    return first, draw_seeds(run, state)


class Ours:
    """The library's step, as trainings call it."""

    def __init__(self, workload: Workload, device: torch.device):
        self.run, self.state = workload.run, workload.begin(device)
        self.q = torch.full((workload.models,), self.run.objective.q, device=device)

    def step(self) -> None:
        self.loss = self.run.training.step(self.run, self.q, self.state)[0]

    def numbers(self) -> dict[str, np.ndarray]:
        """After one step: Adam's mean of gradients is a tenth of the gradient that it was given."""
        state = self.state
        gradient = state.exp_avg / (1 - self.run.training.beta1)
        found = {"loss": self.loss, "gradient": gradient, "parameters": state.parameters, "std": state.std}
        return {name: value.detach().cpu().numpy() for name, value in found.items() if value.numel()}
