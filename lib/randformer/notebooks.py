"""Executing the notebooks, and checking what a person put into their parameters cells."""

import os
import types
from pathlib import Path

import nbformat
import papermill
from nbstripout import strip_output
from traitlets.config import Config

from .checks import BadInput, one_of
from .experiments import PROFILES
from .workers import ROOT

NOTEBOOKS = {"start": "00_start_here.ipynb", "coloring": "03_graph_coloring.ipynb"}  # what --only means
PRIVATE = Config(KernelManager={"transport": "ipc"})  # no network between us and the kernel, and no warning about it
VOLATILE = ["metadata.papermill", "cell.metadata.papermill", "cell.metadata.execution"]  # differ at every execution


def parameters(given: dict, **kinds: tuple[type, ...]) -> None:
    """Check a notebook's parameters cell; called right behind it as parameters(globals(), profile=str, ...).

    Raises BadInput for a name that is none of kinds' (papermill defines a misspelt one and says nothing), for a value
    of another type, and for an unknown profile.
    """
    plain = (bool, int, float, str, list, dict, tuple, types.NoneType)
    hidden = {"In", "Out"}  # IPython's own
    for name, value in given.items():
        if isinstance(value, plain) and name not in kinds and name not in hidden and not name.startswith("_"):
            raise BadInput(f"unknown parameter {name!r}: this notebook has {', '.join(kinds)}")
    for name, kind in kinds.items():
        if type(given[name]) not in (kind if isinstance(kind, tuple) else (kind,)):
            allowed = " or ".join(k.__name__ for k in (kind if isinstance(kind, tuple) else (kind,)))
            raise BadInput(f"parameter {name} = {given[name]!r}: give {allowed}")
    one_of("profile", given["profile"], PROFILES)


def execute(name: str, profile: str) -> Path:
    """Execute a notebook in a profile; returns where the executed one is.

    laptop's is executed in place, its bytes unchanged where nothing changed; the others' goes to figures/<profile>/.
    Raises papermill's error where a cell fails; the notebook that was there then stays as it was.
    """
    source = ROOT / "notebooks" / name
    target = source if profile == "laptop" else ROOT / "figures" / profile / name
    target.parent.mkdir(parents=True, exist_ok=True)
    given = {} if profile == "laptop" else {"profile": profile}
    unknown = set(given) - set(papermill.inspect_notebook(str(source)))
    if unknown:
        raise BadInput(f"{name} has no parameter {', '.join(unknown)}")
    executed = target.with_name(f".{target.stem}.{os.getpid()}.ipynb")
    try:
        papermill.execute_notebook(
            str(source), str(executed), given, cwd=str(source.parent), progress_bar=False, config=PRIVATE
        )
        tidy(executed)
        executed.replace(target)
    finally:
        executed.unlink(missing_ok=True)
    return target


def tidy(path: Path) -> None:
    """Drop what differs at every execution, keep outputs and execution counts."""
    notebook = nbformat.read(path, as_version=4)
    notebook = strip_output(notebook, keep_output=True, keep_count=True, keep_id=True, extra_keys=VOLATILE)
    nbformat.write(notebook, path)
