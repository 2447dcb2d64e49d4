"""The paper's claims and the rules, fixed before any run, by which they hold or not."""

import operator
from dataclasses import dataclass

import pandas as pd

from randformer.core.adversary import bootstrap
from randformer.harness.checks import BadInput
from randformer.harness.records import ROOT, write_bytes

COLUMNS = ["id", "claim", "paper", "ours", "low", "high", "n_runs", "rule", "verdict", "notebook"]
RELATIONS = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "within": lambda value, bound: abs(value) <= bound,
}
VERDICTS = ("replicated", "partly", "not replicated")


THEORY = "01_when_randomness_helps.ipynb"
RECALL, COLORING = "02_associative_recall.ipynb", "03_graph_coloring.ipynb"
GRID = "04_grid_world.ipynb"


@dataclass(frozen=True)
class Condition:
    """A measured number must be >=, >, <=, < or == a bound, or within a bound of 0."""

    measure: str  # how the notebook names the values it measured
    relation: str
    bound: float
    digits: int = 1  # with which it is reported

    def holds(self, value: float) -> bool:
        """== means equal as reported: a mean over inputs on finitely many seeds is hardly ever exactly 0."""
        if self.relation == "==":
            return round(value, self.digits) == self.bound
        return RELATIONS[self.relation](value, self.bound)

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
            "T1",
            "The expected loss needs no randomness",
            "equation 1",
            "All solved games, all trained models: the best of 256 fixed seeds on average no worse than random ones",
            (Condition("games where equation 1 holds", "==", 100), Condition("models where it holds", "==", 100)),
            THEORY,
        ),
        Claim(
            "T2",
            "The worst case does",
            "Proposition 1",
            "All solved games with Proposition 1's conditions: mixed value strictly below the pure value",
            (Condition("games where mixing helps", "==", 100),),
            THEORY,
        ),
        Claim(
            "R1",
            "Recall, expected loss: the seed is ignored",
            "variance 0; average 57 for both",
            "N = 20, q = 1: A_R's variance over seeds < 0.005; its average success within 5 points of A_r0's",
            (
                Condition("variance A_R^E", "<", 0.005, 4),
                Condition("average A_R^E - A_r0^E", "within", 5),
            ),
            RECALL,
        ),
        Claim(
            "R2",
            "Recall with a fixed seed breaks",
            "95th percentile 0 from N = 12",
            "A_r0 at q = 1 and q = 100, N = 12 and N = 20: 95th percentile 0",
            tuple(Condition(f"percentile95 A_r0^{q} {n}", "==", 0) for n in ("small", "large") for q in "Eq"),
            RECALL,
        ),
        Claim(
            "R3",
            "Randomized recall does not",
            "95th percentile 20",
            "N = 20, q = 100: A_R 95th percentile >= 15 %",
            (Condition("percentile95 A_R^q", ">=", 15),),
            RECALL,
        ),
        Claim(
            "R4",
            "Recall, amplification",
            "95th percentile 20; majority(5) 50; majority(30) 100",
            "N = 20, q = 100: majority(30) 95th percentile >= 95 %; majority(5) above one seed and below majority(30)",
            (
                Condition("percentile95 majority30", ">=", 95),
                Condition("majority5 - one seed", ">", 0),
                Condition("majority30 - majority5", ">", 0),
            ),
            RECALL,
        ),
        Claim(
            "R5",
            "Randomness emerges with q",
            "variance 0 to q = 8, 0.035 at q = 32, 0.03 above",
            "N = 15: variance over seeds < 0.005 at q <= 4 and > 0.015 at q >= 32",
            (Condition("variance, small q", "<", 0.005, 4), Condition("variance, large q", ">", 0.015, 4)),
            RECALL,
        ),
        Claim(
            "R6",
            "A few seeds suffice",
            "0.55 at m = 1, 0.36 at m = 20: 35 % less",
            "N = 15, q = 100: 95th-percentile loss at m = 20 at least 25 % below m = 1",
            (Condition("loss saved by seeds", ">=", 25),),
            RECALL,
        ),
        Claim(
            "R7",
            "Sampling the outputs is no substitute",
            "40 against 5",
            "N = 20, q = 100: average success of A_r0-sampled at least 20 points below A_R's",
            (Condition("A_R^q - A_r0^q-sampled", ">=", 20),),
            RECALL,
        ),
        Claim(
            "C1",
            "Colouring, expected loss: all or nothing",
            "89.5 % of cycles at 100, the rest at 0",
            "q = 1, A_R: at least 95 % of cycles have success 0 or 100; 95th percentile 0",
            (Condition("all or nothing", ">=", 95), Condition("percentile95 q=1", "==", 0)),
            COLORING,
        ),
        Claim(
            "C2",
            "Colouring, randomized: no cycle defeats it",
            "q = 10, 95th percentile: A_R 70, A_r0 0",
            "q = 10: A_R 95th percentile >= 60 %, A_r0 95th percentile = 0",
            (Condition("percentile95 A_R", ">=", 60), Condition("percentile95 A_r0", "==", 0)),
            COLORING,
        ),
        Claim(
            "C3",
            "Colouring, majority",
            "q >= 3: 95th percentile 100",
            "q = 10: A_R-majority(30) 95th percentile >= 99 %",
            (Condition("percentile95 majority30", ">=", 99),),
            COLORING,
        ),
        Claim(
            "C4",
            "Colouring, sampling the outputs is no substitute",
            "95th percentile about 3",
            "q = 10: A_r0-sampled 95th percentile <= 15 %",
            (Condition("percentile95 sampled", "<=", 15),),
            COLORING,
        ),
        Claim(
            "G1",
            "Grid: the adversary helps the worst cell",
            "95th percentile 28 against 39",
            "Worst cell, q = inf: A_R's steps at least 20 % below those at q = 1",
            (Condition("worst cell saved [%]", ">=", 20),),
            GRID,
        ),
        Claim(
            "G2",
            "Grid: and costs little on average",
            "average 20 against 19",
            "Average steps of A_R at q = inf at most 10 % above those at q = 1",
            (Condition("average lost [%]", "<=", 10),),
            GRID,
        ),
        Claim(
            "G3",
            "Grid: seeds are needed",
            "average 35 at m = 1, 20 at m = 10",
            "q = inf: average steps of A_R at m = 1 at least 30 % above m = 10",
            (Condition("average lost with one seed [%]", ">=", 30),),
            GRID,
        ),
        Claim(
            "G4",
            "Grid: what was found is exploited",
            "shortest ways in episode 2",
            "q = inf, A_R: shortest way in episode 2 for >= 90 % of (seed, cell) pairs found in episode 1",
            (Condition("shortest ways [%]", ">=", 90),),
            GRID,
        ),
        Claim(
            "G5",
            "Grid: the search is spread",
            "first visits at 12 to 17 everywhere; one fixed path at q = 1",
            "A_R, q = inf: largest mean first visit <= 20 (not visited: 25); q = 1: >= 95 % of seeds walk the same way",
            (Condition("largest first visit", "<=", 20), Condition("seeds on the same walk [%]", ">=", 95)),
            GRID,
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

    def told(values: list[float]) -> str:
        return "; ".join(f"{value:.{c.digits}f}" for value, c in zip(values, claim.conditions, strict=True))

    return {
        "id": claim.id,
        "claim": claim.claim,
        "paper": claim.paper,
        "ours": told(means),
        "low": told([low for low, _ in intervals]),
        "high": told([high for _, high in intervals]),
        "n_runs": "; ".join(dict.fromkeys(str(len(v)) for v in values)),
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
