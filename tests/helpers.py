"""Tiny runs and their evaluations."""

from dataclasses import replace
from pathlib import Path

import nbformat
import torch

from randformer.core.adversary import evaluate
from randformer.core.evolution import PGPE
from randformer.core.gradient import GradientTraining
from randformer.core.objective import Objective
from randformer.core.runs import NetworkRun
from randformer.core.training import begin
from randformer.core.transformer import Network
from randformer.problems.coloring.task import Coloring
from randformer.problems.gridworld.task import GridWorld
from randformer.problems.recall.task import Recall

TINY = NetworkRun(Coloring(6), Network(), Objective(3, 3), GradientTraining(20, 16, warmup=5), 0)
TINY_RECALL = replace(TINY, task=Recall(4, 2, 3, "all"), network=Network(12, key_size=3, embedding=2))
TINY_GRIDWORLD = NetworkRun(
    GridWorld(3, 6, 2),
    Network(8, 1, 2, 4, "softmax", mlp=True, layer_norm=True),
    Objective(3, 3),
    PGPE(20, 6),
    0,
)


def tiny(number: int = 0, q: float = 3, fixed: bool = False, **training) -> NetworkRun:
    """A colouring run that takes a moment."""
    return like(TINY, number, q, fixed, **training)


def tiny_recall(number: int = 0, q: float = 3, fixed: bool = False, **training) -> NetworkRun:
    """A recall run that takes a moment."""
    return like(TINY_RECALL, number, q, fixed, **training)


def tiny_gridworld(number: int = 0, q: float = 3, fixed: bool = False, **training) -> NetworkRun:
    """A grid world run that takes a moment; its steps are generations."""
    training = {"generations" if name == "steps" else name: value for name, value in training.items()}
    return like(TINY_GRIDWORLD, number, q, fixed, **training)


def like(run: NetworkRun, number: int, q: float, fixed: bool, **training) -> NetworkRun:
    model = Objective(q, 1 if fixed else run.objective.m, fixed)
    return replace(run, run_index=number, objective=model, training=replace(run.training, **training))


def evaluations(runs: list[NetworkRun]) -> list[dict]:
    """Evaluations of untrained models."""
    states = [begin(run, torch.device("cpu")) for run in runs]
    return [
        evaluate(run, state.parameters * 2, state.seed[0] if run.objective.fixed_seed else None)
        for run, state in zip(runs, states, strict=True)
    ]


def code_cells(path: Path) -> list:
    """The code cells of a notebook."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
