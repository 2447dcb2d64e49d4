"""The repository agrees with itself."""

import re
import subprocess
import tomllib

import pytest
import yaml

from helpers import ROOT
from randformer.experiments import registry
from randformer.harness import workers

FILES = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()


def test_conda_and_pip_install_the_same_versions():
    """environment.yml takes its packages from the lock; the Python it asks for is the one pyproject.toml asks for."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    assert pip == ["-r requirements.txt", "-e ."]
    plain = [d for d in environment["dependencies"] if isinstance(d, str)]
    bound = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert plain == [f"python{bound}", "pip"]


def test_every_package_is_pinned_and_torch_has_no_local_suffix():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.\-]+==[0-9][A-Za-z0-9.]*", line) for line in lines)
    assert "torch==2.13.0" in lines
    names = [line.split("==")[0].lower() for line in lines]
    assert len(names) == len(set(names))


def test_every_module_is_tested_in_a_file_of_its_name():
    for path in (ROOT / "lib" / "randformer").rglob("*.py"):
        name = path.relative_to(ROOT / "lib" / "randformer")
        if name.name not in ("__init__.py", "profiles.py"):  # the one is text, the other a list of names
            assert (ROOT / "tests" / name.with_name(f"test_{name.stem.strip('_')}.py")).exists(), name


def test_modules_can_be_read_in_one_sitting():
    for path in (ROOT / "lib").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 300, path


def test_every_declared_laptop_run_has_a_valid_record():
    """So that notebooks compare with what is stored, and train nothing."""
    runs = registry.declared("laptop")
    assert {str(run): need for run in runs if (need := workers.missing("laptop", run))} == {}


@pytest.mark.skipif(not FILES, reason="not a git checkout")
def test_committed_results_and_figures_stay_small():
    sizes = [(ROOT / f).stat().st_size for f in FILES if f.startswith(("results/", "figures/")) and (ROOT / f).exists()]
    assert sum(sizes) < 40e6
