"""What several tests need: tiny runs, and clones of the repository in which to do harm."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from randformer.evaluation import evaluate
from randformer.evolution import Evolution
from randformer.gradient import Training
from randformer.objective import Model
from randformer.runs import Run
from randformer.tasks.coloring import Coloring
from randformer.tasks.gridworld import GridWorld
from randformer.tasks.recall import Recall
from randformer.training import begin
from randformer.transformer import Network

ROOT = Path(__file__).resolve().parents[1]
TINY = Run("coloring", Coloring(6), Network(), Model(3, 3), Training(20, 16, warmup=5), 0)
TINY_RECALL = replace(
    TINY, experiment="recall", task=Recall(4, 2, 3, "all"), network=Network(12, key_size=3, embedding=2)
)
TINY_SEARCH = Run(
    "gridworld",
    GridWorld(3, 6, 2),
    Network(8, 1, 2, 4, "softmax", mlp=True, layer_norm=True),
    Model(3, 3),
    Evolution(20, 6),
    0,
)


@pytest.fixture(autouse=True)
def one_thread():
    """As in every training, and so that two tests at once do not fight for the cores."""
    torch.set_num_threads(1)


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Figures in the house's style, stored elsewhere and closed at the end."""
    from matplotlib import pyplot as plt

    from randformer import plots

    monkeypatch.setattr(plots, "ROOT", tmp_path)
    plots.style()
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def sweep():
    """Runs with evaluations of untrained models."""
    runs = [tiny(k, q=q, fixed=fixed) for k in range(2) for q in (1, 10) for fixed in (False, True)]
    return runs, evaluations(runs)


def tiny(number: int = 0, q: float = 3, fixed: bool = False, **training) -> Run:
    """A colouring run that takes a moment."""
    return like(TINY, number, q, fixed, **training)


def tiny_recall(number: int = 0, q: float = 3, fixed: bool = False, **training) -> Run:
    """A recall run that takes a moment."""
    return like(TINY_RECALL, number, q, fixed, **training)


def tiny_search(number: int = 0, q: float = 3, fixed: bool = False, **training) -> Run:
    """A grid world run that takes a moment."""
    return like(TINY_SEARCH, number, q, fixed, **training)


def like(run: Run, number: int, q: float, fixed: bool, **training) -> Run:
    model = Model(q, 1 if fixed else run.model.m, fixed)
    return replace(run, number=number, model=model, training=replace(run.training, **training))


def evaluations(runs: list[Run]) -> list[dict]:
    """Evaluations of untrained models."""
    states = [begin(run, torch.device("cpu")) for run in runs]
    return [
        evaluate(run, state.parameters * 2, state.seed[0] if run.model.fixed_seed else None)
        for run, state in zip(runs, states, strict=True)
    ]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The library, notebooks and README in a fresh folder, without records and figures."""
    return copied(tmp_path)


def copied(folder: Path) -> Path:
    """A clone in that folder."""
    for name in ("lib", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
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
