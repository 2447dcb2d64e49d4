"""What is generated of the pages that say which claims hold: README.md; docs/what_holds.md with rules and intervals.

Each part stands between two lines of its own, which name it.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Protocol

import pandas as pd

from randformer.harness.checks import BadInput
from randformer.report.claims import VERDICTS, Claim

SIZES = {"laptop": "laptop", "paper": "the paper's size"}  # profiles with verdicts, and how a reader calls them
MARKS = dict(zip(VERDICTS, ("✔ replicated", "◐ partly", "? not decided", "✘ contradicted"), strict=True))


class Shown(Protocol):
    """What an experiment says of its notebook, as registry.Experiment does."""

    notebook: str
    shows: str
    claims: tuple


class Judged:
    """Experiments with what was measured of their claims."""

    def __init__(self, experiments: Iterable[Shown], judged: dict[str, pd.DataFrame]):
        """judged: rows as report.claims.store writes them, by profile."""
        self.experiments = list(experiments)
        self.claims: list[Claim] = [claim for experiment in self.experiments for claim in experiment.claims]
        self.rows = {profile: table.set_index("id").to_dict("index") for profile, table in judged.items()}

    def summary(self) -> str:
        """How many claims hold, in a sentence or two."""
        laptop, paper = (self.counts(profile) for profile in SIZES)
        told = f"**{laptop[VERDICTS[0]]} of {len(self.claims)} claims hold** at the size of training that a laptop"
        told += f" has time for ({others(laptop)})."
        if sum(paper.values()):
            told += f" At the paper's own size {paper[VERDICTS[0]]} of the {sum(paper.values())} judged so far"
            told += f" ({others(paper)})."
        return told

    def counts(self, profile: str) -> dict[str, int]:
        """Claims of each verdict."""
        found = [row["verdict"] for claim in self.claims if (row := self.rows[profile].get(claim.id))]
        return {verdict: found.count(verdict) for verdict in VERDICTS}

    def verdicts(self) -> str:
        """Every claim in plain words, the paper's value, ours after the longest training, and a mark for each size."""
        lines = headed("", "claim", "the paper", "ours", *SIZES.values())
        for claim in self.claims:
            found = [row for profile in SIZES if (row := self.rows[profile].get(claim.id))]
            ours = numbers(claim, found[-1]["ours"].split("; ")) if found else ""
            marks = [self.mark(claim, profile) for profile in SIZES]
            title = f"[{claim.claim}](notebooks/{claim.notebook})"
            lines.append(f"| {claim.id} | {title} | {claim.paper} | {ours} | {' | '.join(marks)} |")
        return "\n".join(lines)

    def mark(self, claim: Claim, profile: str) -> str:
        row = self.rows[profile].get(claim.id)
        return MARKS[row["verdict"]] if row else ""

    def rules(self) -> str:
        """Every claim's rule with what was measured at each of SIZES, and under it how what it looks at was trained."""
        lines = headed("id", "rule", "paper", *(f"{size} | verdict" for size in SIZES.values()))
        for claim in self.claims:
            found = [self.rows[profile].get(claim.id) for profile in SIZES]
            lacking = "not trained yet" if any(row and row["trained"] for row in found) else ""
            measured = " | ".join(outcome(row, lacking) for row in found)
            rule = f"{claim.rule} (added {claim.added})" if claim.added else claim.rule
            lines.append(f"| [{claim.id}](../notebooks/{claim.notebook}) | {rule} | {claim.paper} | {measured} |")
        lines += ["", *headed("claims", *(f"trained: {size}" for size in SIZES.values())), *self.lengths()]
        return "\n".join(lines)

    def lengths(self) -> Iterator[str]:
        """Rows of the table that says how long trainings were."""
        for _, group in groupby(self.claims, key=lambda claim: claim.notebook):
            of = [claim.id for claim in group]
            trained = [{rows[name]["trained"] for name in of if name in rows} for rows in self.rows.values()]
            yield f"| {of[0]} to {of[-1]} | {' | '.join(''.join(length) for length in trained)} |"

    def notebooks(self) -> str:
        """What each notebook shows, and its claims."""
        lines = headed("notebook", "what it shows", "claims")
        for each in self.experiments:
            link = f"[{each.notebook.removesuffix('.ipynb')}](notebooks/{each.notebook})"
            lines.append(f"| {link} | {each.shows} | {', '.join(claim.id for claim in each.claims)} |")
        return "\n".join(lines)


PAGES = {
    "README.md": {"summary": Judged.summary, "verdicts": Judged.verdicts, "notebooks": Judged.notebooks},
    "docs/what_holds.md": {"rules": Judged.rules},
}


def pages(root: Path, judged: Judged) -> Iterator[tuple[Path, str]]:
    """(file, text) of each page, with its generated parts made anew. Raises BadInput where a part has no place."""
    for name, parts in PAGES.items():
        text = (root / name).read_text(encoding="utf-8") if (root / name).exists() else ""
        for part, generated in parts.items():
            begin, end = ends(part)
            if text.count(begin) != 1 or text.count(end) != 1:
                raise BadInput(f"{name} needs the two lines {begin!r} and {end!r}, its {part} go between them")
            before, rest = text.split(begin)
            text = f"{before}{begin}\n{generated(judged)}\n{end}{rest.split(end)[1]}"
        yield root / name, text


def ends(part: str) -> tuple[str, str]:
    """The lines around a generated part."""
    return f"<!-- {part}: generated by ./run_all.sh -->", f"<!-- end of {part} -->"


def headed(*columns: str) -> list[str]:
    """The first two lines of a table."""
    line = f"| {' | '.join(columns)} |"
    return [line, "|" + " --- |" * (line.count("|") - 1)]


def others(counts: dict[str, int]) -> str:
    """The claims that do not hold, by verdict."""
    told = [(verdict.removeprefix("not replicated: "), n) for verdict, n in counts.items() if verdict != VERDICTS[0]]
    return ", ".join(f"{n} {verdict}" for verdict, n in told)


def numbers(claim: Claim, means: list[str]) -> str:
    """A mean for each condition; a unit once for those that follow each other with the same."""
    units = [condition.unit for condition in claim.conditions]
    pairs = zip(units, means, strict=False)  # a row may be older than a condition: its notebook makes it anew
    parts = groupby(pairs, key=lambda pair: pair[0])
    return "; ".join(f"{', '.join(mean for _, mean in group)} {unit}".strip() for unit, group in parts)


def outcome(row: dict | None, lacking: str) -> str:
    """Two cells: what was measured with its interval and number of runs, and the verdict; lacking where it was not."""
    if row is None:
        return f"{lacking} | "
    parts = zip(*(str(row[name]).split("; ") for name in ("ours", "low", "high")), strict=True)
    ours = "; ".join(f"{mean} [{low}, {high}]" for mean, low, high in parts)
    return f"{ours}, n = {row['n_runs']} | {row['verdict']}"
