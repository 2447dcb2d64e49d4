import pandas as pd
import pytest
import torch

from randformer.experiments.highway import findings, sweep
from randformer.experiments.highway.claims import CLAIMS
from randformer.harness import records, workers
from randformer.report.claims import judge


def every(trained) -> tuple[list, list]:
    return tuple([each for pair in trained.values() for each in pair[i]] for i in range(2))


def test_all_iterations_are_backpropagation():
    found = findings.errors()
    assert list(found) == ["residual MLP", "pre-norm transformer", "GRU", "LSTM"]
    for of in found.values():
        assert len(of) == findings.CHECKED[0] + 1
        assert of[-1] <= 1e-10 < of[0]
    told = findings.told_errors(found)
    assert told[findings.CHECKED[0]].tolist() == ["0"] * 4
    assert float(told[0].iloc[0]) == pytest.approx(found["residual MLP"][0], rel=0.5)


def test_stacks_are_checked_in_double_precision():
    for blocks, x, _ in findings.stacks(torch.Generator().manual_seed(0)).values():
        assert {x.dtype, *(p.dtype for p in blocks.parameters())} == {torch.float64}


def test_scores_and_cosines_have_a_row_for_each(trained):
    runs, seen = every(trained)
    table = findings.scores(runs, seen)
    assert len(table) == len(runs)
    assert table["accuracy"].between(0, 100).all()
    told = findings.told_scores(table)
    assert set(told["n"]) == {2}
    assert ("digits", "highway", 1) in told.index
    angles = findings.cosines(runs, seen)
    assert len(angles) == sum(2 * len(each["cosines"]["after"]["k"]) for each in seen)
    at_all = angles[angles["k"] == angles["L"]]
    assert at_all["cosine"].to_list() == pytest.approx([1] * len(at_all))
    assert findings.told_cosines(angles).loc[("adding", 8), "highway, after training"] == "1.000 [1.000, 1.000]"


def test_cosines_by_layer_are_means_over_exact_runs(trained):
    runs, seen = trained["digits"]
    table = findings.by_layer(runs, seen)
    assert len(table) == 2 * 4 * 4  # before and after, k = 0, 1, 2, 4, layers
    exact = [s for r, s in zip(runs, seen, strict=True) if r.way == "backpropagation"]
    first = sum(each["cosines"]["before"]["layers"][0][0] for each in exact) / len(exact)
    assert table["cosine"].iloc[0] == pytest.approx(first)


def test_costs_are_read_off_records():
    runs = sweep.runs("laptop")["digits"]
    table = findings.cost("laptop", runs).set_index(["way", "k"])
    assert table.loc[("backpropagation", 16), "one after another"] == 16
    assert table.loc[("highway", 4), "one after another"] == 30
    spent = [records.read_json(workers.folder("laptop", run) / "provenance.json")["cpu_seconds"] for run in runs]
    own = [s for s, run in zip(spent, runs, strict=True) if (run.way, run.k) == ("highway", 4)]
    mean = 1000 * sum(own) / len(own) / runs[0].steps
    assert table.loc[("highway", 4), "ms a step"] == pytest.approx(mean, abs=0.051)


def test_the_evidence_is_what_the_claims_look_at(trained):
    runs, seen = every(trained)
    table, angles = findings.scores(runs, seen), findings.cosines(runs, seen)
    evidence = findings.evidence({"a": [1.0, 0.5], "b": [2.0, 0.0]}, table, angles, sweep.runs("laptop"))
    assert evidence.errors == [0.5, 0.0]
    assert evidence.depths == {"digits": 30 / 16, "adding": 0.5}
    assert judge(CLAIMS[4], evidence)["ours"] == "0.50; 1.88"
    assert isinstance(evidence.scores, pd.DataFrame)
