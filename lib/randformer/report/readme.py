"""The tables in README that are generated: the claims, and what each notebook shows."""

from collections.abc import Iterable
from typing import Protocol

import pandas as pd

from randformer.harness.checks import BadInput

MARKS = {  # lines around each
    "claims": ("<!-- claims: generated from figures/*/claims.csv -->", "<!-- end of claims -->"),
    "notebooks": ("<!-- notebooks: generated from lib/randformer/experiments/ -->", "<!-- end of notebooks -->"),
}


SIZES = {"laptop": "laptop", "paper": "the paper's size"}  # profiles with verdicts, and how a reader calls them


class Shown(Protocol):
    """What an experiment says of its notebook, as registry.Experiment does."""

    notebook: str
    shows: str
    claims: tuple


def claims_table(experiments: Iterable[Shown], judged: dict[str, pd.DataFrame]) -> str:
    """Every claim with its verdict in each of SIZES, and under it how what they look at was trained.

    judged: rows as report.claims.store writes them, by profile.
    """
    rows = {profile: table.set_index("id").to_dict("index") for profile, table in judged.items()}
    claims = [claim for experiment in experiments for claim in experiment.claims]
    lines = headed("id", "claim", "paper", *(f"{size} | verdict" for size in SIZES.values()))
    for claim in claims:
        found = [rows[profile].get(claim.id) for profile in SIZES]
        lacking = "not trained yet" if any(row and row["trained"] for row in found) else ""
        measured = " | ".join(outcome(row, lacking) for row in found)
        rule = f"{claim.rule} (added {claim.added})" if claim.added else claim.rule
        lines.append(f"| [{claim.id}](notebooks/{claim.notebook}) | {rule} | {claim.paper} | {measured} |")
    lines += ["", *headed("claims", *(f"trained: {size}" for size in SIZES.values()))]
    for notebook in dict.fromkeys(claim.notebook for claim in claims):
        of = [claim.id for claim in claims if claim.notebook == notebook]
        lengths = [{rows[profile][name]["trained"] for name in of if name in rows[profile]} for profile in SIZES]
        lines.append(f"| {of[0]} to {of[-1]} | {' | '.join(''.join(length) for length in lengths)} |")
    return "\n".join(lines)


def headed(*columns: str) -> list[str]:
    """The first two lines of a table."""
    line = f"| {' | '.join(columns)} |"
    return [line, "|" + " --- |" * (line.count("|") - 1)]


def outcome(row: dict | None, lacking: str) -> str:
    """Two cells: what was measured with its interval and number of runs, and the verdict; lacking where it was not."""
    if row is None:
        return f"{lacking} | "
    parts = zip(*(str(row[name]).split("; ") for name in ("ours", "low", "high")), strict=True)
    ours = "; ".join(f"{mean} [{low}, {high}]" for mean, low, high in parts)
    return f"{ours}, n = {row['n_runs']} | {row['verdict']}"


def notebooks_table(experiments: Iterable[Shown]) -> str:
    """What each notebook shows, and its claims."""
    lines = headed("notebook", "what it shows", "claims")
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
