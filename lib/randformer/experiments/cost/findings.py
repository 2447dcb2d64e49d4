"""What 05_cost_of_randomness.ipynb reads off its runs and the benchmarks, as tables.

Costs of a step are rows of benchmarks/scaling.csv: sweep (what grows), task, x, way (of taking the gradient),
processes, wall_seconds, spread, cpu_seconds, peak_bytes.
"""

import pandas as pd

from randformer.core.adversary import VOTES, judge
from randformer.core.gradient import RisingQ
from randformer.core.runs import NetworkRun
from randformer.core.transformer import Network
from randformer.experiments.coloring.findings import votes
from randformer.experiments.cost import sweep
from randformer.harness.files import ROOT
from randformer.report import tables

MEASURES = ["average", "95th percentile", "worst input", "inputs at 0"]
MIB = 2**20
SHOWN = (1, 10, 100, 1000)  # of the m that a step was measured at: what the text speaks of


def benchmark(name: str) -> pd.DataFrame:
    """benchmarks/<name>.csv."""
    return pd.read_csv(ROOT / "benchmarks" / f"{name}.csv")


# What a step costs


def by_seeds(scaling: pd.DataFrame) -> pd.DataFrame:
    """Gradient steps against m: task, m, way, s per step, spread, times one pass, MiB."""
    steps = tables.chosen(scaling, sweep="m", task=["recall", "coloring"])
    whole = tables.chosen(steps, way="one pass").set_index(["task", "x"])["wall_seconds"].rename("whole")
    steps = steps.join(whole, on=["task", "x"])
    steps["times one pass"] = (steps["wall_seconds"] / steps["whole"]).round(2)
    steps["MiB"] = (steps["peak_bytes"] / MIB).round()
    steps = steps.rename(columns={"x": "m", "wall_seconds": "s per step"})
    return steps[["task", "m", "way", "s per step", "spread", "times one pass", "MiB"]]


def by_the_rest(scaling: pd.DataFrame) -> pd.DataFrame:
    """Steps against all but m, the first and the last point of each: seconds and MiB."""
    others = scaling[scaling["sweep"] != "m"].assign(MiB=(scaling["peak_bytes"] / MIB).round())
    points = others.groupby(["sweep", "task"])["x"]
    others = others[(others["x"] == points.transform("min")) | (others["x"] == points.transform("max"))]
    return others[["sweep", "task", "x", "processes", "wall_seconds", "spread", "cpu_seconds", "MiB"]]


def of_generations(scaling: pd.DataFrame) -> list[str]:
    """What a generation of the grid world costs, a sentence for each m."""
    return [
        f"grid world, m = {row.x}: {row.wall_seconds:.2f} s a generation, {row.peak_bytes / MIB:.0f} MiB"
        for row in tables.chosen(scaling, sweep="m", task="gridworld").itertuples()
    ]


def against_others(results: pd.DataFrame) -> pd.DataFrame:
    """Of benchmarks/results.csv, a row for each workload: our wall seconds, and each variant's as a multiple."""
    ratios = results.pivot(index="workload", columns="variant", values="times_ours")
    ratios = ratios.reindex(results["workload"].unique())[results["variant"].unique()].drop(columns="ours")
    ours = tables.chosen(results, variant="ours").set_index("workload")["wall_seconds_median"]
    ratios.insert(0, "ours [s]", ours)
    return ratios.astype(object).fillna("").rename_axis(columns=None)


def roofline(table: pd.DataFrame) -> pd.Series:
    """Share of the roofline [%], whole, by workload."""
    return (100 * table.set_index("workload")["share"]).round().astype(int)


# What one gets for it


def measured(runs: list[NetworkRun], evaluations: list[dict]) -> pd.DataFrame:
    """tables.tidy, with columns experiment (the task) and rises (whether q does)."""
    return tables.labelled(
        runs, evaluations, lambda run: {"experiment": run.problem, "rises": isinstance(run.training, RisingQ)}
    )


def by_point(table: pd.DataFrame, x: str) -> pd.DataFrame:
    """tables.summary [%] by task, N, answer and x (m or q) of both models and votes of 30."""
    table = tables.chosen(table, measure=MEASURES, answer=["A_r0", "A_R", "A_R-majority(30)"])
    if x == "m":  # all of it was trained on random seeds
        table = tables.chosen(table, model="A_R")
    return tables.summary(table, ["experiment", "N", "answer", x]).sort_index()


def randomized(told: pd.DataFrame) -> pd.DataFrame:
    """by_point's rows of the randomized model's single seeds, and how many inputs never succeed with votes of 30."""
    single, polls = (told.xs(answer, level="answer") for answer in ("A_R", "A_R-majority(30)"))
    return single.assign(**{"at 0 with votes of 30": polls["inputs at 0"]})


def schedules(table: pd.DataFrame) -> pd.DataFrame:
    """tables.summary [%] by task, N, answer and training: whether q rises."""
    table = tables.chosen(table, measure=MEASURES, answer=["A_R", "A_R-majority(30)"])
    table = table.assign(training=table["rises"].map({False: "q as it is", True: "q rises"}))
    return tables.summary(table, ["experiment", "N", "answer", "training"]).sort_index()


# Votes, or a larger network


def polled(voting: list[NetworkRun], voted: list[dict]) -> pd.DataFrame:
    """Success [%] of votes against their cost in passes: way, cost, measure, run, value, and others.

    voting: randomized runs at one q. On their worst input at many costs, and at the 95th percentile of inputs at
    those of VOTES; votes on each bit or vertex and averaged probabilities at those of VOTES.
    """
    one = voting[0]
    worst = votes(voting, voted, one.objective.q, judge(one)[0].wrong_answers)
    worst = tables.chosen(worst, way="majority(k)").rename(columns={"k": "cost"}).assign(measure="worst input")
    shares = tables.tidy(voting, voted)
    whole = {"A_R": 1} | {f"A_R-{tables.ELECTIONS[f'majority{k}']}": k for k in VOTES}
    single = tables.chosen(shares, answer=list(whole), measure="95th percentile")
    found = [worst.assign(way="votes"), single.assign(way="votes", cost=single["answer"].map(whole))]
    for way, name in (("votes on each bit or vertex", "parts"), ("averaged probabilities", "probabilities")):
        costs = {f"A_R-{tables.ELECTIONS[f'{name}{k}']}": k for k in VOTES}
        each = tables.chosen(shares, answer=list(costs), measure=["worst input", "95th percentile"])
        found.append(each.assign(way=way, cost=each["answer"].map(costs)))
    return pd.concat(found)


def inference(
    voting: list[NetworkRun],
    voted: list[dict],
    larger: list[NetworkRun],
    evaluations: list[dict],
    names: dict[str, Network],
) -> pd.DataFrame:
    """Success [%] against the cost of an answer: measure, way, cost, run, value.

    polled's, and those of larger runs with a fixed seed and no votes, by the names of their networks. Costs are in
    passes through the network that votes; a larger one's are by parameters, each of which is used once a token.
    """
    parts = [polled(voting, voted)]
    for name, network in names.items():
        of = [(run, seen) for run, seen in zip(larger, evaluations, strict=True) if run.network == network]
        found = tables.tidy(*map(list, zip(*of, strict=True)))
        found = tables.chosen(found, answer="A_r0", measure=["worst input", "95th percentile"])
        parts.append(found.assign(way=name, cost=of[0][0].parameters / voting[0].parameters))
    return pd.concat(parts, ignore_index=True)[["measure", "way", "cost", "run", "value"]]


def votes_or_larger(
    profile: str, runs: dict[str, list[NetworkRun]], evaluations: dict[str, list[dict]]
) -> pd.DataFrame:
    """inference's of both tasks at their larger size and largest q, with columns experiment and N.

    runs and evaluations: {part: of its runs}, of the parts "q" and "larger".
    """
    found = []
    for task, names in sweep.larger(profile).items():
        sizes = sweep.SIZES[profile][task]
        n, q = sizes.ns[1], max(sizes.qs)
        both = {part: zip(runs[part], evaluations[part], strict=True) for part in ("q", "larger")}
        voting = [(run, seen) for run, seen in both["q"] if (run.problem, run.task.n, run.objective.q) == (task, n, q)]
        larger = [(run, seen) for run, seen in both["larger"] if run.problem == task]
        lists = [list(each) for pairs in (voting, larger) for each in zip(*pairs, strict=True)]
        found.append(inference(*lists, names).assign(experiment=task, N=n))
    return pd.concat(found, ignore_index=True)


def some_costs(answers: pd.DataFrame) -> pd.DataFrame:
    """tables.summary [%] of votes_or_larger's by task, N, way and cost [passes], of some numbers of votes."""
    asked = answers[(answers["way"] != "votes") | answers["cost"].isin([1, *VOTES, 1000])]
    asked = asked.assign(cost=asked["cost"].round(2)).sort_values(["experiment", "cost"], ascending=[False, True])
    return tables.summary(asked, ["experiment", "N", "way", "cost"])


def memories(profile: str) -> dict[str, int]:
    """Numbers in a layer's memory, of recall's networks by name."""
    return {name: network.key_size**2 for name, network in sweep.larger(profile)["recall"].items()}
