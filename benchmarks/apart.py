"""One variant in a process of its own: python -m benchmarks.apart <workload> <variant> <device>.

It checks that the variant gives our numbers, and prints by how much they differ at most, as JSON. Then it makes a step
for every line that it reads, and prints the processor and wall seconds of it. So variants take turns, and neither the
memory that one of them keeps nor how it wants the allocator to be meets another.
"""

import json
import subprocess
import sys
import time

import torch

from randformer.harness.files import ROOT

from . import variants
from .workloads import Workload, named


class Apart:
    """A variant at work in such a process. Raises RuntimeError where that ended: what it said is on standard error."""

    def __init__(self, workload: Workload, variant: str, device: torch.device):
        command = [sys.executable, "-m", "benchmarks.apart", workload.name, variant, device.type]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, cwd=ROOT, **pipes)
        self.differ = json.loads(self.told())

    def told(self) -> str:
        """The next line that the process prints."""
        if line := self.process.stdout.readline():
            return line
        raise RuntimeError(f"{' '.join(self.process.args[2:])} ended with status {self.process.wait()}")

    def step(self) -> tuple[float, float]:
        """Processor and wall seconds of one step."""
        print(file=self.process.stdin, flush=True)
        cpu, wall = map(float, self.told().split())
        return cpu, wall

    def end(self) -> None:
        self.process.communicate()


def main(name: str, variant: str, device: torch.device) -> None:
    variants.settle_for(variant)
    workload, differ = named(name), {}
    built = variants.build(variant, workload, device)
    if variant != variants.OURS:
        differ = variants.agreement(built, workload, device, variants.reference(workload, device))
    print(json.dumps({kind: float(value) for kind, value in differ.items()}), flush=True)
    for _ in sys.stdin:
        print(*timed(built, device), flush=True)


def timed(variant, device: torch.device) -> tuple[float, float]:
    """Processor and wall seconds of one step."""
    wait(device)
    cpu, wall = time.process_time(), time.perf_counter()
    variant.step()
    wait(device)
    return time.process_time() - cpu, time.perf_counter() - wall


def wait(device: torch.device) -> None:
    """Until a GPU has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], torch.device(sys.argv[3]))
