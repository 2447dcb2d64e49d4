import subprocess
import sys
from dataclasses import dataclass, replace

import pytest
import torch

from clones import ROOT
from helpers import TINY_GRIDWORLD, tiny_gridworld
from randformer.core.training import begin
from randformer.harness import records
from randformer.problems.gridworld import fast, task
from randformer.problems.gridworld.fast import applies, kernel, room

CPU = torch.device("cpu")


def test_it_is_for_networks_that_it_knows_in_single_precision_on_a_processor():
    @dataclass(frozen=True)
    class Later(task.GridWorld):
        walls: int = 0

    grid, network, row = TINY_GRIDWORLD.task, TINY_GRIDWORLD.network, torch.zeros(1)
    assert applies(grid, network, row)
    assert applies(Later(3, 6, 2), network, row)
    assert not applies(Later(3, 6, 2, walls=1), network, row)
    assert not applies(grid, network, row.double())
    assert not applies(grid, network, row.to("meta"))
    for other in ({"attention": "linear"}, {"mlp": False}, {"layer_norm": False}, {"embedding": 2}):
        assert not applies(grid, replace(network, **other), row)


def test_it_works_in_memory_that_suits_a_register():
    found = room(TINY_GRIDWORLD.task, TINY_GRIDWORLD.network)
    assert len({array.ctypes.data for array in found}) == len(found)
    assert all(array.ctypes.data % 64 == 0 for array in found[:7])
    assert all(len(array) % kernel().LANES == 0 for array in found)


@pytest.mark.parametrize("there", [True, False])
def test_a_record_says_whether_it_was_used(there, tmp_path, monkeypatch):
    if not there:
        monkeypatch.setattr(fast, "kernel", lambda: None)
    run = tiny_gridworld(fixed=True)
    trained, _ = run.train([run], CPU, tmp_path / "cache", lambda steps: None)
    folder = tmp_path / run.key
    records.write_record(folder, run, trained[run], CPU, {"commit": "abc", "cpu_seconds": 1.0})
    on = records.read_record(folder, run)["trained_on"]
    assert on.keys() == {"device", "python", "threads", "torch", *(["numba"] if there else [])}
    assert run.evaluate(records.read_record(folder, run))["inputs"] == 8


def test_without_numba_the_plain_path_walks():
    """In a process that cannot import it: the same losses, and no word of it."""
    run = tiny_gridworld()
    parameters = begin(run, CPU).parameters
    seeds = run.task.draw_seeds(3, 1, torch.Generator().manual_seed(0)).unsqueeze(0)
    code = (
        "import sys, torch; sys.modules['numba'] = None\n"
        "from helpers import tiny_gridworld; from randformer.core.training import begin\n"
        "run, cpu = tiny_gridworld(), torch.device('cpu')\n"
        "seeds = run.task.draw_seeds(3, 1, torch.Generator().manual_seed(0)).unsqueeze(0)\n"
        "found = run.task.play(run.network, begin(run, cpu).parameters, seeds).steps\n"
        "print(found.flatten().tolist(), run.task.computed_with(run.network, cpu))\n"
    )
    pipes = {"capture_output": True, "encoding": "utf-8"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "tests", check=False, **pipes)
    steps = run.task.play(run.network, parameters, seeds).steps
    assert done.stdout == f"{steps.flatten().tolist()} {{}}\n", done.stderr
    assert run.task.computed_with(run.network, CPU).keys() == {"numba"}
