"""How claims are judged: by rules fixed before any run, which hold or not. Each experiment has its own in claims.py."""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from randformer.core.runs import NetworkRun
from randformer.harness.checks import BadInput
from randformer.harness.files import ROOT, locked, write_bytes
from randformer.harness.records import sha256
from randformer.report.intervals import PERCENT, interval
from randformer.report.tables import NotMeasured

COLUMNS = ["id", "claim", "paper", "ours", "low", "high", "n_runs", "rule", "verdict", "trained", "notebook"]
RELATIONS = {  # how it is computed, and how it is written before the bound: as a sign and as words
    ">=": (operator.ge, ">= ", "at least "),
    ">": (operator.gt, "> ", "above "),
    "<=": (operator.le, "<= ", "at most "),
    "<": (operator.lt, "< ", "below "),
    "==": (operator.eq, "", ""),
    "within": (lambda value, bound: abs(value) <= bound, "within ", "within "),
}
VERDICTS = ("replicated", "partly", "not replicated: not decided", "not replicated: contradicted")


@dataclass(frozen=True)
class Condition:
    """A measured number must be >=, >, <=, < or == a bound, or within a bound of 0."""

    measure: Callable[[Any], Sequence[float]]  # one value per run, of the evidence that the claim's notebook gathers
    relation: str
    bound: float
    digits: int = 1  # with which it is reported
    span: tuple[float, float] = PERCENT  # least and most value that can be measured
    unit: str = "%"
    sample: bool = True  # of runs; False where the values are of all cases that there are

    def __format__(self, how: str) -> str:
        """The bound as a rule has it: ">= 95", or with how = "words" "at least 95"."""
        return f"{RELATIONS[self.relation][2 if how == 'words' else 1]}{self.bound:g}"

    def holds(self, value: float) -> bool:
        """== means equal as reported: a mean over inputs on finitely many seeds is hardly ever exactly 0."""
        value = round(value, self.digits) if self.relation == "==" else value
        return RELATIONS[self.relation][0](value, self.bound)

    def ends(self, values: list[float]) -> tuple[float, float]:
        """The interval of their mean: where all cases were looked at, no more than the mean."""
        return interval(values, self.span) if self.sample else (sum(values) / len(values),) * 2

    def verdict(self, mean: float, low: float, high: float) -> str:
        """replicated if it holds at both ends of the interval, partly if for the mean only.

        Where it does not hold for the mean it is not replicated: contradicted if it holds nowhere in the interval.
        """
        if self.holds(mean):
            return VERDICTS[0] if self.holds(low) and self.holds(high) else VERDICTS[1]
        between = self.relation in ("==", "within") and low <= self.bound <= high
        return VERDICTS[2] if self.holds(low) or self.holds(high) or between else VERDICTS[3]


@dataclass(frozen=True)
class Claim:
    """One row of the table of claims, before anything was measured."""

    id: str
    claim: str
    paper: str
    wording: str  # of the rule, with {0}, {1}, or {0:words} where the conditions' bounds go
    conditions: tuple[Condition, ...]  # all must hold
    notebook: str
    added: str = ""  # the day on which its rule was fixed, of a claim beyond the first eighteen

    @property
    def rule(self) -> str:
        """In words."""
        return self.wording.format(*self.conditions)


def judge(claim: Claim, evidence: Any) -> dict:
    """The claim's row: mean, interval and number of runs of each of its conditions, and the verdict of the weakest."""
    values = [list(condition.measure(evidence)) for condition in claim.conditions]
    means = [sum(v) / len(v) for v in values]
    intervals = [condition.ends(v) for condition, v in zip(claim.conditions, values, strict=True)]
    verdicts = [c.verdict(mean, *ends) for c, mean, ends in zip(claim.conditions, means, intervals, strict=True)]

    def told(values: list[float]) -> str:
        return "; ".join(f"{value:.{c.digits}f}" for value, c in zip(values, claim.conditions, strict=True))

    return {
        "id": claim.id,
        "claim": claim.claim,
        "paper": claim.paper,
        "ours": told(means),
        "low": told([low for low, _ in intervals]),
        "high": told([high for _, high in intervals]),
        "n_runs": "; ".join(str(len(v)) for v in values),
        "rule": claim.rule,
        "verdict": max(verdicts, key=VERDICTS.index),
        "notebook": claim.notebook,
    }


def how_trained(runs: Sequence[NetworkRun]) -> str:
    """The lengths of trainings: "12,000 to 20,000 steps of 512 inputs"; nothing for no runs."""

    def span(values: set[int]) -> str:
        return " to ".join(f"{value:,}" for value in sorted({min(values), max(values)}))

    if not runs:
        return ""
    steps, inputs = runs[0].training.UNITS
    lengths, batches = ({getattr(run.training, name) for run in runs} for name in ("steps", "batch"))
    return f"{span(lengths)} {steps} of {span(batches)} {inputs}"


def judged(claims: Sequence[Claim], evidence: Any, runs: Sequence[NetworkRun]) -> Iterator[dict]:
    """The rows of those claims for which the evidence has all the points; runs: what it was gathered from."""
    for claim in claims:
        try:
            yield judge(claim, evidence) | {"trained": how_trained(runs)}
        except NotMeasured:
            continue


def store(profile: str, claims: Sequence[Claim], evidence: Any, runs: Sequence[NetworkRun] = ()) -> pd.DataFrame:
    """Judge one notebook's claims and put their rows into figures/<profile>/claims.csv, beside the other notebooks'.

    A claim of which the evidence lacks a point has no row. Returns what a reader wants to see: a row per condition.
    """
    rows = list(judged(claims, evidence, runs))
    asked = {claim.id: [f"{each.relation} {each.bound:g}" for each in claim.conditions] for claim in claims}
    with locked(lock()):  # from reading to writing, or another notebook's rows are lost
        stored = unlocked(profile).to_dict("records")
        others = [row for row in stored if row["notebook"] not in {claim.notebook for claim in claims}]
        ordered = pd.DataFrame(sorted(others + rows, key=lambda row: row["notebook"]), columns=COLUMNS)
        write(profile, ordered.to_csv(index=False, lineterminator="\n").encode())
    told = pd.DataFrame(rows, columns=COLUMNS).assign(asked=[asked[row["id"]] for row in rows])
    several = ["asked", "ours", "low", "high", "n_runs"]
    told[several[1:]] = told[several[1:]].map(lambda text: text.split("; "))
    return told[["id", *several, "verdict"]].explode(several, ignore_index=True)


def editions(shown: pd.DataFrame, claims: Sequence[Claim]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What store returned, cut in two: the rows of the first edition's claims, and of those that were added."""
    later = shown["id"].isin([claim.id for claim in claims if claim.added])
    return shown[~later], shown[later]


def read(profile: str) -> pd.DataFrame:
    """figures/<profile>/claims.csv, all columns text; no rows where there is none yet.

    Raises BadInput where it is damaged, or not as store wrote it.
    """
    with locked(lock()):
        return unlocked(profile)


def unlocked(profile: str) -> pd.DataFrame:
    """As read, for who holds the lock."""
    path, checksums = places(profile)
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    data = path.read_bytes()
    try:
        table = pd.read_csv(BytesIO(data), dtype=str, keep_default_na=False)[COLUMNS]
    except (ValueError, KeyError):
        raise BadInput(f"{path} is damaged: delete it, the notebooks write it anew") from None
    if not checksums.exists() or checksum(data) not in checksums.read_bytes().splitlines(keepends=True):
        raise BadInput(f"{path} was changed, {checksums.name} is not of it: delete it, the notebooks write it anew")
    return table


def write(profile: str, data: bytes) -> None:
    """Store the table with its checksum; while it is written those of the old and the new one are good."""
    path, checksums = places(profile)
    old = path.read_bytes() if path.exists() else b""
    write_bytes(checksums, checksum(old) + checksum(data))
    write_bytes(path, data)
    write_bytes(checksums, checksum(data))


def checksum(data: bytes) -> bytes:
    """A line as sha256sum has it."""
    return f"{sha256(data)}  claims.csv\n".encode()


def places(profile: str) -> tuple[Path, Path]:
    """Where the table is, and its checksum."""
    folder = ROOT / "figures" / profile
    return folder / "claims.csv", folder / "claims.sha256"


def lock() -> Path:
    """What who reads or writes a table of claims holds."""
    return ROOT / ".cache" / "claims.lock"
