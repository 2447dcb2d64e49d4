"""Evaluations as tables: tidy ones for the figures, and summaries with the number of runs and an interval."""

import math

import numpy as np
import pandas as pd

from randformer.core.adversary import VOTES, bootstrap, gap, success_by_votes
from randformer.core.runs import NetworkRun

MEASURES = {
    "average": "average",
    "percentile95": "95th percentile",
    "worst": "worst input",
    "zero_share": "inputs at 0",
}
CELLS = "95th percentile of cells"  # of success averaged over the inputs of a cell: in recall, of a key and a value
ELECTIONS = {f"{name}{k}": f"{name}({k})" for name in ("majority", "bitwise") for k in VOTES}


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
            for measure, value in seen.get(name, {}).items():
                add(answer, MEASURES[measure], 100 * value)
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


def summary(table: pd.DataFrame, by: list[str], digits: int = 1) -> pd.DataFrame:
    """Mean over runs with its interval for each group and measure, as text, and the number of runs.

    A single run has no interval.
    """

    def told(values: pd.Series) -> str:
        mean, (low, high) = f"{values.mean():.{digits}f}", bootstrap(values.to_list())
        return mean if len(values) == 1 else f"{mean} [{low:.{digits}f}, {high:.{digits}f}]"

    order = list(dict.fromkeys(table["measure"]))
    groups = table.groupby([*by, "measure"], sort=False)["value"]
    wide = groups.agg(told).unstack("measure")[order]
    wide.insert(0, "n", groups.size().unstack("measure").max(axis=1).astype(int))
    return wide.fillna("").rename_axis(columns=None)


def of_run(table: pd.DataFrame, answer: str, measure: str, q: float, **at: float) -> list[float]:
    """One value per run of one point of a sweep; at: N or m, where the table has several."""
    chosen = (table["answer"] == answer) & (table["measure"] == measure) & (table["q"] == q)
    for column, value in at.items():
        chosen &= table[column] == value
    return table.loc[chosen].sort_values("run")["value"].to_list()


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


def randomized(runs: list[NetworkRun], evaluations: list[dict], q: float) -> list[tuple]:
    """The runs with random seeds at q, each with its evaluation."""
    both = zip(runs, evaluations, strict=True)
    return [(run, seen) for run, seen in both if run.objective.q == q and not run.objective.fixed_seed]


def votes(runs: list[NetworkRun], evaluations: list[dict], q: float, wrong_answers: int) -> pd.DataFrame:
    """Success [%] on the worst input of each randomized run at q, against seeds spent: way, k, run, value."""
    ks = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
    rows = []
    for run, seen in randomized(runs, evaluations, q):
        for way, values in success_by_votes(seen["worst_input"], ks, wrong_answers).items():
            rows += [
                {"way": way, "k": k, "run": run.run_index, "value": 100 * v} for k, v in zip(ks, values, strict=True)
            ]
    return pd.DataFrame(rows)


def bounds(runs: list[NetworkRun], evaluations: list[dict], q: float, wrong_answers: int) -> pd.DataFrame:
    """Proposition 2 on the worst input of each randomized run at q: the gap D and the k for which it promises 99 %."""
    rows = []
    for run, seen in randomized(runs, evaluations, q):
        d = gap(seen["worst_input"])
        k = math.ceil(2 / d**2 * math.log(wrong_answers / 0.01)) if d > 0 else "none: a wrong answer leads"
        rows.append({"run": run.run_index, "gap D": round(d, 3), "k for 99 %": k})
    return pd.DataFrame(rows)


def inference(voting: list, voted: list[dict], larger: list, measured: list[dict], names: dict) -> pd.DataFrame:
    """Success [%] against the cost of an answer: measure, way, cost, run, value.

    The ways "votes" and "votes on each bit" (recall) are of voting, randomized runs at one q: on their worst input
    and at the 95th percentile of inputs. The others are of larger runs with a fixed seed and no votes, by the names of
    their networks, {name: network}. Costs are in passes through the network that votes; a larger one's are by
    parameters, each of which is used once a token.
    """
    one = voting[0]
    polls = votes(voting, voted, one.objective.q, one.task.evaluation_set(one.network).wrong_answers)
    polls = polls[polls["way"] == "majority(k)"].rename(columns={"k": "cost"}).assign(measure="worst input")
    passes = {"A_R": 1} | {f"A_R-{ELECTIONS[f'majority{k}']}": k for k in VOTES}
    shares = tidy(voting, voted)
    single = shares[shares["answer"].isin(passes) & (shares["measure"] == "95th percentile")]
    parts = [part.assign(way="votes") for part in (polls, single.assign(cost=single["answer"].map(passes)))]
    bits = {f"A_R-{ELECTIONS[f'bitwise{k}']}": k for k in VOTES}
    shares = shares[shares["answer"].isin(bits) & shares["measure"].isin(["worst input", "95th percentile"])]
    parts.append(shares.assign(way="votes on each bit", cost=shares["answer"].map(bits)))
    for name, network in names.items():
        of = [(run, seen) for run, seen in zip(larger, measured, strict=True) if run.network == network]
        found = tidy(*map(list, zip(*of, strict=True)))
        found = found[(found["answer"] == "A_r0") & found["measure"].isin(["worst input", "95th percentile"])]
        parts.append(found.assign(way=name, cost=of[0][0].parameters / one.parameters))
    return pd.concat(parts, ignore_index=True)[["measure", "way", "cost", "run", "value"]]


def recalled(maps: dict) -> pd.DataFrame:
    """Share of memories [%] whose pair is recalled under each seed at each key, from {model: (seeds, keys)}."""
    rows = [
        {"model": model, "seed": seed, "key": key, "recalled": 100 * share}
        for model, shares in maps.items()
        for (seed, key), share in np.ndenumerate(shares)
    ]
    return pd.DataFrame(rows)


def colorings(walk: list[int], colors: list[list[int]]) -> pd.DataFrame:
    """Colours of one cycle's vertices under several seeds, one row per vertex in walking order."""
    return pd.DataFrame({"vertex": walk} | {f"seed {i}": column for i, column in enumerate(colors)})
