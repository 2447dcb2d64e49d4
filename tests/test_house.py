"""The repository agrees with itself."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from clones import ROOT
from randformer.experiments import registry
from randformer.harness import workers

LISTED = ["git", "ls-files"] if shutil.which("git") else ["true"]
FILES = subprocess.run(LISTED, cwd=ROOT, capture_output=True, encoding="utf-8", check=False).stdout.split()


def test_conda_and_pip_install_the_same_versions():
    """environment.yml takes its packages from the lock; the Python it asks for is the one pyproject.toml asks for."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    assert pip == ["-r requirements.txt", "-e ."]
    plain = [d for d in environment["dependencies"] if isinstance(d, str)]
    bound = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert plain == [f"python{bound}", "pip"]


def test_every_package_is_pinned_and_torch_has_no_local_suffix():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.\-]+==[0-9][A-Za-z0-9.]*", line) for line in lines)
    assert "torch==2.13.0" in lines
    names = [line.split("==")[0].lower() for line in lines]
    assert len(names) == len(set(names))


def declared() -> dict[str, Requirement]:
    """What pip installs besides the library, by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {canonicalize_name(one.name): one for one in map(Requirement, project["dependencies"])}


def test_the_lock_pins_all_that_pip_installs_with_the_library():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
    pinned = {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}
    for name, requirement in declared().items():
        assert requirement.specifier.contains(pinned[name], prereleases=True), requirement


def test_pip_installs_all_that_the_library_imports_and_nothing_else():
    ours = sys.stdlib_module_names | {"randformer"}
    paths = (ROOT / "lib").rglob("*.py")
    modules = {name.split(".")[0] for path in paths for name in imported(path)} - ours
    installed = packages_distributions()
    names = {canonicalize_name(name) for module in modules for name in installed[module]}
    assert names | {"ipykernel"} == set(declared())  # which notebooks are executed by


def test_the_site_is_built_with_the_versions_that_all_else_has():
    """They are known to install on the oldest Python that is allowed; what only the site needs is pinned beside."""
    locks = [
        (ROOT / name).read_text(encoding="utf-8").split() for name in ("requirements.txt", "docs/site/requirements.txt")
    ]
    ours, sites = (dict(line.split("==") for line in lock) for lock in locks)
    assert {name: sites[name] for name in ours.keys() & sites.keys()} == {
        n: ours[n] for n in ours.keys() & sites.keys()
    }


def test_every_module_is_tested_in_a_file_of_its_name():
    for path in (ROOT / "lib" / "randformer").rglob("*.py"):
        name = path.relative_to(ROOT / "lib" / "randformer")
        if name.name not in ("__init__.py", "profiles.py"):  # the one is text, the other a list of names
            assert (ROOT / "tests" / name.with_name(f"test_{name.stem.strip('_')}.py")).exists(), name


ROOMS = ("contract", "harness", "core", "exact", "problems", "report", "experiments")  # later ones import earlier ones


def test_imports_run_one_way_through_the_house():
    """Model and the runner, at the top, may import all; what is for type checkers alone does not count."""
    for path in (ROOT / "lib" / "randformer").rglob("*.py"):
        room = path.relative_to(ROOT / "lib" / "randformer").parts[0].removesuffix(".py")
        if room in ROOMS:
            found = {name.split(".")[1] for name in imported(path) if name.startswith("randformer.")}
            assert all(ROOMS.index(other) <= ROOMS.index(room) for other in found), (path, found)


def test_a_problem_imports_no_other_problem():
    for path in (ROOT / "lib" / "randformer" / "problems").glob("*/*.py"):
        found = {name.split(".")[2] for name in imported(path) if name.startswith("randformer.problems.")}
        assert found <= {path.parent.name}, path


def imported(path: Path) -> list[str]:
    """Modules that a file imports when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    froms = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return froms + [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]


def test_every_task_run_and_evaluation_set_that_is_handed_on_has_its_type():
    """No untyped parameter of that name is left."""
    for path in (ROOT / "lib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for argument in node.args.args + node.args.kwonlyargs:
                    asked = argument.arg in ("task", "run", "runs", "evaluation_set")
                    assert not asked or argument.annotation, f"{path}: {node.name}({argument.arg})"


def test_modules_can_be_read_in_one_sitting():
    for path in (ROOT / "lib").rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path


def test_every_declared_laptop_run_has_a_valid_record():
    """So that notebooks compare with what is stored, and train nothing."""
    runs = registry.declared("laptop")
    assert {str(run): need for run in runs if (need := workers.why_stale("laptop", run))} == {}


@pytest.mark.skipif(not FILES, reason="not a git checkout")
def test_committed_results_and_figures_stay_small():
    sizes = [(ROOT / f).stat().st_size for f in FILES if f.startswith(("results/", "figures/")) and (ROOT / f).exists()]
    assert sum(sizes) < 40e6


def unsaid(path) -> list[int]:
    """Lines that read, write or pipe text in whatever encoding the machine happens to prefer."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return [node.lineno for node in calls if is_text(node) and "encoding" not in {k.arg for k in node.keywords}]


def is_text(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "open" and ast.unparse(call.func) != "os.open":
        given = [*call.args, *(k.value for k in call.keywords if k.arg == "mode")]
        modes = [a.value for a in given if isinstance(a, ast.Constant) and re.fullmatch("[rwaxbt+]{1,3}", str(a.value))]
        return not any("b" in mode for mode in modes)
    return name in ("read_text", "write_text") or any(
        ast.unparse(k) in ("text=True", "universal_newlines=True") for k in call.keywords
    )


@pytest.mark.parametrize("folder", ["lib", "benchmarks", "tests", "."])
def test_text_is_utf8_whatever_the_machine_prefers(folder):
    files = (ROOT / folder).glob("*.py" if folder == "." else "**/*.py")
    assert {path.name: lines for path in files if (lines := unsaid(path))} == {}
