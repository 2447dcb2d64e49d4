"""Clones of the repository in which to do harm, and the processes that work in them. Needs no torch."""

import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def copied(folder: Path) -> Path:
    """A clone in that folder, with what numba has compiled: it takes seconds."""
    for name in ("lib", "notebooks", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc", "*.egg-info"))
    shutil.copy(ROOT / "README.md", folder)
    return folder


def python(clone: Path, *arguments: str, **options) -> subprocess.Popen:
    """Start Python in a clone, on the clone's own library, its output piped as text. It hears Ctrl-C."""
    environment = os.environ | {"PYTHONPATH": str(clone / "lib"), "CUDA_VISIBLE_DEVICES": ""}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    hear = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # what a shell starts in the background does not
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, cwd=clone, env=environment, preexec_fn=hear, **pipes | options)


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a process that must end within minutes."""
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def contents(folder: Path, but: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in but)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
