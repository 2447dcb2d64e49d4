import re

import pandas as pd
import pytest

from helpers import evaluations as evaluated
from helpers import tiny, tiny_recall
from randformer.report import tables
from randformer.report.intervals import ANY

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


def test_rows_are_chosen_by_one_value_or_several(sweep):
    table = tables.tidy(*sweep)
    chosen = tables.chosen(table, q=10, answer=("A_R", "A_r0"), measure="average")
    assert sorted(zip(chosen["answer"], chosen["run"], strict=True)) == [
        ("A_R", 0),
        ("A_R", 1),
        ("A_r0", 0),
        ("A_r0", 1),
    ]
    assert set(chosen["q"]) == {10}
    assert tables.chosen(table).equals(table)


def test_a_summary_has_mean_interval_and_number_of_runs():
    runs = [tiny(k, fixed=True) for k in range(3)]
    table = tables.tidy(runs, evaluations(0.2, 0.3, 0.7))
    told = tables.summary(table[table["answer"] == "A_r0"], ["answer", "q"]).loc[("A_r0", 3.0)]
    assert told["n"] == 3
    assert told["average"] == "40.0 [0.0, 100.0]"  # Student's t alone says -25.7 to 105.7
    losses = table[table["measure"] == "loss, average"].assign(value=[0.2, 0.3, 0.7])
    assert tables.summary(losses, ["q"])["loss, average"].item() == "0.4 [0.0, 1.1]"
    steps = losses.assign(value=[20.0, 30, 70])
    assert tables.summary(steps, ["q"], spans={"loss, average": ANY})["loss, average"].item() == "40.0 [-25.7, 105.7]"
    assert tables.of_run(table, "A_r0", "average", 3.0) == pytest.approx([20, 30, 70])
    alone = tables.tidy(runs[:1], evaluations(0.2))
    assert tables.summary(alone[alone["answer"] == "A_r0"], ["q"]).loc[3.0, "average"] == "20.0"  # without an interval


def test_rows_can_be_labelled_and_chosen():
    runs = [tiny(k, fixed=True) for k in range(2)]
    table = tables.labelled(runs, evaluations(0.2, 0.4), lambda run: {"twice": 2 * run.run_index})
    assert table["twice"].eq(2 * table["run"]).all()
    assert table.drop(columns="twice").equals(tables.tidy(runs, evaluations(0.2, 0.4)))
    chosen = tables.chosen(table, answer="A_r0", measure=("average", "worst input"), run=1)
    assert chosen["value"].to_list() == [40, 0]
    assert len(tables.chosen(table, answer=[])) == 0
    assert tables.chosen(table).equals(table)


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
    assert values["A_R-parts(30)", "average"] == 100 * seen[0]["parts30"]["average"]
    for end, measure in tables.CELLS.items():
        assert values["A_R", measure] == 100 * seen[0]["cells"]["success"][end]
    assert values["A_R", "least recalled key"] <= values["A_R", "average"] <= values["A_R", "most recalled key"]
    assert tables.of_run(table, "A_r0", "variance", 3, N=4, m=1) == [0]
    with pytest.raises(tables.NotMeasured, match=r"variance of A_r0 at q = 3, N = 5"):
        tables.of_run(table, "A_r0", "variance", 3, N=5)
    shares = tables.histogram(runs, seen).groupby("answer")["share"].sum()
    assert shares.to_dict() == pytest.approx(dict.fromkeys(shares.index, 100))
    assert {"A_r0", "A_R", "A_R-majority(30)", "A_R-parts(5)"} < set(shares.index)


def test_an_extreme_over_points_is_taken_run_by_run():
    runs = [tiny(k, q=q, fixed=True) for q in (1, 2) for k in range(2)]
    table = tables.tidy(runs, evaluations(0.1, 0.4, 0.3, 0.2))
    assert tables.over_points(table, "A_r0", "average", [1, 2], max) == pytest.approx([30, 40])
    assert tables.over_points(table, "A_r0", "average", [1, 2], min) == pytest.approx([10, 20])
    with pytest.raises(tables.NotMeasured, match="at any q asked for"):
        tables.over_points(table, "A_r0", "average", [], min)


def test_a_table_is_shown_as_html_and_as_text_with_its_caption_and_without_row_numbers():
    table = pd.DataFrame({"way": ["a", "b"], "share": [1 / 3, 100.0], "n": [3, 5]}, index=[4, 7])
    html, text = tables.Shown(table, "percent")._repr_html_(), repr(tables.Shown(table, "percent"))
    assert "<caption>percent</caption>" in html
    assert re.findall(r"<td[^>]*>([^<]*)</td>", html) == ["a", "0.3333", "3", "b", "100", "5"]
    assert ">4<" not in html
    assert text.splitlines()[0] == "percent"
    assert not re.search(r"\b7\b", text)
    named = table.set_index("way")
    assert re.findall(r"row_heading[^>]*>([^<]*)<", tables.Shown(named, "percent")._repr_html_()) == ["a", "b"]
    by_q = pd.DataFrame({2.5: ["x"]}, index=pd.Index([10.0], name="q"))
    assert re.findall(r">(10|2.5)<", tables.Shown(by_q, "percent")._repr_html_()) == ["2.5", "10"]
    assert tables.Shown(named, "percent")._repr_html_() == tables.Shown(named.copy(), "percent")._repr_html_()


def test_a_table_that_is_too_long_to_read_is_not_shown():
    with pytest.raises(ValueError, match="26 rows are too many to show, 25 are the most: all runs"):
        tables.show(pd.DataFrame({"run": range(26)}), "all runs")
