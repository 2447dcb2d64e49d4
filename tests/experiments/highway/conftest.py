"""Trained runs of all three tasks, two each, at the smoke profile's sizes."""

from pathlib import Path

import pytest
import torch

from randformer.experiments.highway import sweep


@pytest.fixture(scope="session")
def trained() -> dict:
    """{task: (runs, evaluations)}."""
    found = {}
    for task, runs in sweep.runs("smoke").items():
        results, _ = runs[0].train(runs, torch.device("cpu"), Path("/nonexistent"), lambda steps: None)
        found[task] = (runs, [run.evaluate(run.restore(results[run].tensors)) for run in runs])
    return found
