"""What a person may give us, and the one clear line that says so when they gave something else."""

import re
from collections.abc import Iterable
from dataclasses import replace


class BadInput(ValueError):
    """Something a person gave is unknown, of the wrong type or impossible; the message says what is allowed."""


def at_least(name: str, value, bound: float, most: float = float("inf")) -> None:
    """Raise BadInput unless value is a finite number from bound to most, a whole one where the bound is whole."""
    whole = isinstance(bound, int)
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not bound <= value <= most or value == float("inf"):
        upper = f" and at most {most:g}" if most < float("inf") else ""
        raise BadInput(f"{name} = {value!r}: give a {'whole ' if whole else ''}number, at least {bound:g}{upper}")


def numbers(name: str, values, count: int, bound: float, most: float) -> list:
    """A list (count,) of numbers from bound to most, whole ones where the bound is whole; BadInput if it is none.

    values: a list or tuple, or whatever else has tolist (arrays, tensors), as its numbers may.
    """
    values = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(values, list | tuple) or len(values) != count:
        given = f"{len(values)} were given" if isinstance(values, list | tuple) else f"not {values!r}"
        raise BadInput(f"{name}: give a list of {count} numbers, {given}")
    plain = [value.tolist() if hasattr(value, "tolist") else value for value in values]
    for i, value in enumerate(plain):
        at_least(name if count == 1 else f"{name}[{i}]", value, bound, most)
    return plain


def one_of(name: str, value, allowed: Iterable) -> None:
    """Raise BadInput unless value is among the allowed ones."""
    allowed = list(allowed)
    if not any(type(value) is type(choice) and value == choice for choice in allowed):
        raise BadInput(f"{name} = {value!r}: give one of {', '.join(map(str, allowed))}")


def shaped(name: str, value: str, pattern: str, example: str) -> None:
    """Raise BadInput unless the whole text matches the pattern, which the example shows."""
    if not re.fullmatch(pattern, value):
        raise BadInput(f"{name} = {value!r}: give {example}")


def default_but_for(config, *names: str) -> bool:
    """Whether a dataclass has its default in every field but those: how code says which configs it is made for."""
    return replace(type(config)(), **{name: getattr(config, name) for name in names}) == config
