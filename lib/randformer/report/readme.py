"""The tables in README that are generated: the claims, and what each notebook shows."""

from collections.abc import Iterable
from typing import Protocol

import pandas as pd

from randformer.harness.checks import BadInput

MARKS = {  # lines around each
    "claims": ("<!-- claims: generated from figures/laptop/claims.csv -->", "<!-- end of claims -->"),
    "notebooks": ("<!-- notebooks: generated from lib/randformer/experiments/ -->", "<!-- end of notebooks -->"),
}


class Shown(Protocol):
    """What an experiment says of its notebook, as registry.Experiment does."""

    notebook: str
    shows: str
    claims: tuple


def claims_table(table: pd.DataFrame) -> str:
    """The claims, from rows as report.claims.judge makes them."""
    lines = ["| id | claim | paper | ours [95 % interval], runs | verdict |", "| --- | --- | --- | --- | --- |"]
    for row in table.to_dict("records"):
        parts = zip(*(str(row[name]).split("; ") for name in ("ours", "low", "high")), strict=True)
        ours = "; ".join(f"{mean} [{low}, {high}]" for mean, low, high in parts)
        link = f"[{row['id']}](notebooks/{row['notebook']})"
        lines.append(f"| {link} | {row['rule']} | {row['paper']} | {ours}, n = {row['n_runs']} | {row['verdict']} |")
    return "\n".join(lines)


def notebooks_table(experiments: Iterable[Shown]) -> str:
    """What each notebook shows, and its claims."""
    lines = ["| notebook | what it shows | claims |", "| --- | --- | --- |"]
    for experiment in experiments:
        link = f"[{experiment.notebook.removesuffix('.ipynb')}](notebooks/{experiment.notebook})"
        lines.append(f"| {link} | {experiment.shows} | {', '.join(claim.id for claim in experiment.claims)} |")
    return "\n".join(lines)


def with_table(readme: str, name: str, table: str) -> str:
    """README's text with one of its tables made anew. Raises BadInput where the marks around it are gone."""
    begin, end = MARKS[name]
    if readme.count(begin) != 1 or readme.count(end) != 1:
        raise BadInput(f"README.md needs the two lines {begin!r} and {end!r}, its table of {name} goes between them")
    before, rest = readme.split(begin)
    return f"{before}{begin}\n{table}\n{end}{rest.split(end)[1]}"
