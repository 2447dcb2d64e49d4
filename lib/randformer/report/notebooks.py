"""What the notebooks themselves import: checking what a person put into their parameters cells.

Apart from execution.py, whose packages take seconds to import.
"""

import ast
import types

from randformer.harness.checks import BadInput, one_of
from randformer.harness.profiles import PROFILES

NAMES = {str: "a text", bool: "True or False", int: "a whole number", float: "a number", types.NoneType: "None"}


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
