"""Executing the notebooks, several at a time.

python -m randformer.report.execution COMMAND ...    a command in the surroundings that notebooks are executed in
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import papermill
from traitlets.config import Config

from randformer.contract import Tick
from randformer.harness import processes
from randformer.harness.checks import BadInput
from randformer.harness.files import CACHE, ROOT, write_bytes

WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
INLINE = "module://matplotlib_inline.backend_inline"  # draws into the notebook
COLLAPSED = "hide-input"  # tag of set-up cells, which readers and the site see closed
SETTINGS = ("IPYTHON", "JUPYTER", "MATPLOTLIB", "MPL", "PYTHON")  # environment variables that begin so set up a kernel


@dataclass(frozen=True)
class Sheet:
    """A notebook to be executed."""

    source: Path
    profile: str
    private: Path  # a folder of ours that is removed in the end, for what lives no longer


def execute(sources: list[Path], profile: str, count: int) -> Iterator[tuple[Path, float, str | None]]:
    """(notebook, seconds, why it failed or None) of each notebook as it ends, so many at a time.

    laptop's are executed in place, their bytes unchanged where nothing changed; the others' go to figures/<profile>/.
    One that fails stays as it was, and the others go on.
    """
    with surroundings() as private:
        sheets = [Sheet(source, profile, private) for source in sources]
        for sheet, found in processes.each(attempt, sheets, count, lambda amount: None):
            yield sheet.source, *((0.0, str(found)) if isinstance(found, processes.Killed) else found)


def attempt(sheet: Sheet, tick: Tick) -> tuple[float, str | None]:
    """Execute a notebook: its seconds, and the last line of what went wrong."""
    began, why = time.monotonic(), None
    try:
        produce(sheet)
    except Exception as error:
        why = (str(error).strip() or type(error).__name__).splitlines()[-1]
    return time.monotonic() - began, why


def produce(sheet: Sheet) -> None:
    """Execute a notebook and store it. Raises papermill's error where a cell fails, BadInput for a wrong default."""
    source, profile = sheet.source, sheet.profile
    target = source if profile == "laptop" else ROOT / "figures" / profile / source.name
    target.parent.mkdir(parents=True, exist_ok=True)
    given = {} if profile == "laptop" else {"profile": profile}
    default = papermill.inspect_notebook(str(source)).get("profile", {}).get("default")
    if default != '"laptop"':
        raise BadInput(f'the parameters cell of {source.name} has profile = {default}: give "laptop"')
    with TemporaryDirectory(dir=sheet.private) as own:  # sockets of two kernels need two folders
        executed = Path(own) / source.name
        papermill.execute_notebook(
            str(source), str(executed), given, cwd=str(source.parent), progress_bar=False,
            kernel_name=KERNEL["name"], config=sockets(own),
        )  # fmt: skip
        tidy(executed)
        before, now = pictures(target), pictures(executed)
        if now < before:
            raise RuntimeError(
                f"{source.name} has {now} pictures, the stored one {before}, and is not replaced: "
                f"if that is meant, clear the outputs of {target}"
            )
        write_bytes(target, executed.read_bytes())  # which may be on another file system


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
        os.environ[processes.UNWATCHED] = "1"
        os.environ |= {"PYTHONUTF8": "1", "MPLCONFIGDIR": str(CACHE / "matplotlib"), "MPLBACKEND": INLINE}
        try:
            # builds matplotlib's list of fonts here, where no notebook shows the note about it
            subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], check=True, capture_output=True)
            yield private
        finally:
            os.environ.clear()
            os.environ.update(before)


def private_folder() -> TemporaryDirectory:
    """A folder of our own, where its path is short if that can be."""
    for place in ("/tmp", "/var/tmp"):
        try:
            return TemporaryDirectory(prefix="rf-", dir=place)
        except OSError:
            continue
    return TemporaryDirectory(prefix="rf-")


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
        if COLLAPSED in cell.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}  # which is how JupyterLab is told
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"  # papermill draws one
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET, None)  # names, drawn at random, of what only a running kernel has
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
