import pandas as pd
import pytest
import torch

from helpers import evaluations, tiny
from randformer.core.runs import changed
from randformer.experiments.coloring import findings
from randformer.experiments.coloring.sweep import ABLATIONS, CANDIDATES, OPEN
from randformer.experiments.coloring.sweep import runs as declared
from randformer.report import tables


def test_the_sizes_are_told_and_the_ends_of_a_sweep(sweep):
    runs, _ = sweep
    assert findings.told_sizes("smoke", runs).startswith(
        "smoke profile: cycles on 6 vertices, 20 steps, batch 16, m = 3"
    )
    assert findings.ends(runs) == (1, 10)


def test_success_and_losses_are_all_there_is(sweep):
    table = tables.tidy(*sweep)
    success, loss = findings.success_and_loss(table)
    assert len(success) + len(loss) == len(table)
    assert set(loss["measure"]) == {"loss, average", "loss, 95th percentile"}


def test_some_qs_are_the_smallest_the_middle_and_the_largest():
    index = pd.MultiIndex.from_product(
        [["A_R", "A_R-parts(5)", "A_r0"], [1.0, 2.0, 4.0, 8.0, 10.0]], names=["answer", "q"]
    )
    shown = findings.some_qs(pd.DataFrame({"average": range(15)}, index=index))
    assert shown.index.to_list() == [(answer, q) for answer in ("A_R", "A_r0") for q in (1, 4, 10)]


def test_the_spread_is_of_the_randomized_model_and_adds_up(sweep):
    runs, seen = sweep
    table = findings.spread(tables.histogram(runs, seen), runs)
    assert table["n"].to_dict() == {1: 2, 10: 2}
    assert table.drop(columns="n").sum(axis=1).to_list() == pytest.approx([100, 100], abs=0.3)


def test_a_model_is_shown_on_its_worst_cycle():
    run = tiny()
    (seen,) = evaluations([run])
    parameters = torch.zeros(1, run.parameters)  # says the same of every vertex
    found = findings.on_the_worst_cycle(run, {"parameters": parameters}, seen)
    assert sorted(found.walk) == list(range(6))
    assert found.colorings == [[0] * 6] * 8
    right = sum(c for c, r in zip(seen["worst_input"]["counts"], seen["worst_input"]["right"], strict=True) if r)
    assert found.share == pytest.approx(right / found.seeds)
    assert ": 1 different colourings of 8; valid under" in str(found)
    table = findings.colorings(found.walk, found.colorings)
    assert table["vertex"].to_list() == found.walk
    assert len(table.columns) == 9


def test_votes_are_in_percent_per_run():
    worst = {"index": 0, "counts": [9, 1], "right": [True, False]}
    runs = [tiny(0), tiny(1), tiny(0, q=4), tiny(0, fixed=True)]
    table = findings.votes(runs, [{"worst_input": worst}] * 3 + [{}], q=3, wrong_answers=1)
    assert set(table["way"]) == {"majority(k)", "retry until valid", "bound of Proposition 2"}
    assert table.groupby(["way", "k"]).size().eq(2).all()
    retry = table[table["way"] == "retry until valid"].set_index("k")["value"]
    assert retry[2].to_list() == pytest.approx([99, 99])
    told = findings.votes_by_k(table)
    assert told.loc[2, "retry until valid"] == "99.0 [99.0, 99.0]"
    assert told["n"].eq(2).all()
    assert findings.first_randomized(runs, 4) == runs[2]


def test_run_by_run_the_rules_ask_for_fewer_points(sweep):
    runs, seen = sweep
    success, _ = findings.success_and_loss(tables.tidy(runs, seen))
    table = findings.by_run(success, (1, 10))
    assert list(table.columns) == ["run 0", "run 1"]
    first = tables.of_run(success, "A_R", "average", 10)
    assert table.loc["A_R", 10, "average"].to_list() == [round(value, 1) for value in first]
    points = set(findings.in_the_rules(table).index.droplevel("measure"))
    assert points == {("A_R", 1), ("A_R", 10), ("A_R-majority(30)", 10), ("A_r0", 10), ("A_r0-sampled", 10)}


def test_the_block_closest_to_the_papers_capacity_comes_first():
    runs = [run for run in declared("smoke")["calibration"] if run.network in list(CANDIDATES.values())[:2]]
    shares = [0.99, 0.97, 0.88, 0.92]
    seen = [{"success": {"average": share, "zero_share": 1 - share}, "loss": {}, "histogram": [1], "inputs": 1}
            for share in shares]  # fmt: skip
    table = findings.calibration(runs, seen)
    assert list(table.index) == ["linear, no embedding", "linear"]
    assert table["off 89.5 by"].to_list() == [0.5, 8.5]
    assert table["parameters"].to_dict() == {
        "linear": runs[0].parameters, "linear, no embedding": runs[2].parameters
    }  # fmt: skip
    assert findings.taken() in CANDIDATES


def test_an_ablation_begins_with_the_model_itself(sweep):
    runs, seen = sweep
    base = findings.first_randomized(runs, 10)
    after = [changed(base, change) for change in ABLATIONS.values()]
    told = findings.ablation(base, tables.tidy(runs, seen), after, [seen[runs.index(base)]] * len(after))
    assert list(dict.fromkeys(told.index.get_level_values("change"))) == ["none", *ABLATIONS]
    assert told.loc[("none", "A_R"), "n"] == 2
    assert told.loc["none", "worst input"].ne("").all()


def test_each_way_to_train_has_its_runs_side_by_side():
    runs = declared("smoke")["open"]
    seen = [
        {
            "inputs": 60,
            "success": {"average": 0.5, "zero_share": 0.01 * i},
            "sampled": {"percentile95": 0.03 * i},
            "histogram": [1] * 101,
            "loss": {},
        }
        for i in range(len(runs))
    ]
    table = findings.otherwise(runs, seen)
    assert table.index.to_list() == [(m, way) for m in ("cycles at 0", "sampled, 95th percentile") for way in OPEN]
    assert table["n"].to_list() == [2] * 2 * len(OPEN)
    assert table[["run 0", "run 1"]].to_numpy()[: len(OPEN)].ravel().tolist() == list(range(12))
    assert table["run 1"].iloc[-1] == 33
    assert table["mean"].iloc[-1].startswith("31.5 [")
