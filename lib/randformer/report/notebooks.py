"""Executing the notebooks, and checking what a person put into their parameters cells.

python -m randformer.report.notebooks COMMAND ...    a command in the surroundings that notebooks are executed in
"""

import ast
import os
import subprocess
import sys
import tempfile
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import papermill
from traitlets.config import Config

from randformer.harness.checks import BadInput, one_of
from randformer.harness.files import write_bytes
from randformer.harness.profiles import PROFILES
from randformer.harness.records import CACHE, ROOT

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
INLINE = "module://matplotlib_inline.backend_inline"  # draws into the notebook
SETTINGS = ("IPYTHON", "JUPYTER", "MATPLOTLIB", "MPL", "PYTHON")  # environment variables that begin so set up a kernel
NAMES = {str: "a text", int: "a whole number", float: "a number", types.NoneType: "None"}


def parameters(given: dict, **kinds: type | tuple[type, ...]) -> None:
    """Check a notebook's parameters cell; called right behind it as parameters(globals(), profile=str, ...).

    Raises BadInput for a name that is none of kinds' (papermill defines a misspelt one and says nothing), for a value
    of another type, and for an unknown profile.
    """
    for name in injected(given.get("In", [])):
        if name not in kinds:
            raise BadInput(f"unknown parameter {name!r}: this notebook has {', '.join(kinds)}")
    for name, kind in kinds.items():
        allowed = kind if isinstance(kind, tuple) else (kind,)
        if name not in given or type(given[name]) not in allowed:
            found = repr(given[name]) if name in given else "missing"
            raise BadInput(f"parameter {name} = {found}: give {' or '.join(map(NAMES.get, allowed))}")
    one_of("profile", given["profile"], PROFILES)


def injected(cells: list[str]) -> list[str]:
    """Names that papermill defines in the cell that it puts behind the parameters cell; cells: sources, as executed."""
    for source in reversed(cells):
        if source.startswith("# Parameters"):
            stored = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name))
            return [node.id for node in stored if isinstance(node.ctx, ast.Store)]
    return []


def execute(source: Path, profile: str) -> None:
    """Execute a notebook in a profile.

    laptop's is executed in place, its bytes unchanged where nothing changed; the others' goes to figures/<profile>/.
    Raises papermill's error where a cell fails; the notebook that was there then stays as it was.
    """
    name = source.name
    target = source if profile == "laptop" else ROOT / "figures" / profile / name
    target.parent.mkdir(parents=True, exist_ok=True)
    given = {} if profile == "laptop" else {"profile": profile}
    default = papermill.inspect_notebook(str(source)).get("profile", {}).get("default")
    if default != '"laptop"':
        raise BadInput(f'the parameters cell of {name} has profile = {default}: give "laptop"')
    executed = CACHE / name
    executed.parent.mkdir(parents=True, exist_ok=True)
    try:
        with surroundings() as private:
            papermill.execute_notebook(
                str(source), str(executed), given, cwd=str(source.parent), progress_bar=False,
                kernel_name=KERNEL["name"], config=sockets(private),
            )  # fmt: skip
        tidy(executed)
        before, now = pictures(target), pictures(executed)
        if now < before:
            raise RuntimeError(
                f"{name} has {now} pictures, the stored one {before}, and is not replaced: "
                f"if that is meant, clear the outputs of {target}"
            )
        write_bytes(target, executed.read_bytes())  # .cache may be on another file system
    finally:
        executed.unlink(missing_ok=True)


@contextmanager
def surroundings() -> Iterator[Path]:
    """An environment in which every kernel is alike, however a person set up Python, Jupyter and matplotlib.

    Yields a folder that is gone at the end. Its path is short whatever HOME and TMPDIR are: a socket's is 107 bytes at
    most.
    """
    before = dict(os.environ)
    for name in before:
        if name.startswith(SETTINGS) and name not in ("PYTHONPATH", "PYTHONHOME"):
            del os.environ[name]
    with private_folder() as private:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            os.environ[name] = str(private)
        os.environ |= {"PYTHONUTF8": "1", "MPLCONFIGDIR": str(CACHE / "matplotlib"), "MPLBACKEND": INLINE}
        try:
            # builds matplotlib's list of fonts here, where no notebook shows the note about it
            subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], check=True, capture_output=True)
            yield private
        finally:
            os.environ.clear()
            os.environ.update(before)


def private_folder() -> tempfile.TemporaryDirectory:
    """A folder of our own, where its path is short if that can be."""
    for place in ("/tmp", "/var/tmp"):
        try:
            return tempfile.TemporaryDirectory(prefix="rf-", dir=place)
        except OSError:
            continue
    return tempfile.TemporaryDirectory(prefix="rf-")


def sockets(folder: Path | str) -> Config:
    """No network between us and the kernel, and no warning about it: sockets in that folder."""
    where = {"ip": f"{folder}/s", "connection_file": f"{folder}/kernel.json"}
    return Config(KernelManager={"transport": "ipc"} | where)


def pictures(path: Path) -> int:
    """How many a notebook shows; 0 where it does not exist."""
    if not path.exists():
        return 0
    cells = nbformat.read(path, as_version=4).cells
    return sum("image/png" in output.get("data", {}) for cell in cells for output in cell.get("outputs", []))


def tidy(path: Path) -> None:
    """Drop what differs at every execution, or with the person who executes; keep outputs and execution counts."""
    notebook = nbformat.read(path, as_version=4)
    language = {key: value for key, value in notebook.metadata.get("language_info", {}).items() if key != "version"}
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": language})
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in ("tags",) if key in cell.metadata})
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"  # papermill draws one
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
    nbformat.write(notebook, path)


def joined(outputs: list) -> list:
    """Outputs of a cell with each stretch of printed text as one: where it is cut is a matter of time."""
    found = []
    for output in outputs:
        if found and output.output_type == "stream" == found[-1].output_type and output.name == found[-1].name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


if __name__ == "__main__":
    with surroundings():
        status = subprocess.run(sys.argv[1:], check=False).returncode
    sys.exit(status)
