"""Evaluations as tables: tidy ones for the figures, and summaries with the number of runs and an interval."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from randformer.core.adversary import VOTES
from randformer.core.runs import NetworkRun
from randformer.core.votes import WAYS
from randformer.report.intervals import interval

MEASURES = {
    "average": "average",
    "percentile95": "95th percentile",
    "worst": "worst input",
    "zero_share": "inputs at 0",
}
CELLS = "95th percentile of cells"  # of success averaged over the inputs of a cell: in recall, of a key and a value
ELECTIONS = {f"{name}{k}": f"{name}({k})" for name in (*WAYS, "retry") for k in VOTES}


def tidy(runs: list[NetworkRun], evaluations: list[dict]) -> pd.DataFrame:
    """One row per run, way of answering and measure; values in percent, losses and variances as they are.

    Columns: model, N (size of the task), q, m, run, answer, measure, value.
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
            if name in seen.get("cells", {}):
                add(answer, CELLS, 100 * seen["cells"][name]["percentile95"])
        add(family, "all or nothing", 100 * (seen["histogram"][0] + seen["histogram"][-1]) / seen["inputs"])
        for measure, value in seen["loss"].items():
            add(family, f"loss, {MEASURES[measure]}", value)
        if "variance" in seen:
            add(family, "variance", seen["variance"])
            add(family, "pairs held", sum(seen["held"]) / len(seen["held"]))
            for name, of in (("least", min), ("most", max)):
                add(family, f"{name} recalled key", 100 * of(seen["keys"]))
    return pd.DataFrame(rows)


def labelled(
    runs: list[NetworkRun], evaluations: list[dict], label: Callable[[NetworkRun], dict[str, Any]]
) -> pd.DataFrame:
    """As tidy, with columns of one's own: label(run) says {column: value}."""
    parts = [tidy([run], [seen]).assign(**label(run)) for run, seen in zip(runs, evaluations, strict=True)]
    return pd.concat(parts, ignore_index=True)


def only(table: pd.DataFrame, **wanted: Any) -> pd.DataFrame:
    """The rows whose columns have those values; several of a column: as a list, tuple or set."""
    chosen = pd.Series(True, index=table.index)
    for column, values in wanted.items():
        several = isinstance(values, Sequence | set) and not isinstance(values, str)
        chosen &= table[column].isin(values if several else [values])
    return table[chosen]


def summary(table: pd.DataFrame, by: list[str], digits: int = 1) -> pd.DataFrame:
    """Mean over runs with its interval for each group and measure, as text, and the number of runs.

    A single run has no interval.
    """

    def told(values: pd.Series) -> str:
        mean, (low, high) = f"{values.mean():.{digits}f}", interval(values.to_list())
        return mean if len(values) == 1 else f"{mean} [{low:.{digits}f}, {high:.{digits}f}]"

    order = list(dict.fromkeys(table["measure"]))
    groups = table.groupby([*by, "measure"], sort=False)["value"]
    wide = groups.agg(told).unstack("measure")[order]
    wide.insert(0, "n", groups.size().unstack("measure").max(axis=1).astype(int))
    return wide.fillna("").rename_axis(columns=None)


def chosen(table: pd.DataFrame, **at) -> pd.DataFrame:
    """Rows whose columns have the values given by name; of a tuple or list of values, any."""
    kept = pd.Series(True, index=table.index)
    for column, value in at.items():
        kept &= table[column].isin(value if isinstance(value, tuple | list) else [value])
    return table[kept]


def of_run(table: pd.DataFrame, answer: str, measure: str, q: float, **at: float) -> list[float]:
    """One value per run of one point of a sweep; at: N or m, where the table has several."""
    point = chosen(table, answer=answer, measure=measure, q=q, **at)
    return point.sort_values("run")["value"].to_list()


def over_points(table: pd.DataFrame, answer: str, measure: str, qs: list[float], reduce) -> list[float]:
    """One value per run: the largest or smallest (reduce: max or min) of its values at several q."""
    return [reduce(values) for values in zip(*(of_run(table, answer, measure, q) for q in qs), strict=True)]


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
