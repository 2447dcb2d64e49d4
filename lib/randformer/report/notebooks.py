"""Executing the notebooks, and checking what a person put into their parameters cells."""

import ast
import types
from pathlib import Path

import matplotlib.font_manager  # noqa: F401  builds its cache here, where no notebook shows the note about it
import nbformat
import papermill
from nbstripout import strip_output
from traitlets.config import Config

from randformer.harness.checks import BadInput, one_of
from randformer.harness.files import write_bytes
from randformer.harness.profiles import PROFILES
from randformer.harness.records import CACHE, ROOT

PRIVATE = Config(KernelManager={"transport": "ipc"})  # no network between us and the kernel, and no warning about it
NAMES = {str: "a text", int: "a whole number", float: "a number", types.NoneType: "None"}
VOLATILE = [  # differs at every execution, or with the Python that executes
    "metadata.papermill",
    "cell.metadata.papermill",
    "cell.metadata.execution",
    "metadata.language_info.version",
]


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


def execute(name: str, profile: str) -> None:
    """Execute a notebook in a profile.

    laptop's is executed in place, its bytes unchanged where nothing changed; the others' goes to figures/<profile>/.
    Raises papermill's error where a cell fails; the notebook that was there then stays as it was.
    """
    source = ROOT / "notebooks" / name
    target = source if profile == "laptop" else ROOT / "figures" / profile / name
    target.parent.mkdir(parents=True, exist_ok=True)
    given = {} if profile == "laptop" else {"profile": profile}
    default = papermill.inspect_notebook(str(source)).get("profile", {}).get("default")
    if default != '"laptop"':
        raise BadInput(f'the parameters cell of {name} has profile = {default}: give "laptop"')
    executed = CACHE / name
    executed.parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            str(source), str(executed), given, cwd=str(source.parent), progress_bar=False, config=PRIVATE
        )
        tidy(executed)
        write_bytes(target, executed.read_bytes())  # .cache may be on another file system
    finally:
        executed.unlink(missing_ok=True)


def tidy(path: Path) -> None:
    """Drop what differs at every execution, keep outputs and execution counts."""
    notebook = nbformat.read(path, as_version=4)
    notebook = strip_output(notebook, keep_output=True, keep_count=True, keep_id=True, extra_keys=VOLATILE)
    for cell in notebook.cells:
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
