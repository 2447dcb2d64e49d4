import nbformat
import papermill
import pytest

from clones import ROOT
from helpers import code_cells
from randformer.experiments import registry
from randformer.harness.checks import BadInput
from randformer.report import notebooks

FILES = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_every_notebook_can_be_asked_for():
    assert [experiment.path for experiment in registry.experiments().values()] == FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_stored_notebook_was_executed_from_top_to_bottom(path):
    """Otherwise comparing with its outputs would compare nothing."""
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert not any(output.output_type == "error" or output.get("name") == "stderr" for output in cell.outputs)
        if "print(" in cell.source and "NBVAL_IGNORE_OUTPUT" not in cell.source:
            assert any(output.get("name") == "stdout" for output in cell.outputs), cell.source


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_cells_are_short_and_train_nothing_themselves(path):
    for cell in code_cells(path):
        assert len(cell.source.splitlines()) <= 30
        assert ".backward(" not in cell.source


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_parameters_have_the_laptops_values(path):
    parameters = papermill.inspect_notebook(str(path))
    assert parameters["profile"]["default"] == '"laptop"'
    assert all(parameter["help"] for parameter in parameters.values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_stored_that_differs_at_every_execution(path):
    notebook = nbformat.read(path, as_version=4)
    assert "papermill" not in notebook.metadata
    assert "version" not in notebook.metadata.language_info
    assert all({"papermill", "execution"}.isdisjoint(cell.metadata) for cell in notebook.cells)


KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
KINDS = {"profile": str, "vertices": (int, type(None))}


def test_good_parameters_pass_however_often_the_notebook_is_run():
    later = {"n": 10, "folder": "laptop", "In": ["", "profile = 'laptop'", "# Parameters\nvertices = 6\n", "n = 10"]}
    notebooks.parameters({"profile": "smoke", "vertices": 6} | later, **KINDS)


def test_a_misspelt_parameter_is_told():
    with pytest.raises(BadInput, match=r"^unknown parameter 'vertises': this notebook has profile, vertices$"):
        notebooks.parameters({"profile": "smoke", "vertices": None, "In": ["# Parameters\nvertises = 6\n"]}, **KINDS)
    with pytest.raises(BadInput, match=r"^parameter vertices = missing: give a whole number or None$"):
        notebooks.parameters({"profile": "smoke", "vertises": 6}, **KINDS)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"vertices": "6"}, "parameter vertices = '6': give a whole number or None"),
        ({"vertices": 6.0}, "parameter vertices = 6.0: give a whole number or None"),
        ({"profile": "desktop"}, "profile = 'desktop': give one of smoke, laptop, paper"),
        ({"profile": 1}, "parameter profile = 1: give a text"),
    ],
)
def test_bad_parameters_are_told(given, told):
    with pytest.raises(BadInput) as error:
        notebooks.parameters({"profile": "smoke", "vertices": None} | given, **KINDS)
    assert str(error.value) == told


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("profle", "smoke", "unknown parameter 'profle'"),
        ("vertices", "six", "parameter vertices = 'six': give a whole number"),
        ("vertices", 2, r"n \(vertices\) = 2: give a whole number, at least 3 and at most 10"),
        ("q", 0.5, "q = 0.5: give a number, at least 1"),
        ("m", 0, "m = 0: give a whole number, at least 1"),
    ],
)
def test_papermill_stops_at_a_bad_parameter(tmp_path, name, value, told):
    source = ROOT / "notebooks" / "00_start_here.ipynb"
    before = source.read_bytes()
    with pytest.raises(papermill.PapermillExecutionError, match=told):
        papermill.execute_notebook(str(source), str(tmp_path / "out.ipynb"), {name: value}, progress_bar=False)
    assert source.read_bytes() == before
