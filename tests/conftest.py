"""Fixtures of all tests."""

from pathlib import Path

import pytest
import torch

from helpers import copied, evaluations, tiny


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


@pytest.fixture(scope="session")
def sweep():
    """Runs with evaluations of untrained models."""
    runs = [tiny(k, q=q, fixed=fixed) for k in range(2) for q in (1, 10) for fixed in (False, True)]
    return runs, evaluations(runs)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The library, notebooks and README in a fresh folder, without records and figures."""
    return copied(tmp_path)
