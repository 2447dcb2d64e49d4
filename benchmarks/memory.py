"""Print the memory that one step takes: python -m benchmarks.memory <workload> <variant> <device>.

In a process of its own: after one step, which compiles and allocates what stays, free memory goes back to the system
and the peak of resident memory is reset (Linux); a second step raises it by what is printed, in bytes. What stays
between steps, parameters and moments, is not counted. On a GPU it is what the first step reserves,
a recorded one in a pool of its own.
"""

import ctypes
import gc
import re
import sys
from pathlib import Path

import torch

from .variants import build, settle_for
from .workloads import named


def status(field: str) -> int:
    """A line of this process's status, in bytes."""
    return 1024 * int(re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text(encoding="utf-8"))[1])


def main(name: str, variant: str, device: torch.device) -> None:
    settle_for(variant)
    built = build(variant, named(name), device)
    if device.type == "cuda":
        torch.cuda.empty_cache()
        before = torch.cuda.memory_reserved()
        built.step()
        print(torch.cuda.memory_reserved() - before)
        return
    built.step()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak starts from here
    before = status("VmRSS")
    built.step()
    print(status("VmHWM") - before)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], torch.device(sys.argv[3]))
