"""Finds the experiments: every folder beside this file, and in the folders that RANDFORMER_EXPERIMENTS names.

An experiment is a folder:

    __init__.py   its first line says what the notebook shows (README's table); NOTEBOOK is the notebook's file name,
                  in notebooks/, or in this very folder where the experiment is none of the library's
    sweep.py      runs(profile, **sizes) -> {part: runs}: everything that its notebook needs trained
    figures.py    what is drawn
    findings.py   what is read off the runs, as tables
    claims.py     CLAIMS, a tuple of report.claims.Claim: what is claimed, by which rule, measured how

Only sweep.py is imported here, so that a machine that trains needs neither pandas nor matplotlib, and what is said of
the experiments needs no torch. A notebook that trains live, or not at all, has no sweep.py.
docs/adding_an_experiment.md leads through a new one.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from randformer.harness.checks import BadInput, one_of
from randformer.harness.files import ROOT

if TYPE_CHECKING:
    from randformer.contract import Run

ELSEWHERE = "RANDFORMER_EXPERIMENTS"  # environment variable: folders of more experiments, separated as in PATH


@dataclass(frozen=True)
class Experiment:
    """A folder with a notebook."""

    name: str  # what --only means
    package: str  # importable

    @property
    def notebook(self) -> str:
        """File name of its notebook."""
        return importlib.import_module(self.package).NOTEBOOK

    @property
    def path(self) -> Path:
        """Its notebook: in notebooks/ where it is one of the library's, in its own folder otherwise."""
        own = self.package.startswith(f"{__package__}.")
        return (ROOT / "notebooks" if own else Path(*importlib.import_module(self.package).__path__)) / self.notebook

    @property
    def shows(self) -> str:
        """What its notebook shows, in a line or two."""
        return " ".join(importlib.import_module(self.package).__doc__.split())

    def part(self, name: str) -> ModuleType | None:
        """Its module of that name (sweep, figures, claims); None where it has none."""
        module = f"{self.package}.{name}"
        return importlib.import_module(module) if find_spec(module) else None

    def runs(self, profile: str) -> list[Run]:
        """Every run that its notebook needs, once."""
        sweep = self.part("sweep")
        parts = sweep.runs(profile).values() if sweep else ()
        return list(dict.fromkeys(run for part in parts for run in part))

    @property
    def claims(self) -> tuple:
        """What it claims."""
        module = self.part("claims")
        return module.CLAIMS if module else ()


@cache
def experiments() -> dict[str, Experiment]:
    """All of them by name, in the order of their notebooks. Raises BadInput where a folder is not as it should be."""
    here = Path(__file__).parent
    found = [Experiment(folder.name, f"{__package__}.{folder.name}") for folder in folders(here)]
    found += elsewhere()
    for experiment in found:
        if not hasattr(importlib.import_module(experiment.package), "NOTEBOOK"):
            raise BadInput(f"experiment {experiment.name}: its __init__.py lacks NOTEBOOK, the notebook's file name")
        if sum(experiment.name == other.name for other in found) > 1:
            raise BadInput(f"experiment {experiment.name}: there are two of that name, give one folder another name")
    return {experiment.name: experiment for experiment in sorted(found, key=lambda each: each.notebook)}


def elsewhere() -> list[Experiment]:
    """Those in the folders that the environment names; their packages can be imported from now on."""
    named = [Path(where) for where in os.environ.get(ELSEWHERE, "").split(os.pathsep) if where]
    for where in named:
        if not where.is_dir():
            raise BadInput(f"{ELSEWHERE}: '{where}' is no folder: give one with a folder for each experiment")
        sys.path.append(str(where.resolve()))
    if named:
        os.environ[ELSEWHERE] = os.pathsep.join(str(where.resolve()) for where in named)  # kernels start elsewhere
    return [Experiment(folder.name, folder.name) for where in named for folder in folders(where)]


def folders(where: Path) -> list[Path]:
    """Folders there that are packages."""
    return [path.parent for path in sorted(where.glob("*/__init__.py"))]


def declared(profile: str, only: str | None = None) -> list[Run]:
    """Every run of a profile once, of one experiment or of all. Raises BadInput for unknown names."""
    if only is not None:
        one_of("only", only, experiments())
    asked = [experiment for name, experiment in experiments().items() if only in (None, name)]
    return list(dict.fromkeys(run for experiment in asked for run in experiment.runs(profile)))


def claims() -> dict:
    """Every claim by its id, in the order of the notebooks. Raises BadInput where two experiments use one id."""
    found = {}
    for experiment in experiments().values():
        for claim in experiment.claims:
            if claim.id in found:
                raise BadInput(f"claim {claim.id} of {experiment.name}: the id is taken, give another one")
            found[claim.id] = claim
    return found
