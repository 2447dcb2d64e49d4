"""Trainings in progress: one file per run in the cache, taken up by that run alone.

A file is a checksum, a line of JSON that says whose it is, and tensors by name. One that does not fit is named, set
aside as *.refused, and the run starts anew.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import safetensors.torch
import torch
from torch import Tensor

from randformer.contract import Run
from randformer.harness.files import remove, set_aside, write_bytes
from randformer.harness.records import RecordError, canonical, reading, sha256

Taken = TypeVar("Taken")


def place(cache: Path, run: Run, device: torch.device) -> Path:
    """Where a training in progress keeps its state."""
    return cache / f"{run.key}-{device.type}.checkpoint"


def owner(run: Run, device: torch.device) -> dict:
    """Whose a checkpoint is: a file's name says it too, but files are copied and renamed."""
    return {"key": run.key, "version": run.config["version"], "device": device.type}


def save(cache: Path, run: Run, device: torch.device, tensors: dict[str, Tensor]) -> None:
    """Put a training in progress in the cache."""
    content = canonical(owner(run, device)) + b"\n" + safetensors.torch.save(tensors)
    write_bytes(place(cache, run, device), sha256(content).encode() + content)


def load(cache: Path, run: Run, device: torch.device, restore: Callable[[dict[str, Tensor]], Taken]) -> Taken | None:
    """What restore makes of the tensors last saved; None where there are none that fit.

    restore raises an error (of any kind, KeyError or ValueError) where they do not.
    """
    path = place(cache, run, device)
    try:
        with reading(path):
            return restore(tensors_of(path.read_bytes(), owner(run, device)))
    except RecordError as error:
        if path.exists() or path.is_symlink():
            print(f"not used: checkpoint of {run}, which starts anew: {error}", file=sys.stderr)
            set_aside(path, path.with_name(f"{path.name}.refused"))
    return None


def step(cache: Path, run: Run, device: torch.device) -> int:
    """The step at which a training in progress stands; 0 where there is none that fits, which load will tell."""
    path = place(cache, run, device)
    try:
        with reading(path):
            return int(tensors_of(path.read_bytes(), owner(run, device))["step"])
    except RecordError:
        return 0


def tensors_of(data: bytes, whose: dict) -> dict[str, Tensor]:
    """The tensors in a file's bytes. Raises ValueError where it is damaged or another's."""
    checksum, content = data[:64], data[64:]
    if checksum != sha256(content).encode():
        raise ValueError("its checksum does not fit its content")
    head, _, tensors = content.partition(b"\n")
    found = json.loads(head)
    if found != whose:
        raise ValueError(f"it is of {found}, not {whose}")
    return safetensors.torch.load(tensors)


def drop(cache: Path, run: Run, device: torch.device) -> None:
    """Remove a checkpoint that is not needed any more."""
    remove(place(cache, run, device))
