from dataclasses import replace

import pandas as pd
import pytest

from helpers import evaluations, tiny
from randformer.core.gradient import GradientTraining
from randformer.experiments.cost import findings
from randformer.experiments.cost.sweep import raised


@pytest.fixture(scope="module")
def scaling():
    return findings.benchmark("scaling")


def row(answer: str, value: float, run: int = 0, measure: str = "inputs at 0", **more) -> dict:
    point = {"experiment": "coloring", "N": 6, "m": 3, "q": 10.0, "model": answer.split("-")[0], "rises": False}
    return point | {"answer": answer, "measure": measure, "run": run, "value": value} | more


def test_a_step_in_one_pass_takes_as_long_as_itself(scaling):
    table = findings.by_seeds(scaling)
    assert table[table["way"] == "one pass"]["times one pass"].eq(1).all()
    assert set(table["task"]) == {"recall", "coloring"}
    assert table["MiB"].max() == round(scaling["peak_bytes"].max() / 2**20)
    assert set(findings.SHOWN) <= set(table["m"])


def test_of_the_other_sweeps_the_ends_are_shown(scaling):
    table = findings.by_the_rest(scaling)
    assert table.groupby(["sweep", "task"]).size().eq(2).all()
    assert set(table["sweep"]) == {"N", "q", "K", "cores"}
    assert findings.of_generations(scaling)[0].startswith("grid world, m = 1: 0.0")


def test_other_variants_are_multiples_of_ours():
    results = pd.DataFrame(
        [("a", "ours", 2.0, 1.0), ("a", "plain", 6.0, 3.0), ("b", "ours", 1.0, 1.0), ("b", "other", 4.0, 4.0)],
        columns=["workload", "variant", "wall_seconds_median", "times_ours"],
    )
    table = findings.against_others(results)
    assert table.to_dict("index") == {
        "a": {"ours [s]": 2.0, "plain": 3.0, "other": ""},
        "b": {"ours [s]": 1.0, "plain": "", "other": 4.0},
    }
    assert findings.roofline(pd.DataFrame({"workload": ["a"], "share": [0.186]})).to_dict() == {"a": 19}


def test_runs_are_labelled_by_task_and_rise():
    plain = tiny(q=8, fixed=True)
    rising = replace(plain, training=raised(GradientTraining(20, 16, warmup=5)))
    seen = {"success": {"average": 0.5}, "loss": {}, "histogram": [1], "inputs": 1}
    table = findings.measured([plain, rising], [seen, seen])
    average = table[table["measure"] == "average"]
    assert average["rises"].to_list() == [False, True]
    assert set(table["experiment"]) == {"coloring"}


def test_beside_single_seeds_stands_what_votes_never_answer():
    table = pd.DataFrame([row("A_R", 1.0), row("A_R-majority(30)", 7.0), row("A_r0", 9.0), row("A_R-majority(5)", 3.0)])
    told = findings.by_point(table, "m")
    assert set(told.index.get_level_values("answer")) == {"A_R", "A_R-majority(30)"}
    assert set(findings.by_point(table, "q").index.get_level_values("answer")) == {"A_R", "A_R-majority(30)", "A_r0"}
    shown = findings.randomized(told).loc["coloring", 6, 3]
    assert shown.to_dict() == {"n": 1, "inputs at 0": "1.0", "at 0 with votes of 30": "7.0"}


def test_schedules_stand_side_by_side():
    table = pd.DataFrame([row("A_R", 1.0), row("A_R", 5.0, rises=True), row("A_r0", 9.0)])
    told = findings.schedules(table)["inputs at 0"].loc["coloring", 6, "A_R"]
    assert told.to_dict() == {"q as it is": "1.0", "q rises": "5.0"}


def test_what_votes_and_larger_networks_cost():
    """In passes: k for k votes, and the ratio of the parameters for a larger network."""
    small, large = [tiny(k) for k in range(2)], [tiny(k, q=1, fixed=True) for k in range(2)]
    wide = [replace(run, network=replace(run.network, width=32)) for run in large]
    names = {"small": large[0].network, "wide": wide[0].network}
    table = findings.inference(small, evaluations(small), large + wide, evaluations(large + wide), names)
    votes = table[table["way"] == "votes"].groupby("measure")["cost"].agg(lambda costs: sorted(set(costs)))
    assert votes["95th percentile"] == [1, 5, 30]
    assert votes["worst input"][:4] == [1, 2, 5, 10]
    costs = table[table["way"] != "votes"].groupby("way")["cost"].unique()
    assert costs["small"] == [1]
    assert costs["wide"] == pytest.approx(wide[0].parameters / small[0].parameters)
    assert table.groupby(["way", "measure"])["run"].nunique().eq(2).all()


def test_some_numbers_of_votes_are_shown_and_every_larger_network():
    points = [("votes", k, k / 10) for k in (1, 2, 5, 1000)] + [("wide", 1.234, 50.0)]
    answers = pd.DataFrame(points, columns=["way", "cost", "value"])
    answers = answers.assign(experiment="coloring", N=6, measure="worst input", run=0)
    shown = findings.some_costs(answers).loc["coloring", 6]
    assert sorted(shown.index.to_list()) == [("votes", 1), ("votes", 5), ("votes", 1000), ("wide", 1.23)]
    assert shown.loc[("wide", 1.23), "worst input"] == "50.0"


def test_a_memory_is_a_square():
    assert findings.memories("smoke") == {"key size 1": 1, "key size 2": 4}
