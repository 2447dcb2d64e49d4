"""What a training left behind: one run, one folder, checked whenever it is read.

    results/<profile>/<experiment>/<key>/
        run.json             what was trained (config), on what, its loss history, what evolution watched of its
                             centre; the same bytes whenever repeated
        weights.safetensors  the weights by name, and the fixed seed of an A_r0
        evaluation.json      what the model does, measured once (run.evaluate)
        provenance.json      what differs between two trainings of the same numbers: commit, seconds
    .cache/                  trainings in progress (checkpoints.py)

Every JSON file carries a checksum of its content, and run.json one of the weights. Files are written under a
temporary name, flushed to the disk and renamed, so a file is there whole or not at all. Nothing is pickled.
"""

import hashlib
import json
import platform
from contextlib import contextmanager
from pathlib import Path

import safetensors.torch
import torch

from randformer.contract import Run, Trained
from randformer.harness.files import beside, discard, remove, replace_folder, write_bytes

FILES = ("run.json", "weights.safetensors", "evaluation.json", "provenance.json")


class RecordError(Exception):
    """A record that must not be used, and why."""


def key(config: dict) -> str:
    """Name of a run's folder: a hash of everything that determines its numbers."""
    return sha256(canonical(config))[:16]


def canonical(content) -> bytes:
    """One byte string per JSON value, whatever the order of its keys."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# Files


def write_json(path: Path, content: dict) -> None:
    """Write a JSON object with a checksum of its content."""
    write_bytes(path, sealed(content))


def sealed(content: dict) -> bytes:
    """A JSON file's bytes: the object with a checksum of its content."""
    content = content | {"checksum": sha256(canonical(content))}
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


@contextmanager
def reading(path: Path):
    """Whatever goes wrong while a file of a record is read and taken apart is a RecordError that names it."""
    try:
        yield
    except FileNotFoundError:
        raise RecordError(f"{path.name} is missing") from None
    except RecordError:
        raise
    except Exception as error:
        raise RecordError(f"{path.name} is damaged ({type(error).__name__}: {error})") from None


def read_json(path: Path) -> dict:
    """The object that write_json wrote; RecordError if it is missing, damaged or altered."""
    with reading(path):
        content = json.loads(path.read_bytes())
        checksum = content.pop("checksum")
        if checksum != sha256(canonical(content)):
            raise RecordError(f"{path.name} is damaged: its checksum does not fit its content")
    return content


# Records


def write_record(folder: Path, run: Run, trained: Trained, device: torch.device, provenance: dict) -> None:
    """Store a trained run as results/.../<key>, replacing whatever is there. Raises RecordError if unfit for use."""
    data = safetensors.torch.save(trained.tensors)
    content = {
        "config": run.config,
        "trained_on": {
            "device": device.type,
            "threads": torch.get_num_threads(),
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            **trained.computed_with,
        },
        "weights": sha256(data),
    }
    files = {
        "weights.safetensors": data,
        "run.json": sealed(content | trained.content),
        "provenance.json": sealed(provenance),
    }
    write_files(folder, files, run)


def write_files(folder: Path, files: dict[str, bytes], run: Run) -> None:
    """Put all files of a record in place together, replacing whatever is there. Raises RecordError if unfit for use."""
    building = beside(folder)
    try:
        for name in files.keys() & FILES:
            write_bytes(building / name, files[name])
        read_record(building, run)
        replace_folder(building, folder)
    finally:
        discard(building)


def read_files(folder: Path) -> dict[str, bytes]:
    """Content of a record's files by name, unchecked: those that are there."""
    return {name: (folder / name).read_bytes() for name in FILES if (folder / name).exists()}


def digits(history: torch.Tensor) -> list[float]:
    """A history (points,) to 6 digits, as it is stored."""
    return [float(f"{x:.6g}") for x in history.tolist()]


def read_record(folder: Path, run: Run) -> dict:
    """A run's record: its run.json with what the run restores from its tensors.

    Raises RecordError when it is missing, damaged, or another run's.
    """
    if not folder.is_dir():
        raise RecordError("no record")
    record = read_json(folder / "run.json")
    read_json(folder / "provenance.json")
    if record.get("config") != run.config:
        raise RecordError("run.json is another run's: its config is not this folder's")
    with reading(path := folder / "weights.safetensors"):
        data = path.read_bytes()
        if sha256(data) != record.get("weights"):
            raise RecordError(f"{path.name} is damaged: its checksum is not the one in run.json")
        record |= run.restore(safetensors.torch.load(data))
    return record


def write_evaluation(folder: Path, version: int, weights: str, result: dict) -> None:
    """Store what a model does beside the model: weights is the checksum of those that were evaluated."""
    path = folder / "evaluation.json"
    if path.is_dir():  # damage that no file can be renamed over
        remove(path)
    try:
        write_json(path, {"version": version, "weights": weights, "result": result})
    except ValueError:
        raise RecordError("the evaluation has numbers that are not finite: the training diverged") from None


def read_evaluation(folder: Path, version: int) -> dict:
    """The stored evaluation of the record in that folder; RecordError if there is none of this version and model."""
    with reading(path := folder / "evaluation.json"):
        content = read_json(path)
        if content["version"] != version:
            raise RecordError(f"{path.name} has version {content['version']}, not {version}")
        if content["weights"] != read_json(folder / "run.json")["weights"]:
            raise RecordError(f"{path.name} is of other weights")
        return content["result"]
