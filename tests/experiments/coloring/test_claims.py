import pandas as pd

from randformer.experiments.coloring.claims import CLAIMS, Evidence
from randformer.report.claims import judge


def measured(**values: list[float]) -> Evidence:
    """The answers' 95th percentiles at q = 10, and 0 and "all or nothing" of A_R at q = 1; another q between."""
    rows = [("A_R", "all or nothing", 1, run, value) for run, value in enumerate([99, 98])]
    rows += [("A_R", "95th percentile", 1, run, 0.0) for run in range(2)]
    rows += [("A_R", "95th percentile", 3, run, 7.0) for run in range(2)]
    names = {"one": "A_R", "vote": "A_R-majority(30)", "fixed": "A_r0", "sampled": "A_r0-sampled"}
    for name, per_run in values.items():
        rows += [(names[name], "95th percentile", 10, run, value) for run, value in enumerate(per_run)]
    return Evidence(pd.DataFrame(rows, columns=["answer", "measure", "q", "run", "value"]))


def test_each_claim_looks_at_its_own_numbers():
    good = measured(one=[60, 80], vote=[99, 100], fixed=[0, 0], sampled=[3, 15])
    assert [judge(claim, good)["verdict"] for claim in CLAIMS] == ["partly"] * 4  # all hold, for two runs
    assert [judge(claim, good)["ours"] for claim in CLAIMS] == ["98.5; 0.0", "70.0; 0.0", "99.5", "9.0"]
    bad = measured(one=[50, 80], vote=[90, 100], fixed=[0, 1], sampled=[3, 40])
    assert {judge(claim, bad)["verdict"] for claim in CLAIMS[1:]} == {"not replicated: not decided"}
