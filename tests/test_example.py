"""The worked example of docs/adding_an_experiment.md: in an extra folder, with no file of the library changed."""

import ast
import json
import shutil

import pandas as pd
import pytest

from clones import ROOT, contents, finish, python
from randformer.experiments.registry import ELSEWHERE

EXAMPLE = ROOT / "tests" / "example"
COMMAND = ("-m", "randformer", "--profile", "smoke", "--only", "coin")


def code_lines(source: str) -> int:
    """Lines that are neither blank nor a comment nor a docstring."""
    tree = ast.parse(source)
    quiet = {number for number, line in enumerate(source.splitlines(), 1) if not line.split("#")[0].strip()}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            quiet |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(source.splitlines()) - len(quiet)


@pytest.fixture
def example(clone, monkeypatch):
    """A clone with the example in a folder beside it, which the environment names."""
    monkeypatch.delenv("RANDFORMER_ALONE", raising=False)
    monkeypatch.setenv(ELSEWHERE, "more")  # as a person writes it: relative to where the command is started
    shutil.copytree(EXAMPLE, clone / "more", ignore=shutil.ignore_patterns("__pycache__"))
    return clone


def worst(clone) -> dict[bool, list[float]]:
    """{whether its seed is fixed: success of each run on the worse coin}, from the records."""
    found = {True: [], False: []}
    for folder in (clone / "results" / "smoke" / "coin").iterdir():
        config = json.loads((folder / "run.json").read_text(encoding="utf-8"))["config"]
        result = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))["result"]
        found[config["model"]["fixed_seed"]].append(result["success"]["worst"])
    return found


def test_it_stays_small():
    assert sum(code_lines(path.read_text(encoding="utf-8")) for path in EXAMPLE.rglob("*.py")) <= 60


def files(example) -> dict[str, bytes]:
    """The clone's library and the example, as source."""
    every = contents(example / "lib") | contents(example / "more")
    return {name: data for name, data in every.items() if not name.endswith(".pyc")}


def command(clone, *more: str) -> str:
    """What the command prints, which must succeed."""
    status, out, err = finish(python(clone, *COMMAND, *more))
    assert status == 0, out + err
    return out


def trained(clone, jobs: int) -> dict[str, bytes]:
    """The records made by that many processes, but for what differs between two trainings of the same numbers."""
    shutil.rmtree(clone / "results", ignore_errors=True)
    assert "0 runs reused, 10 trained, 0 evaluated anew, 0 failed" in command(clone, "--no-figures", f"--jobs={jobs}")
    return contents(clone / "results", but=("provenance.json",))


def test_it_is_trained_reused_drawn_and_judged(example):
    before = files(example)
    records = trained(example, jobs=2)
    assert trained(example, jobs=1) == records
    success = worst(example)
    assert success[True] == [0.0] * 5, "a fixed answer always loses on one coin"
    assert len(success[False]) == 5
    assert min(success[False]) > 0.25
    assert sum(success[False]) / 5 == pytest.approx(0.5, abs=0.1)

    assert "10 runs reused, 0 trained, 0 evaluated anew, 0 failed" in command(example)
    figures = example / "figures" / "smoke"
    assert {path.name for path in figures.glob("figure_*")} == {f"figure_coin.{kind}" for kind in ("png", "svg", "csv")}
    assert (figures / "coin.ipynb").exists()
    (claim,) = pd.read_csv(figures / "claims.csv", dtype=str).to_dict("records")
    assert (claim["id"], claim["verdict"], claim["n_runs"]) == ("X1", "partly", "5; 5")
    assert contents(example / "results", but=("provenance.json",)) == records
    assert files(example) == before


def test_a_folder_that_is_not_there_is_told_in_one_line(example, monkeypatch):
    monkeypatch.setenv(ELSEWHERE, "mroe")
    told = "RANDFORMER_EXPERIMENTS: 'mroe' is no folder: give one with a folder for each experiment"
    assert finish(python(example, *COMMAND, "--no-figures")) == (2, "", f"randformer: {told}\n")
