import os
import subprocess
import sys

import nbformat
import papermill
import pytest

from helpers import ROOT, contents
from randformer.experiments import registry
from randformer.harness.checks import BadInput
from randformer.report import notebooks

FILES = sorted((ROOT / "notebooks").glob("*.ipynb"))


def code_cells(path) -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


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


PICTURE = "from randformer.report import plots\nplots.style()\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);"


@pytest.fixture
def stored(monkeypatch, tmp_path):
    """Stores a notebook with those cells behind its parameters, to be executed as x.ipynb; returns its path."""
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    path = tmp_path / "notebooks" / "x.ipynb"
    path.parent.mkdir()

    def store(*sources: str, **metadata):
        cells = [nbformat.v4.new_code_cell('profile = "laptop"  # one', metadata={"tags": ["parameters"]})]
        cells += [nbformat.v4.new_code_cell(source, metadata=metadata) for source in sources]
        kernel = {"kernelspec": {"name": "python3", "display_name": "mine", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel | metadata), path)
        return path

    return store


def test_a_notebook_is_stored_where_the_cache_is_on_another_file_system(
    stored, monkeypatch, tmp_path, no_folder_is_renamed
):
    path = stored("print(1)")
    monkeypatch.setattr(notebooks, "CACHE", tmp_path)
    (tmp_path / "matplotlib").mkdir()
    no_folder_is_renamed.append(tmp_path / "x.ipynb")
    notebooks.execute(path, "laptop")
    assert [output.text for output in code_cells(path)[1].outputs] == ["1\n"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["matplotlib", "notebooks"]


def test_a_notebook_that_fails_stays_as_it_was(stored):
    path = stored("1 / 0")
    before = path.read_bytes()
    with pytest.raises(papermill.PapermillExecutionError, match="division by zero"):
        notebooks.execute(path, "laptop")
    assert contents(path.parent) == {"x.ipynb": before}


@pytest.fixture
def person(monkeypatch, tmp_path):
    """Somebody who has set up IPython, Jupyter, matplotlib and Python in every way that reaches a kernel."""
    home = tmp_path / "home"
    files = {
        ".ipython/profile_default/ipython_kernel_config.py": "get_config().InlineBackend.figure_formats = {'svg'}",
        ".ipython/profile_default/startup/greet.py": "print('good morning')",
        ".config/matplotlib/matplotlibrc": "figure.figsize: 1, 1\nlines.linewidth: 9\nfont.size: 30\n",
        "startup.py": "print('good evening')",
    }
    foreign = '{"argv": ["/no/python", "{connection_file}"], "display_name": "mine", "language": "python"}'
    files |= {f"{folder}/kernels/python3/kernel.json": foreign for folder in ("jupyter", ".local/share/jupyter")}
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    settings = {
        "HOME": home,
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": home / ".config" / "matplotlib",
        "MATPLOTLIBRC": home / ".config" / "matplotlib" / "matplotlibrc",
        "IPYTHONDIR": home / ".ipython",
        "JUPYTER_PATH": home / "jupyter",
        "JUPYTER_RUNTIME_DIR": home / ("long" * 30),
        "TMPDIR": home / ("long" * 30),
        "PYTHONSTARTUP": home / "startup.py",
        "PYTHONWARNINGS": "always",
    }
    return {name: str(value) for name, value in settings.items()}


def test_what_a_person_has_set_up_changes_nothing(stored, person, monkeypatch):
    path = stored(PICTURE, "import sys, warnings\nprint(sys.executable)\nwarnings.warn('', ResourceWarning)")
    notebooks.execute(path, "laptop")
    before = path.read_bytes()
    assert notebooks.pictures(path) == 1
    assert [o.text for o in code_cells(path)[2].outputs] == [f"{sys.executable}\n"]
    for name, value in person.items():
        monkeypatch.setenv(name, value)
    environment = dict(os.environ)
    notebooks.execute(path, "laptop")
    assert path.read_bytes() == before
    assert dict(os.environ) == environment
    assert list(path.parent.iterdir()) == [path]


def test_a_command_can_be_given_the_same_surroundings(person):
    """tests/run.sh compares the notebooks with their outputs in them."""
    code = "import os, matplotlib; print(os.environ.get('PYTHONWARNINGS'), matplotlib.rcParams['font.size'])"
    command = [sys.executable, "-m", "randformer.report.notebooks", sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ | person, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.splitlines()[-1] == "None 10.0"


def test_sockets_are_left_nowhere_that_matters_after_a_kill(stored, tmp_path):
    """And their path is short enough: a system's limit is about 107 bytes."""
    path = stored("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")
    code = (
        f"from pathlib import Path\nfrom randformer.report import notebooks\nnotebooks.ROOT = Path({str(tmp_path)!r})\n"
    )
    command = [sys.executable, "-c", code + f"notebooks.execute(Path({str(path)!r}), 'laptop')"]
    home = tmp_path / ("long" * 30)
    home.mkdir()
    environment = os.environ | {"HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(ROOT / "lib")}
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == -9
    assert list(path.parent.iterdir()) == [path]
    assert not [p for p in home.rglob("*") if p.is_socket()]
    with notebooks.private_folder() as folder:
        assert len(folder) < 60


def test_a_notebook_is_not_replaced_by_one_with_fewer_pictures(stored):
    path = stored(PICTURE)
    notebooks.execute(path, "laptop")
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace("plt.plot([1, 2]);", "pass"), encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match=r"^x\.ipynb has 0 pictures, the stored one 1, and is not replaced: if"):
        notebooks.execute(path, "laptop")
    assert path.read_bytes() == before


def test_what_a_person_or_an_editor_adds_is_not_stored(stored):
    path = stored("print(1)", widgets={}, vscode={"languageId": "python"}, jupyter={"source_hidden": True})
    notebooks.execute(path, "laptop")
    notebook = nbformat.read(path, as_version=4)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec == notebooks.KERNEL
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)


def test_another_profiles_copy_has_the_same_bytes_at_every_execution(stored, tmp_path):
    path = stored("print(profile)")
    copies = []
    for _ in range(2):
        notebooks.execute(path, "smoke")
        copies.append(contents(tmp_path / "figures" / "smoke"))
    assert copies[0] == copies[1]
    assert b"injected-parameters" in copies[0]["x.ipynb"]


def test_printed_text_is_stored_alike_however_it_was_cut():
    def printed(text, name="stdout"):
        return nbformat.v4.new_output("stream", name=name, text=text)

    picture = nbformat.v4.new_output("display_data")
    cut = [printed("a\n"), printed("b\n"), picture, printed("c\n"), printed("d\n", "stderr")]
    assert notebooks.joined(cut) == [printed("a\nb\n"), picture, printed("c\n"), printed("d\n", "stderr")]
