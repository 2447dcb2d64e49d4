"""Evaluations as tables: tidy ones for the figures, and summaries with the number of runs and an interval."""

from collections.abc import Callable, Container, Sequence
from math import inf
from typing import Any

import pandas as pd
from IPython.display import display
from pandas.api.types import is_integer_dtype
from pandas.io.formats.style import Styler

from randformer.core.adversary import VOTES, seeds_for_worst
from randformer.core.runs import NetworkRun
from randformer.core.votes import KS, WAYS
from randformer.harness import workers
from randformer.report.intervals import PERCENT, POSITIVE, interval

MEASURES = {
    "average": "average",
    "percentile95": "95th percentile",
    "worst": "worst input",
    "zero_share": "inputs at 0",
}
# of success averaged over the inputs of a cell: in recall, of a key and a value
CELLS = {"percentile95": "95th percentile of cells", "worst": "worst of cells"}
SPANS = {"loss, average": POSITIVE, "loss, 95th percentile": POSITIVE, "variance": (0.0, 0.25), "pairs held": POSITIVE}
COLUMNS = ["model", "N", "q", "m", "run", "answer", "measure", "value"]
SPENT = {  # on one input, by way to vote
    "majority": "whole answers",
    "parts": "each part",
    "probabilities": "probabilities",
    "logits": "logits",
    "promised": "Proposition 2 promises",
}
ELECTIONS = {f"{name}{k}": f"{name}({k})" for name in (*WAYS, "retry") for k in VOTES}


class NotMeasured(LookupError):
    """A point of a sweep was asked for that it does not have."""


def tidy(runs: list[NetworkRun], evaluations: list[dict]) -> pd.DataFrame:
    """One row per run, way of answering and measure; values in percent, losses and variances as they are.

    Columns: COLUMNS, where N is the size of the task.
    """
    rows = []
    for run, seen in zip(runs, evaluations, strict=True):
        family = run.objective.family
        common = {"model": family, "N": run.task.n, "q": run.objective.q, "m": run.objective.m, "run": run.run_index}

        def add(answer: str, measure: str, value: float, common=common) -> None:
            rows.append(common | {"answer": answer, "measure": measure, "value": value})

        answers = {"success": family, "sampled": f"{family}-sampled"}
        for name, answer in (answers | {name: f"{family}-{told}" for name, told in ELECTIONS.items()}).items():
            for measure in [known for known in MEASURES if known in seen.get(name, {})]:
                add(answer, MEASURES[measure], 100 * seen[name][measure])
            for measure in CELLS if name in seen.get("cells", {}) else ():
                add(answer, CELLS[measure], 100 * seen["cells"][name][measure])
        add(family, "all or nothing", 100 * (seen["histogram"][0] + seen["histogram"][-1]) / seen["inputs"])
        for measure, value in seen["loss"].items():
            add(family, f"loss, {MEASURES[measure]}", value)
        if "variance" in seen:
            add(family, "variance", seen["variance"])
            add(family, "pairs held", sum(seen["held"]) / len(seen["held"]))
            for name, of in (("least", min), ("most", max)):
                add(family, f"{name} recalled key", 100 * of(seen["keys"]))
    return pd.DataFrame(rows, columns=COLUMNS)


def labelled(
    runs: list[NetworkRun], evaluations: list[dict], label: Callable[[NetworkRun], dict[str, Any]]
) -> pd.DataFrame:
    """As tidy, with columns of one's own: label(run) says {column: value}."""
    parts = [tidy([run], [seen]).assign(**label(run)) for run, seen in zip(runs, evaluations, strict=True)]
    return pd.concat(parts, ignore_index=True)


def chosen(table: pd.DataFrame, **at: Any) -> pd.DataFrame:
    """The rows whose columns have those values; any of several, given as a list, tuple or set."""
    kept = pd.Series(True, index=table.index)
    for column, values in at.items():
        kept &= table[column].isin(values if isinstance(values, list | tuple | set) else [values])
    return table[kept]


class Shown:
    """A table as a notebook shows it: with a caption, as HTML, or as text where there is none.

    Numbers of rows are left out. Raises ValueError for more rows than a reader takes in: those belong in a csv.
    """

    MOST = 25

    def __init__(self, table: pd.DataFrame, caption: str):
        if len(table) > self.MOST:
            raise ValueError(f"{len(table)} rows are too many to show, {self.MOST} are the most: {caption}")
        self.table, self.caption = table, caption

    def _repr_html_(self) -> str:
        style = Styler(self.table, uuid="table", cell_ids=False, caption=self.caption)
        style = style.format(written, na_rep="").format_index(written).format_index(written, axis=1)
        return (style.hide() if self.numbered() else style).to_html()

    def __repr__(self) -> str:
        return f"{self.caption}\n{self.table.to_string(index=not self.numbered())}"

    def numbered(self) -> bool:
        """Whether the index says no more than which row it is."""
        return self.table.index.name is None and is_integer_dtype(self.table.index)


def written(cell: Any) -> str:
    """A cell of a table, or of its margins, as text."""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def show(table: pd.DataFrame, caption: str) -> None:
    """Display a table in a notebook, under a caption that says units, n and what an interval is. Raises as Shown."""
    display(Shown(table, caption))


def runs_at(runs: Sequence[NetworkRun], q: float | Container[float], n: int | None = None) -> list[NetworkRun]:
    """The runs of a sweep at q, or at any of several q; n: and with tasks of that size."""
    qs = q if isinstance(q, Container) else (q,)
    return [run for run in runs if run.objective.q in qs and n in (None, run.task.n)]


def summary(table: pd.DataFrame, by: list[str], digits: int = 1, spans: dict = SPANS) -> pd.DataFrame:
    """Mean over runs with its interval for each group and measure, as text, and the number of runs.

    spans: least and most value of those measures that are no percentages. A single run has no interval.
    """

    def told(measure: str, values: pd.Series) -> str:
        span = spans.get(measure, PERCENT)
        mean, (low, high) = f"{values.mean():.{digits}f}", interval(values.to_list(), span)
        return mean if len(values) == 1 else f"{mean} [{low:.{digits}f}, {high:.{digits}f}]"

    order = list(dict.fromkeys(table["measure"]))
    groups = table.groupby([*by, "measure"], sort=False)["value"]
    told_of = {point: told(point[-1], values) for point, values in groups}
    wide = pd.Series(told_of, index=groups.size().index).unstack("measure")[order]
    wide.insert(0, "n", groups.size().unstack("measure").max(axis=1).astype(int))
    return wide.fillna("").rename_axis(columns=None)


def of_run(table: pd.DataFrame, answer: str, measure: str, q: float, **at: float) -> list[float]:
    """One value per run of one point of a sweep; at: N or m, where the table has several. Raises NotMeasured."""
    point = chosen(table, answer=answer, measure=measure, q=q, **at)
    if point.empty:
        raise NotMeasured(f"{measure} of {answer} at {', '.join(f'{k} = {v:g}' for k, v in ({'q': q} | at).items())}")
    return point.sort_values("run")["value"].to_list()


def over_points(table: pd.DataFrame, answer: str, measure: str, qs: list[float], reduce) -> list[float]:
    """One value per run: the largest or smallest (reduce: max or min) of its values at several q.

    Raises NotMeasured.
    """
    if not qs:
        raise NotMeasured(f"{measure} of {answer} at any q asked for")
    return [reduce(values) for values in zip(*(of_run(table, answer, measure, q) for q in qs), strict=True)]


def seeds_needed(folder: str, runs: list[NetworkRun], q: float, n: int) -> pd.DataFrame:
    """Seeds for 99 % on the input on which one seed does worst, by way to vote, a row per randomized run at q and n.

    The runs must have records in the folder.
    """
    rows = []
    for run in runs:
        if (run.objective.family, run.objective.q, run.task.n) == ("A_R", q, n):
            record, seen = workers.load(folder, run)
            worst = seen["worst_input"]
            right = 100 * sum(c for c, good in zip(worst["counts"], worst["right"], strict=True) if good)
            needed = seeds_for_worst(run, record["parameters"], worst["index"])
            words = {inf: "never"} | {k: f"{k:g}" for k in needed.values() if k < inf}
            told = {SPENT[way]: words.get(k, f"more than {max(KS)}") for way, k in needed.items()}
            rows.append({"run": run.run_index, "one seed [%]": round(right / sum(worst["counts"]), 1)} | told)
    return pd.DataFrame(rows)


def histogram(runs: list[NetworkRun], evaluations: list[dict]) -> pd.DataFrame:
    """Share of inputs [%] at each success rate, mean over runs: N, q, answer, success [%], share [%]."""
    rows = []
    for run, seen in zip(runs, evaluations, strict=True):
        counts = {run.objective.family: seen["histogram"]}
        counts |= {f"{run.objective.family}-{ELECTIONS[name]}": votes for name, votes in seen.get("votes", {}).items()}
        for answer, inputs in counts.items():
            common = {"N": run.task.n, "q": run.objective.q, "answer": answer}
            shares = enumerate(100 * count / seen["inputs"] for count in inputs)
            rows += [common | {"success": success, "share": share} for success, share in shares]
    return pd.DataFrame(rows).groupby(["N", "q", "answer", "success"], as_index=False)["share"].mean()


def spread(shares: pd.DataFrame) -> pd.DataFrame:
    """A histogram in words: share of inputs [%] that never, rarely, mostly and always succeed, by q."""
    names = ["0", "1-49", "50-89", "90-99", "100"]
    bins = pd.cut(shares["success"], [-1, 0, 49, 89, 99, 100], labels=[f"success {name} %" for name in names])
    return shares.groupby(["q", bins], observed=False)["share"].sum().unstack().round(1).rename_axis(columns=None)
