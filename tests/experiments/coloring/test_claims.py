import pandas as pd

from randformer.experiments.coloring.claims import CLAIMS, Evidence
from randformer.report.claims import judge


def measured(at_0_fixed: tuple[float, ...] = (8, 12), **values: list[float]) -> Evidence:
    """The answers' 95th percentiles at q = 10, and 0 and "all or nothing" of A_R at q = 1; another q between.

    at_0_fixed: cycles at 0 [%] with the fixed seed at q = 10.
    """
    rows = [("A_R", "all or nothing", 1, run, value) for run, value in enumerate([99, 98])]
    rows += [("A_R", "95th percentile", 1, run, 0.0) for run in range(2)]
    rows += [("A_R", "95th percentile", 3, run, 7.0) for run in range(2)]
    names = {"one": "A_R", "vote": "A_R-majority(30)", "fixed": "A_r0", "sampled": "A_r0-sampled"}
    for name, per_run in values.items():
        rows += [(names[name], "95th percentile", 10, run, value) for run, value in enumerate(per_run)]
    for answer, at_0, worst in (("A_R", [0.0, 0.0], [38, 82]), ("A_r0", at_0_fixed, [0, 0])):
        rows += [(answer, "inputs at 0", 10, run, value) for run, value in enumerate(at_0)]
        rows += [(answer, "worst input", 10, run, value) for run, value in enumerate(worst)]
        rows += [(answer, "worst input", 1, run, 0.0) for run in range(2)]
    return Evidence(pd.DataFrame(rows, columns=["answer", "measure", "q", "run", "value"]))


def test_each_claim_looks_at_its_own_numbers():
    good = measured(one=[60, 80], vote=[99, 100], fixed=[0, 0], sampled=[3, 15])
    assert [judge(claim, good)["verdict"] for claim in CLAIMS] == ["partly"] * 6  # all hold, for two runs
    assert [judge(claim, good)["ours"] for claim in CLAIMS] == [
        *("98.5; 0.0", "70.0; 0.0", "99.5", "9.0"),
        *("0.0; 0.0; 0.0; 60.0", "10.0; 100.0; 0.0"),
    ]
    one_has_none = judge(CLAIMS[5], measured(at_0_fixed=(20, 0)))
    assert one_has_none["ours"] == "10.0; 50.0; 0.0"
    assert one_has_none["verdict"] == "not replicated: contradicted"
    bad = measured(one=[50, 80], vote=[90, 100], fixed=[0, 1], sampled=[3, 40])
    assert {judge(claim, bad)["verdict"] for claim in CLAIMS[1:4]} == {"not replicated: not decided"}
