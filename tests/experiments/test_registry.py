import os
import sys
from pathlib import Path

import pytest

from randformer.experiments.registry import ELSEWHERE, declared, experiments
from randformer.harness.checks import BadInput
from randformer.harness.files import ROOT
from randformer.harness.profiles import PROFILES


@pytest.mark.parametrize("profile", PROFILES)
def test_every_run_has_its_own_key(profile):
    runs = declared(profile)
    assert len({run.key for run in runs}) == len(runs) == len({str(run) for run in runs})


@pytest.mark.parametrize("profile", PROFILES)
def test_runs_that_train_together_differ_in_q_and_number_only(profile):
    for run in declared(profile):
        assert run.group.training == run.training
        assert run.group.objective.m == run.objective.m
        assert run.group.group == run.group


def test_an_unknown_experiment_is_refused():
    with pytest.raises(BadInput, match="'colouring': give one of start, theory, recall, coloring, gridworld, cost"):
        declared("smoke", "colouring")


@pytest.fixture
def extra(monkeypatch, tmp_path) -> Path:
    """An extra folder of experiments, named as seen from the folder that a command is started in."""
    (tmp_path / "more").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(ELSEWHERE, "more")
    monkeypatch.setattr(sys, "path", sys.path[:])
    return tmp_path / "more"


def write(extra: Path, name: str, text: str) -> None:
    (extra / name).mkdir()
    (extra / name / "__init__.py").write_text(text, encoding="utf-8")


def found() -> dict:
    """What a new process finds."""
    return experiments.__wrapped__()


def test_an_experiment_elsewhere_brings_its_notebook(extra):
    write(extra, "dice_of_a_test", 'NOTEBOOK = "dice.ipynb"\n')
    both = found()
    assert both["dice_of_a_test"].path == extra / "dice_of_a_test" / "dice.ipynb"
    assert both["recall"].path == ROOT / "notebooks" / "02_associative_recall.ipynb"
    assert both["dice_of_a_test"].runs("smoke") == []
    assert both["dice_of_a_test"].claims == ()
    assert os.environ[ELSEWHERE] == str(extra)  # a notebook's kernel starts in another folder


def test_an_experiment_without_a_notebook_is_refused(extra):
    write(extra, "silent_in_a_test", "")
    with pytest.raises(BadInput, match=r"^experiment silent_in_a_test: its __init__.py lacks NOTEBOOK, the notebook's"):
        found()


def test_a_folder_that_is_not_there_is_refused(extra):
    extra.rmdir()
    with pytest.raises(BadInput, match=r"^RANDFORMER_EXPERIMENTS: 'more' is no folder: give one with a folder for"):
        found()


def test_a_name_that_is_taken_is_refused(extra):
    write(extra, "recall", 'NOTEBOOK = "recall.ipynb"\n')
    with pytest.raises(BadInput, match=r"^experiment recall: there are two of that name, give one folder another name"):
        found()
