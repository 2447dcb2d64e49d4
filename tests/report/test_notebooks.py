import nbformat
import papermill
import pytest

from helpers import ROOT
from randformer.experiments import registry
from randformer.harness.checks import BadInput
from randformer.report import notebooks

FILES = sorted((ROOT / "notebooks").glob("*.ipynb"))


def code_cells(path) -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_every_notebook_can_be_asked_for():
    assert [experiment.notebook for experiment in registry.experiments().values()] == [path.name for path in FILES]


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


def test_a_notebook_is_stored_where_the_cache_is_on_another_file_system(monkeypatch, tmp_path, no_folder_is_renamed):
    cells = [nbformat.v4.new_code_cell('profile = "laptop"  # one', metadata={"tags": ["parameters"]})]
    (tmp_path / "notebooks").mkdir()
    path = tmp_path / "notebooks" / "x.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), path)
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "CACHE", tmp_path)
    no_folder_is_renamed.append(tmp_path / "x.ipynb")

    def execute(source, executed, *given, **options):
        notebook = nbformat.read(source, as_version=4)
        notebook.metadata["done"] = "yes"
        nbformat.write(notebook, executed)

    monkeypatch.setattr(notebooks.papermill, "execute_notebook", execute)
    notebooks.execute("x.ipynb", "laptop")
    assert nbformat.read(path, as_version=4).metadata.done == "yes"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["notebooks"]


def test_a_notebook_that_fails_stays_as_it_was(monkeypatch, tmp_path):
    cells = [nbformat.v4.new_code_cell('profile = "laptop"  # one', metadata={"tags": ["parameters"]})]
    cells.append(nbformat.v4.new_code_cell("1 / 0"))
    (tmp_path / "notebooks").mkdir()
    path = tmp_path / "notebooks" / "x.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), path)
    before = path.read_bytes()
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    with pytest.raises(papermill.PapermillExecutionError, match="division by zero"):
        notebooks.execute("x.ipynb", "laptop")
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_printed_text_is_stored_alike_however_it_was_cut():
    def printed(text, name="stdout"):
        return nbformat.v4.new_output("stream", name=name, text=text)

    picture = nbformat.v4.new_output("display_data")
    cut = [printed("a\n"), printed("b\n"), picture, printed("c\n"), printed("d\n", "stderr")]
    assert notebooks.joined(cut) == [printed("a\nb\n"), picture, printed("c\n"), printed("d\n", "stderr")]
