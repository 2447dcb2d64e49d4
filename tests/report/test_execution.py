import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext

import nbformat
import pytest

from clones import ROOT, contents, finish, python
from helpers import code_cells
from randformer.report import execution

PICTURE = "from randformer.report import plots\nplots.style()\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);"


@pytest.fixture
def stored(monkeypatch, tmp_path):
    """Stores a notebook with those cells behind its parameters, to be executed as x.ipynb; returns its path."""
    monkeypatch.setattr(execution, "ROOT", tmp_path)
    (tmp_path / "notebooks").mkdir()

    def store(*sources: str, name: str = "x.ipynb", **metadata):
        cells = [nbformat.v4.new_code_cell('profile = "laptop"  # one', metadata={"tags": ["parameters"]})]
        cells += [nbformat.v4.new_code_cell(source, metadata=metadata) for source in sources]
        kernel = {"kernelspec": {"name": "python3", "display_name": "mine", "language": "python"}}
        path = tmp_path / "notebooks" / name
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel | metadata), path)
        return path

    return store


def executed(path, profile: str = "laptop") -> str | None:
    """Execute one notebook; why it failed."""
    ((source, _, why),) = execution.execute([path], profile, 1)
    assert source == path
    return why


def test_a_notebook_is_stored_though_it_was_executed_on_another_file_system(
    stored, monkeypatch, tmp_path, no_folder_is_renamed
):
    path, own = stored("print(1)"), tmp_path / "own"
    own.mkdir()
    monkeypatch.setattr(execution, "TemporaryDirectory", lambda **_: nullcontext(own))
    no_folder_is_renamed.append(own / "x.ipynb")
    assert executed(path) is None
    assert [output.text for output in code_cells(path)[1].outputs] == ["1\n"]


@pytest.mark.parametrize("count", [1, 2])
def test_a_notebook_that_fails_is_told_and_the_others_go_on(stored, count):
    paths = [stored(source, name=f"{i}.ipynb") for i, source in enumerate(("1 / 0", "print(1)", "print(2)"))]
    before = paths[0].read_bytes()
    whys = {path: why for path, _, why in execution.execute(paths, "laptop", count)}
    assert whys == {paths[0]: "ZeroDivisionError: division by zero", paths[1]: None, paths[2]: None}
    assert paths[0].read_bytes() == before
    assert [code_cells(path)[1].outputs[0].text for path in paths[1:]] == ["1\n", "2\n"]


# Writes its process and waits for the other's; then goes on for as long as nobody ends it
MEETS = """
import os, time
from pathlib import Path
Path("{0}").write_text(f"{{os.getpid()}} {{os.environ['IPYTHONDIR']}}")
while not Path("{1}").exists():
    time.sleep(0.05)
while Path("stay").exists():
    time.sleep(0.05)
"""


def executing(root, paths) -> str:
    """A program that executes notebooks, two at a time, in that root."""
    imports = "from pathlib import Path\nfrom randformer.report import execution\n"
    started = f"list(execution.execute([Path(p) for p in {list(map(str, paths))}], 'laptop', 2))"
    return imports + f"execution.ROOT = Path({str(root)!r})\n" + started


def test_two_are_executed_at_once(stored):
    paths = [stored(MEETS.format(*names), name=f"{names[0]}.ipynb") for names in ("ab", "ba")]
    assert [why for _, _, why in execution.execute(paths, "laptop", 2)] == [None, None]


def test_ctrl_c_ends_all_of_them_and_leaves_nothing(stored, tmp_path):
    paths = [stored(MEETS.format(*names), name=f"{names[0]}.ipynb") for names in ("ab", "ba")]
    before, folder = contents(paths[0].parent), paths[0].parent
    (folder / "stay").touch()
    process = python(ROOT, "-c", executing(tmp_path, paths))
    while not all((folder / name).exists() and (folder / name).read_text(encoding="utf-8") for name in "ab"):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    status, _, err = finish(process)
    assert status == -signal.SIGINT
    assert err.splitlines()[-1] == "KeyboardInterrupt"
    for name in "ab":
        kernel, private = (folder / name).read_text(encoding="utf-8").split()
        (folder / name).unlink()
        with pytest.raises(ProcessLookupError):
            os.kill(int(kernel), 0)
        assert not os.path.exists(private)
    (folder / "stay").unlink()
    assert contents(folder) == before


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
    assert executed(path) is None
    before = path.read_bytes()
    assert execution.pictures(path) == 1
    assert [o.text for o in code_cells(path)[2].outputs] == [f"{sys.executable}\n"]
    for name, value in person.items():
        monkeypatch.setenv(name, value)
    environment = dict(os.environ)
    assert executed(path) is None
    assert path.read_bytes() == before
    assert dict(os.environ) == environment
    assert list(path.parent.iterdir()) == [path]


def test_a_command_can_be_given_the_same_surroundings(person):
    """tests/run.sh compares the notebooks with their outputs in them."""
    code = "import os, matplotlib; print(os.environ.get('PYTHONWARNINGS'), matplotlib.rcParams['font.size'])"
    command = [sys.executable, "-m", "randformer.report.execution", sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ | person, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.splitlines()[-1] == "None 10.0"


def test_sockets_are_left_nowhere_that_matters_after_a_kill(stored, tmp_path):
    """And their path is short enough: a system's limit is about 107 bytes."""
    path = stored("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")
    command = [sys.executable, "-c", executing(tmp_path, [path])]
    home = tmp_path / ("long" * 30)
    home.mkdir()
    environment = os.environ | {"HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(ROOT / "lib")}
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == -9
    assert list(path.parent.iterdir()) == [path]
    assert not [p for p in home.rglob("*") if p.is_socket()]
    with execution.private_folder() as folder:
        assert len(folder) < 60


def test_a_notebook_is_not_replaced_by_one_with_fewer_pictures(stored):
    path = stored(PICTURE)
    assert executed(path) is None
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace("plt.plot([1, 2]);", "pass"), encoding="utf-8")
    before = path.read_bytes()
    assert executed(path).startswith("x.ipynb has 0 pictures, the stored one 1, and is not replaced: if")
    assert path.read_bytes() == before


def test_what_a_person_or_an_editor_adds_is_not_stored(stored):
    path = stored("print(1)", widgets={}, vscode={"languageId": "python"}, jupyter={"source_hidden": True})
    assert executed(path) is None
    notebook = nbformat.read(path, as_version=4)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec == execution.KERNEL
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)


def test_cells_that_are_marked_for_it_are_closed_in_jupyterlab(stored):
    path = stored("print(1)", tags=[execution.COLLAPSED], jupyter={"outputs_hidden": True})
    assert executed(path) is None
    assert nbformat.read(path, as_version=4).cells[-1].metadata["jupyter"] == {"source_hidden": True}


def test_sliders_are_stored_without_the_name_that_a_kernel_gave_them(stored):
    path = stored("import ipywidgets\nipywidgets.IntSlider(3)")
    stored_twice = []
    for _ in range(2):
        assert executed(path) is None
        stored_twice.append(path.read_bytes())
    assert stored_twice[0] == stored_twice[1]
    (output,) = code_cells(path)[-1].outputs
    assert list(output.data) == ["text/plain"]


def test_another_profiles_copy_has_the_same_bytes_at_every_execution(stored, tmp_path):
    path = stored("print(profile)")
    copies = []
    for _ in range(2):
        assert executed(path, "smoke") is None
        copies.append(contents(tmp_path / "figures" / "smoke"))
    assert copies[0] == copies[1]
    assert b"injected-parameters" in copies[0]["x.ipynb"]


def test_printed_text_is_stored_alike_however_it_was_cut():
    def printed(text, name="stdout"):
        return nbformat.v4.new_output("stream", name=name, text=text)

    picture = nbformat.v4.new_output("display_data")
    cut = [printed("a\n"), printed("b\n"), picture, printed("c\n"), printed("d\n", "stderr")]
    assert execution.joined(cut) == [printed("a\nb\n"), picture, printed("c\n"), printed("d\n", "stderr")]
