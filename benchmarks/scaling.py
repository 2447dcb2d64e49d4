"""What a training step costs in seconds and memory, against m, q, N, models side by side and cores.

The last part of benchmarks/run.sh: writes scaling.csv, which 05_cost_of_randomness.ipynb draws. Every point is measured
in a process of its own, on one thread: the median over steps and half the distance between their quartiles, in wall
seconds; processor seconds of the same steps; and the resident memory that the largest of them adds to what the process
had after a step with one seed. All points take turns, three rounds; of a point's rounds the one with the median time is
kept.
"""

import csv
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from randformer.core.evolution import PGPE
from randformer.core.gradient import BUDGET, gradients, seeds_at_once
from randformer.core.objective import Objective
from randformer.core.runs import NetworkRun
from randformer.core.training import begin, draw_inputs, draw_seeds, join
from randformer.experiments.gridworld.sweep import runs as gridworld
from randformer.harness.processes import configure_process
from randformer.problems.coloring.task import Coloring
from randformer.problems.recall.task import Recall

RESULTS = Path(__file__).with_name("scaling.csv")
COLUMNS = ("sweep", "task", "x", "way", "processes", "wall_seconds", "spread", "cpu_seconds", "peak_bytes")
Q = {"recall": 100, "coloring": 10}
M = {"recall": 30, "coloring": 10, "gridworld": 10}
ROUNDS = 3
SECONDS = 2.0  # of steps in each round, and at least 3 steps


def points() -> list[dict]:
    """Every point of every sweep; what is not given is as in the paper's tables, for the grid as in the laptop's."""
    found = []
    for task in Q:
        for m in (1, 3, 10, 30, 100, 300, 1000):
            ways = ("one pass", "slices of 10", "as trained") if m > 10 else ("one pass",)
            found += [{"sweep": "m", "task": task, "x": m, "m": m, "way": way} for way in ways]
        found += [{"sweep": "q", "task": task, "x": q, "q": q} for q in (1, 2, 10, 100)]
        found += [{"sweep": "K", "task": task, "x": k, "models": k, "batch": 64} for k in (1, 2, 4, 8, 16)]
        found += [{"sweep": "cores", "task": task, "x": p, "processes": p} for p in (1, 2)]
    found += [{"sweep": "m", "task": "gridworld", "x": m, "m": m} for m in (1, 5, 10, 20)]
    found += [{"sweep": "cores", "task": "gridworld", "x": p, "processes": p} for p in (1, 2)]
    found += [{"sweep": "N", "task": "recall", "x": n, "n": n} for n in (10, 12, 14, 16, 18, 20)]
    found += [{"sweep": "N", "task": "coloring", "x": n, "n": n} for n in (4, 6, 8, 10)]
    return [{"way": "one pass", "processes": 1} | point for point in found]


def run_of(point: dict, m: int) -> NetworkRun:
    """The run whose step is measured."""
    name = point["task"]
    if name == "gridworld":
        run = next(run for run in gridworld("laptop")["models"] if run.objective.q == float("inf"))
        return replace(run, objective=replace(run.objective, m=m))
    task, network, training = {"recall": Recall, "coloring": Coloring}[name].standard()
    task, training = (
        replace(task, n=point.get("n", task.n)),
        replace(training, batch=point.get("batch", training.batch)),
    )
    return NetworkRun(task, network, Objective(point.get("q", Q[name]), m), training, 0)


def stepper(point: dict, m: int):
    """A function of no arguments that makes one step."""
    run, models = run_of(point, m), point.get("models", 1)
    state = join([begin(replace(run, run_index=number), torch.device("cpu")) for number in range(models)])
    q = torch.full((models,), run.objective.q)
    if isinstance(run.training, PGPE):
        return lambda: run.training.step(run, q, state)
    size = {"one pass": m, "slices of 10": 10, "as trained": seeds_at_once(run.group, BUDGET)}[point["way"]]

    def step() -> None:
        found = gradients(run, q, state.parameters, draw_inputs(run, state), draw_seeds(run, state), size)
        run.training.descend(state, found[0])

    return step


def measure(point: dict) -> dict:
    """One round of one point, in this process."""
    configure_process()
    m = point.get("m", M[point["task"]])
    stepper(point | {"way": "one pass"}, 1)()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step = stepper(point, m)
    step()
    walls, cpus, began = [], [], time.perf_counter()
    while len(walls) < 3 or time.perf_counter() - began < SECONDS:
        wall, cpu = time.perf_counter(), time.process_time()
        step()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    peak = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    low, middle, high = np.percentile(walls, [25, 50, 75])
    return {"wall_seconds": middle, "spread": (high - low) / 2, "cpu_seconds": np.median(cpus), "peak_bytes": peak}


def apart(point: dict) -> dict:
    """One round of one point in as many processes at once as it wants; the slowest one's numbers."""
    command = [sys.executable, __file__, json.dumps(point)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") for _ in range(point["processes"])]
    ends = [process.communicate()[0] for process in started]
    if any(process.returncode for process in started):
        raise RuntimeError(f"{point} could not be measured")
    return max((json.loads(end) for end in ends), key=lambda round_: round_["wall_seconds"])


def main() -> None:
    rounds: list[list[dict]] = [[] for _ in points()]
    for number in range(ROUNDS):
        for i, point in enumerate(points()):
            rounds[i].append(apart(point))
            print(f"round {number + 1}, {i + 1} of {len(rounds)}", file=sys.stderr, end="\r")
    with open(RESULTS, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for point, measured in zip(points(), rounds, strict=True):
            middle = sorted(measured, key=lambda round_: round_["wall_seconds"])[ROUNDS // 2]
            writer.writerow(point | {name: f"{value:.4g}" for name, value in middle.items()})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(json.loads(sys.argv[1]))))
    else:
        main()
