"""Numerics cannot change unnoticed: 50 steps of every kind of experiment give the losses that are stored.

Where they change on purpose, raise the experiment's version and store them anew: python tests/test_canary.py
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from randformer import evaluation, workers
from randformer.experiments_coloring import coloring
from randformer.experiments_gridworld import gridworld
from randformer.experiments_recall import recall
from randformer.runs import Run
from randformer.training import train

STORED = Path(__file__).with_name("canary.json")


def kinds() -> dict[str, Run]:
    """One short run of each kind of task, network and model that the laptop profile has."""
    found: dict[str, Run] = {}
    runs = coloring("laptop")["sweep"] + coloring("laptop")["calibration"] + coloring("laptop")["ablation"]
    runs += [run for part in ("size", "screening") for run in recall("laptop")[part] if run.task.n == 20]
    runs += [run for run in recall("paper")["size"] if run.task.n == 12]  # one query of each memory
    for run in runs:
        if run.number == 0 and run.model.q in (1, 10, 100):
            short = replace(run, training=replace(run.training, steps=50, warmup=10))
            found.setdefault(str(short), short)
    for run in gridworld("laptop")["models"]:
        if run.number == 0:
            short = replace(run, training=replace(run.training, steps=10, batch=16))  # generations
            found.setdefault(str(short), short)
    return found


def losses(run: Run, cache: Path) -> list[float]:
    torch.set_num_threads(1)
    trained, _ = train([run], torch.device("cpu"), cache, lambda steps: None)
    return [float(f"{x:.6g}") for x in trained[run].history[0, :, 0].tolist()]


@pytest.mark.parametrize("name", kinds())
def test_fifty_steps_give_the_stored_losses(name, tmp_path):
    """To 1e-4: processors round differently, and 50 steps do not let that grow further.

    A generation of searches is less even: where rounding turns one step of one search, ranks may change places.
    """
    run, stored = kinds()[name], json.loads(STORED.read_text(encoding="utf-8"))
    assert losses(run, tmp_path) == pytest.approx(stored[name], rel=1e-4 if run.experiment != "gridworld" else 3e-3)


def test_nothing_is_stored_that_is_not_trained():
    assert set(json.loads(STORED.read_text(encoding="utf-8"))) == set(kinds())


@pytest.mark.parametrize("fixed_seed", [False, True])
@pytest.mark.parametrize(("runs", "q"), [(coloring("laptop")["sweep"], 10), (recall("laptop")["size"], 100)])
def test_evaluating_a_record_again_gives_the_stored_evaluation(runs, q, fixed_seed):
    """To 1e-3 of success: where two answers are all but equally probable, processors may differ."""
    run = next(run for run in runs if run.model.q == q and run.model.fixed_seed is fixed_seed)
    record, stored = workers.load("laptop", run)
    found = evaluation.evaluate(run, record["parameters"], record["seed"])
    for name in ("success", "loss", "sampled", "majority5", "majority30", "bitwise5", "bitwise30"):
        assert found.get(name, {}) == pytest.approx(stored.get(name, {}), abs=1e-3)


if __name__ == "__main__":
    found = {name: losses(run, Path("/nonexistent")) for name, run in kinds().items()}
    STORED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
