"""The paper's claims and the rules, fixed before any run, by which they hold or not."""

from dataclasses import dataclass

import pandas as pd

from .checks import BadInput
from .evaluation import bootstrap
from .records import ROOT, write_bytes

COLUMNS = ["id", "claim", "paper", "ours", "low", "high", "n_runs", "rule", "verdict", "notebook"]
VERDICTS = ("replicated", "partly", "not replicated")


@dataclass(frozen=True)
class Condition:
    """A measured number must be >=, <= or == a bound."""

    measure: str  # how the notebook names the values it measured
    relation: str
    bound: float

    def holds(self, value: float) -> bool:
        """== means equal as reported, to 0.1: a mean over inputs on finitely many seeds is hardly ever exactly 0."""
        equal = round(value, 1) == self.bound
        return {">=": value >= self.bound, "<=": value <= self.bound, "==": equal}[self.relation]

    def verdict(self, mean: float, low: float, high: float) -> str:
        """replicated if it holds at both ends of the interval, partly if for the mean only."""
        if not self.holds(mean):
            return "not replicated"
        return "replicated" if self.holds(low) and self.holds(high) else "partly"


@dataclass(frozen=True)
class Claim:
    """One row of the table of claims, before anything was measured."""

    id: str
    claim: str
    paper: str
    rule: str
    conditions: tuple[Condition, ...]  # all must hold
    notebook: str


CLAIMS = {
    claim.id: claim
    for claim in (
        Claim(
            "C1",
            "Colouring, expected loss: all or nothing",
            "89.5 % of cycles at 100, the rest at 0",
            "q = 1, A_R: at least 95 % of cycles have success 0 or 100; 95th percentile 0",
            (Condition("all or nothing", ">=", 95), Condition("percentile95 q=1", "==", 0)),
            "03_graph_coloring.ipynb",
        ),
        Claim(
            "C2",
            "Colouring, randomized: no cycle defeats it",
            "q = 10, 95th percentile: A_R 70, A_r0 0",
            "q = 10: A_R 95th percentile >= 60 %, A_r0 95th percentile = 0",
            (Condition("percentile95 A_R", ">=", 60), Condition("percentile95 A_r0", "==", 0)),
            "03_graph_coloring.ipynb",
        ),
        Claim(
            "C3",
            "Colouring, majority",
            "q >= 3: 95th percentile 100",
            "q = 10: A_R-majority(30) 95th percentile >= 99 %",
            (Condition("percentile95 majority30", ">=", 99),),
            "03_graph_coloring.ipynb",
        ),
        Claim(
            "C4",
            "Colouring, sampling the outputs is no substitute",
            "95th percentile about 3",
            "q = 10: A_r0-sampled 95th percentile <= 15 %",
            (Condition("percentile95 sampled", "<=", 15),),
            "03_graph_coloring.ipynb",
        ),
    )
}


def judge(claim: Claim, measured: dict[str, list[float]]) -> dict:
    """The claim's row: mean, interval and number of runs of each of its conditions, and the verdict of the weakest.

    measured: one value per run for each condition's measure, in percent.
    """
    values = [measured[condition.measure] for condition in claim.conditions]
    means = [sum(v) / len(v) for v in values]
    intervals = [bootstrap(v) for v in values]
    verdicts = [c.verdict(mean, *ends) for c, mean, ends in zip(claim.conditions, means, intervals, strict=True)]
    several = "; ".join
    return {
        "id": claim.id,
        "claim": claim.claim,
        "paper": claim.paper,
        "ours": several(f"{mean:.1f}" for mean in means),
        "low": several(f"{low:.1f}" for low, _ in intervals),
        "high": several(f"{high:.1f}" for _, high in intervals),
        "n_runs": several(dict.fromkeys(str(len(v)) for v in values)),
        "rule": claim.rule,
        "verdict": max(verdicts, key=VERDICTS.index),
        "notebook": claim.notebook,
    }


def store(profile: str, rows: list[dict]) -> pd.DataFrame:
    """Put rows into figures/<profile>/claims.csv, beside the other notebooks' ones; returns the rows as a table."""
    path = ROOT / "figures" / profile / "claims.csv"
    table = {row["id"]: row for row in read(profile).to_dict("records")} | {row["id"]: row for row in rows}
    ordered = pd.DataFrame([table[name] for name in CLAIMS if name in table], columns=COLUMNS)
    write_bytes(path, ordered.to_csv(index=False, lineterminator="\n").encode())
    return pd.DataFrame(rows, columns=COLUMNS)


def read(profile: str) -> pd.DataFrame:
    """figures/<profile>/claims.csv, all columns text; no rows where there is none yet. Raises BadInput if damaged."""
    path = ROOT / "figures" / profile / "claims.csv"
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    try:
        return pd.read_csv(path, dtype=str)[COLUMNS]
    except (ValueError, KeyError):
        raise BadInput(f"{path} is damaged: delete it, the notebooks write it anew") from None


# README's table

BEGIN, END = "<!-- claims: generated from figures/laptop/claims.csv -->", "<!-- end of claims -->"


def markdown(table: pd.DataFrame) -> str:
    """The claims as README shows them."""
    lines = ["| id | claim | paper | ours [95 % interval], runs | verdict |", "| --- | --- | --- | --- | --- |"]
    for row in table.to_dict("records"):
        parts = zip(*(str(row[name]).split("; ") for name in ("ours", "low", "high")), strict=True)
        ours = "; ".join(f"{mean} [{low}, {high}]" for mean, low, high in parts)
        link = f"[{row['id']}](notebooks/{row['notebook']})"
        lines.append(f"| {link} | {row['rule']} | {row['paper']} | {ours}, n = {row['n_runs']} | {row['verdict']} |")
    return "\n".join(lines)


def with_claims(readme: str, table: pd.DataFrame) -> str:
    """README's text with its table of claims made anew. Raises BadInput where the marks around it are gone."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise BadInput(f"README.md needs the two lines {BEGIN!r} and {END!r}, its table of claims goes between them")
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n{markdown(table)}\n{END}{rest.split(END)[1]}"
