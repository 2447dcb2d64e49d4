"""Fixtures of all tests."""

import errno
import os
from pathlib import Path

import pytest
import torch

from clones import copied
from helpers import evaluations, tiny


@pytest.fixture(autouse=True)
def one_thread():
    """As in every training, and so that two tests at once do not fight for the cores."""
    torch.set_num_threads(1)


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Figures in the house's style, stored elsewhere and closed at the end."""
    from matplotlib import pyplot as plt

    from randformer.report import plots

    monkeypatch.setattr(plots, "ROOT", tmp_path)
    plots.style()
    yield
    plt.close("all")


@pytest.fixture
def no_folder_is_renamed(monkeypatch) -> list[Path]:
    """Files and folders that a test puts in cannot be renamed, as if they were on a file system of their own."""
    kept, renames = [], {name: getattr(os, name) for name in ("rename", "replace")}

    def rename(name, path, place):
        if Path(path) in kept:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        renames[name](path, place)

    for name in renames:
        monkeypatch.setattr(os, name, lambda path, place, name=name: rename(name, path, place))
    return kept


@pytest.fixture(scope="session")
def sweep():
    """Runs with evaluations of untrained models."""
    runs = [tiny(k, q=q, fixed=fixed) for k in range(2) for q in (1, 10) for fixed in (False, True)]
    return runs, evaluations(runs)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The library, notebooks and README in a fresh folder, without records and figures."""
    return copied(tmp_path)
