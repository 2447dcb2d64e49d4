"""What several tests need: tiny runs, and clones of the repository in which to do harm."""

import os
import shutil
import subprocess
import sys
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

ROOT = Path(__file__).resolve().parents[1]
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


def copied(folder: Path) -> Path:
    """A clone in that folder, with what numba has compiled: it takes seconds."""
    for name in ("lib", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc", "*.egg-info"))
    shutil.copy(ROOT / "README.md", folder)
    return folder


def python(clone: Path, *arguments: str, **options) -> subprocess.Popen:
    """Start Python in a clone, on the clone's own library, its output piped as text."""
    environment = os.environ | {"PYTHONPATH": str(clone / "lib"), "CUDA_VISIBLE_DEVICES": ""}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    return subprocess.Popen([sys.executable, *arguments], cwd=clone, env=environment, **pipes | options)


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a process that must end within minutes."""
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def contents(folder: Path, but: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in but)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def code_cells(path: Path) -> list:
    """The code cells of a notebook."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
