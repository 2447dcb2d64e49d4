from dataclasses import replace

import numpy as np
import pytest

from helpers import evaluations as evaluated
from helpers import tiny, tiny_recall
from randformer.report import tables

FIXED = {
    "inputs": 4,
    "success": {"average": 0.5, "percentile95": 0.0, "worst": 0.0, "zero_share": 0.5},
    "sampled": {"average": 0.4, "percentile95": 0.1, "worst": 0.1, "zero_share": 0.0},
    "loss": {"average": 0.01, "percentile95": 0.02},
    "histogram": [2] + [0] * 99 + [2],
}


def evaluations(*averages: float) -> list[dict]:
    return [FIXED | {"success": FIXED["success"] | {"average": a}} for a in averages]


def test_percent_for_shares_and_losses_as_they_are():
    table = tables.tidy([tiny(fixed=True)], [FIXED]).set_index(["answer", "measure"])["value"]
    assert table["A_r0", "average"] == 50
    assert table["A_r0-sampled", "95th percentile"] == 10
    assert table["A_r0", "loss, 95th percentile"] == 0.02
    assert table["A_r0", "all or nothing"] == 100
    assert len(table) == 11


def test_a_summary_has_mean_interval_and_number_of_runs():
    runs = [tiny(k, fixed=True) for k in range(3)]
    table = tables.tidy(runs, evaluations(0.2, 0.3, 0.7))
    told = tables.summary(table[table["answer"] == "A_r0"], ["answer", "q"]).loc[("A_r0", 3.0)]
    assert told["n"] == 3
    assert told["average"].startswith("40.0 [20.0, ")
    assert tables.of_run(table, "A_r0", "average", 3.0) == pytest.approx([20, 30, 70])
    alone = tables.tidy(runs[:1], evaluations(0.2))
    assert tables.summary(alone[alone["answer"] == "A_r0"], ["q"]).loc[3.0, "average"] == "20.0"  # without an interval


def test_a_histogram_is_a_mean_over_runs_and_adds_up():
    runs = [tiny(k, fixed=True) for k in range(2)]
    shares = tables.histogram(runs, [FIXED, FIXED | {"histogram": [0] * 100 + [4]}])
    assert shares["share"].sum() == pytest.approx(100)
    assert shares.set_index("success")["share"][0] == pytest.approx(25)
    assert tables.spread(shares).loc[3.0].to_list() == [25, 0, 0, 0, 75]


def test_recall_has_votes_cells_variance_and_keys():
    runs = [tiny_recall(), tiny_recall(fixed=True)]
    seen = evaluated(runs)
    table = tables.tidy(runs, seen)
    values = table[table["model"] == "A_R"].set_index(["answer", "measure"])["value"]
    assert values["A_R", "variance"] == seen[0]["variance"] > 0
    assert values["A_R-bitwise(30)", "average"] == 100 * seen[0]["bitwise30"]["average"]
    assert values["A_R", tables.CELLS] == 100 * seen[0]["cells"]["success"]["percentile95"]
    assert values["A_R", "least recalled key"] <= values["A_R", "average"] <= values["A_R", "most recalled key"]
    assert tables.of_run(table, "A_r0", "variance", 3, N=4, m=1) == [0]
    assert tables.of_run(table, "A_r0", "variance", 3, N=5) == []
    shares = tables.histogram(runs, seen).groupby("answer")["share"].sum()
    assert shares.to_dict() == pytest.approx(dict.fromkeys(shares.index, 100))
    assert {"A_r0", "A_R", "A_R-majority(30)", "A_R-bitwise(5)"} < set(shares.index)


def test_an_extreme_over_points_is_taken_run_by_run():
    runs = [tiny(k, q=q, fixed=True) for q in (1, 2) for k in range(2)]
    table = tables.tidy(runs, evaluations(0.1, 0.4, 0.3, 0.2))
    assert tables.over_points(table, "A_r0", "average", [1, 2], max) == pytest.approx([30, 40])
    assert tables.over_points(table, "A_r0", "average", [1, 2], min) == pytest.approx([10, 20])


def test_what_proposition_2_asks_for():
    """k > (2 / D^2) ln(W / 0.01), and nothing where a wrong answer leads."""
    leading, trailing = ({"index": 0, "counts": [6, 4], "right": right} for right in ([True, False], [False, True]))
    seen = [{"worst_input": leading}, {"worst_input": trailing}]
    table = tables.bounds([tiny(0), tiny(1)], seen, q=3, wrong_answers=100)
    assert table["gap D"].to_list() == [0.2, -0.2]
    assert table["k for 99 %"].to_list() == [461, "none: a wrong answer leads"]  # 50 ln(10,000) = 460.5


def test_votes_are_in_percent_per_run():
    worst = {"index": 0, "counts": [9, 1], "right": [True, False]}
    runs = [tiny(0), tiny(1), tiny(0, q=4), tiny(0, fixed=True)]
    table = tables.votes(runs, [{"worst_input": worst}] * 3 + [FIXED], q=3, wrong_answers=1)
    assert set(table["way"]) == {"majority(k)", "retry until valid", "bound of Proposition 2"}
    assert table.groupby(["way", "k"]).size().eq(2).all()
    retry = table[table["way"] == "retry until valid"].set_index("k")["value"]
    assert np.allclose(retry[2], 99)


def test_what_votes_and_larger_networks_cost():
    """In passes: k for k votes, and the ratio of the parameters for a larger network."""
    small, large = [tiny(k) for k in range(2)], [tiny(k, q=1, fixed=True) for k in range(2)]
    wide = [replace(run, network=replace(run.network, width=32)) for run in large]
    names = {"small": large[0].network, "wide": wide[0].network}
    table = tables.inference(small, evaluated(small), large + wide, evaluated(large + wide), names)
    votes = table[table["way"] == "votes"].groupby("measure")["cost"].agg(lambda costs: sorted(set(costs)))
    assert votes["95th percentile"] == [1, 5, 30]
    assert votes["worst input"][:4] == [1, 2, 5, 10]
    costs = table[table["way"] != "votes"].groupby("way")["cost"].unique()
    assert costs["small"] == [1]
    assert costs["wide"] == pytest.approx(wide[0].parameters / small[0].parameters)
    assert table.groupby(["way", "measure"])["run"].nunique().eq(2).all()
