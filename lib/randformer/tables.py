"""Evaluations as tables: tidy ones for the figures, and summaries with the number of runs and an interval."""

import math

import pandas as pd

from .evaluation import VOTES, bootstrap, gap, spend

MEASURES = {
    "average": "average",
    "percentile95": "95th percentile",
    "worst": "worst input",
    "zero_share": "inputs at 0",
}


def tidy(runs: list, evaluations: list[dict]) -> pd.DataFrame:
    """One row per run, way of answering and measure: model, q, run, answer, measure, value (percent; loss as it is)."""
    rows = []
    for run, seen in zip(runs, evaluations, strict=True):
        family = run.model.family
        answers = {family: seen["success"], f"{family}-sampled": seen.get("sampled")}
        answers |= {f"{family}-majority({k})": seen.get(f"majority{k}") for k in VOTES}
        common = {"model": family, "q": run.model.q, "run": run.number}
        for answer, success in answers.items():
            for name in success or ():
                rows.append(common | {"answer": answer, "measure": MEASURES[name], "value": 100 * success[name]})
        ends = 100 * (seen["histogram"][0] + seen["histogram"][-1]) / seen["inputs"]  # success 0 or 100 %
        rows.append(common | {"answer": family, "measure": "all or nothing", "value": ends})
        for name, value in seen["loss"].items():
            rows.append(common | {"answer": family, "measure": f"loss, {MEASURES[name]}", "value": value})
    return pd.DataFrame(rows)


def summary(table: pd.DataFrame, by: list[str], digits: int = 1) -> pd.DataFrame:
    """Mean over runs with its interval for each group and measure, as text, and the number of runs."""

    def told(values: pd.Series) -> str:
        low, high = bootstrap(values.to_list())
        return f"{values.mean():.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    order = list(dict.fromkeys(table["measure"]))
    groups = table.groupby([*by, "measure"], sort=False)["value"]
    wide = groups.agg(told).unstack("measure")[order]
    wide.insert(0, "n", groups.size().unstack("measure").max(axis=1).astype(int))
    return wide.fillna("").rename_axis(columns=None)


def of_run(table: pd.DataFrame, answer: str, measure: str, q: float) -> list[float]:
    """One value per run of one point of a sweep."""
    at = (table["answer"] == answer) & (table["measure"] == measure) & (table["q"] == q)
    return table.loc[at].sort_values("run")["value"].to_list()


def histogram(runs: list, evaluations: list[dict]) -> pd.DataFrame:
    """Share of inputs [%] at each success rate, mean over runs: q, answer (the model), success [%], share [%]."""
    rows = [
        {"q": run.model.q, "answer": run.model.family, "success": success, "share": share}
        for run, seen in zip(runs, evaluations, strict=True)
        for success, share in enumerate(100 * count / seen["inputs"] for count in seen["histogram"])
    ]
    return pd.DataFrame(rows).groupby(["q", "answer", "success"], as_index=False)["share"].mean()


def spread(shares: pd.DataFrame) -> pd.DataFrame:
    """A histogram in words: share of inputs [%] that never, rarely, mostly and always succeed, by q."""
    names = ["0", "1-49", "50-89", "90-99", "100"]
    bins = pd.cut(shares["success"], [-1, 0, 49, 89, 99, 100], labels=[f"success {name} %" for name in names])
    return shares.groupby(["q", bins], observed=False)["share"].sum().unstack().round(1).rename_axis(columns=None)


def randomized(runs: list, evaluations: list[dict], q: float) -> list[tuple]:
    """The runs with random seeds at q, each with its evaluation."""
    both = zip(runs, evaluations, strict=True)
    return [(run, seen) for run, seen in both if run.model.q == q and not run.model.fixed_seed]


def votes(runs: list, evaluations: list[dict], q: float, wrong_answers: int) -> pd.DataFrame:
    """Success [%] on the worst input of each randomized run at q, against seeds spent: way, k, run, value."""
    ks = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
    rows = []
    for run, seen in randomized(runs, evaluations, q):
        for way, values in spend(seen["worst_input"], ks, wrong_answers).items():
            rows += [{"way": way, "k": k, "run": run.number, "value": 100 * v} for k, v in zip(ks, values, strict=True)]
    return pd.DataFrame(rows)


def bounds(runs: list, evaluations: list[dict], q: float, wrong_answers: int) -> pd.DataFrame:
    """Proposition 2 on the worst input of each randomized run at q: the gap D and the k for which it promises 99 %."""
    rows = []
    for run, seen in randomized(runs, evaluations, q):
        d = gap(seen["worst_input"])
        k = math.ceil(2 / d**2 * math.log(wrong_answers / 0.01)) if d > 0 else "none: a wrong answer leads"
        rows.append({"run": run.number, "gap D": round(d, 3), "k for 99 %": k})
    return pd.DataFrame(rows)


def colorings(walk: list[int], colors: list[list[int]]) -> pd.DataFrame:
    """Colours of one cycle's vertices under several seeds, one row per vertex in walking order."""
    return pd.DataFrame({"vertex": walk} | {f"seed {i}": column for i, column in enumerate(colors)})
