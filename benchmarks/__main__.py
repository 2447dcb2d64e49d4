"""Time every variant of every step beside ours and write results.csv, roofline.csv, compile.csv and results.png.

All on one core and one thread, each in a process of its own (apart.py). First every variant must give our numbers. Then
rounds: in each, every variant takes one step after the other, so that whatever else the machine does meets all alike; a
variant that takes longer than SLOW seconds takes part in every seventh round. Numbers are medians over rounds; spread
is half the distance between the quartiles of the wall seconds, over their median. Processor seconds are of all threads
of the process.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"  # read at JAX's import

import numpy as np
import pandas as pd
import torch

from . import figure, roofline, variants
from .apart import Apart
from .workloads import Workload, workloads

HERE = Path(__file__).parent
COLUMNS = ["workload", "variant", "device", "cpu_seconds_median", "wall_seconds_median", "spread", "times_ours"]
COLUMNS += ["peak_bytes"]
WARM_UPS, SLOW = 3, 3.0  # steps before the rounds; seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks/run.sh", description="Time our steps beside what others write.")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="a GPU runs all variants but JAX's")
    parser.add_argument("--rounds", type=int, default=15, help="steps of each variant that is not slow")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error(f"rounds = {arguments.rounds}: give a whole number, at least 1")
    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("device = 'cuda': PyTorch sees no CUDA device here, give cpu")
    device = torch.device(arguments.device)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    shown = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    limits = [roofline.machine()]
    rows, compiled = [], []
    for workload in workloads():
        for total, found in zip((rows, compiled), measure(workload, device, shown, arguments.rounds), strict=True):
            total += found
        limits.append(roofline.machine())
    table = merged(HERE / "results.csv", pd.DataFrame(rows, columns=COLUMNS), shown)
    if device.type == "cpu":
        write(HERE / "compile.csv", pd.DataFrame(compiled, columns=["workload", "variant", "compile_seconds"]))
        write(HERE / "roofline.csv", shares(table, *np.max(limits, 0)))
        figure.draw(table[table["device"] == "cpu"], HERE / "results.png")


def measure(workload: Workload, device: torch.device, shown: str, rounds: int) -> tuple[list, list]:
    """A workload's rows of results.csv, and of compile.csv: how much longer the first step takes than another."""
    apart = agreeing(workload, device)
    first = {name: variant.step()[1] for name, variant in apart.items()}
    seconds = interleaved(apart, rounds)
    for variant in apart.values():
        variant.end()
    wall = {name: np.median(of[:, 1]) for name, of in seconds.items()}
    rows = []
    for name, of in seconds.items():
        quartiles = np.quantile(of[:, 1], (0.25, 0.75))
        spread, ratio = (quartiles[1] - quartiles[0]) / 2 / wall[name], wall[name] / wall[variants.OURS]
        peak = peak_bytes(workload.name, name, device)
        rows.append([workload.name, name, shown, np.median(of[:, 0]), wall[name], spread, ratio, peak])
        print("  {1:22} {4:9.4f} s +- {5:3.0%}   {6:7.2f} times ours".format(*rows[-1]), f" n = {len(of)}", flush=True)
    compiled = [[workload.name, name, first[name] - wall[name]] for name in apart if name in variants.JAX]
    return rows, compiled


def agreeing(workload: Workload, device: torch.device) -> dict[str, Apart]:
    """All variants of a workload by their names, which have taken a step and give our numbers."""
    apart = {}
    for name in variants.names(workload, device):
        apart[name] = Apart(workload, name, device)
        if name != variants.OURS:
            text = ", ".join(f"{kind} {value:.1e}" for kind, value in apart[name].differ.items())
            print(f"{workload.name}: {name} agrees with ours; largest relative differences: {text}", flush=True)
    return apart


def interleaved(apart: dict[str, Apart], rounds: int) -> dict[str, np.ndarray]:
    """Processor and wall seconds (n, 2) of each variant's steps, after its warm-up."""
    seconds = {name: [] for name in apart}
    slow = {name for name, variant in apart.items() if variant.step()[1] > SLOW}
    for _ in range(WARM_UPS - 1):
        for name in apart.keys() - slow:
            apart[name].step()
    for i in range(rounds):
        for name, variant in apart.items():
            if name not in slow or i % 7 == 0:
                seconds[name].append(variant.step())
    return {name: np.array(of) for name, of in seconds.items()}


def peak_bytes(workload: str, variant: str, device: torch.device) -> int:
    """Memory that one step takes at most, of a process of its own."""
    command = [sys.executable, "-m", "benchmarks.memory", workload, variant, device.type]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout)


def shares(table: pd.DataFrame, peak: float, bandwidth: float) -> pd.DataFrame:
    """What each of our steps could reach and does, and the machine's two numbers."""
    rows = []
    for workload in workloads():
        flops, moved = roofline.work(workload)
        ours = table[(table["workload"] == workload.name) & (table["variant"] == variants.OURS)]
        measured = ours.loc[ours["device"] == "cpu", "wall_seconds_median"].item()
        attainable = max(flops / peak, moved / bandwidth)
        rows.append([workload.name, flops, moved, attainable, measured, attainable / measured, peak, bandwidth])
        print(f"{workload.name}: {attainable / measured:.0%} of the attainable roofline")
    names = ["workload", "flops", "bytes", "attainable_seconds", "measured_seconds", "share"]
    return pd.DataFrame(rows, columns=[*names, "peak_flops_per_second", "bandwidth_bytes_per_second"])


def merged(path: Path, table: pd.DataFrame, device: str) -> pd.DataFrame:
    """The table with what the file says of other devices, written to it."""
    if path.exists():
        old = pd.read_csv(path)
        table = pd.concat([old[old["device"] != device], table], ignore_index=True)
    write(path, table)
    return table


def write(path: Path, table: pd.DataFrame) -> None:
    table.to_csv(path, index=False, float_format="%.4g", lineterminator="\n")


if __name__ == "__main__":
    main()
