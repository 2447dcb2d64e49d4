from dataclasses import replace

import pandas as pd
import pytest

from randformer.experiments.recall.claims import CLAIMS, Evidence, saved
from randformer.report.claims import VERDICTS, judge, judged

SIZE = {  # (answer, measure, q): values of two runs at the small and at the large N
    ("A_R", "variance", 1): ([1, 1], [0.001, 0.002]),
    ("A_R", "average", 1): ([90, 90], [55, 57]),
    ("A_r0", "average", 1): ([90, 90], [58, 58]),
    ("A_r0", "95th percentile", 1): ([0, 0], [0, 0]),
    ("A_r0", "95th percentile", 100): ([0, 0.02], [0, 0]),
    ("A_R", "95th percentile", 100): ([80, 80], [16, 20]),
    ("A_R-majority(5)", "95th percentile", 100): ([0, 0], [40, 60]),
    ("A_R-majority(30)", "95th percentile", 100): ([0, 0], [95, 99]),
    ("A_R", "average", 100): ([0, 0], [40, 42]),
    ("A_r0-sampled", "average", 100): ([0, 0], [5, 6]),
    ("A_R-probabilities(30)", "95th percentile", 100): ([0, 0], [94, 98]),
    ("A_R-parts(5)", "95th percentile", 100): ([92, 94], [41, 43]),
    ("A_R-parts(30)", "95th percentile", 100): ([99, 99], [91, 93]),
    ("A_R", "worst of cells", 100): ([9, 9], [14, 18]),
    ("A_r0", "worst of cells", 100): ([9, 9], [0, 0.02]),
}


def evidence() -> Evidence:
    size = [
        (answer, measure, q, n, run, value)
        for (answer, measure, q), both in SIZE.items()
        for n, values in zip((12, 20), both, strict=True)
        for run, value in enumerate(values)
    ]
    for n in (14, 16, 18):  # R9 alone looks there
        size += [(f"A_R-parts({k})", "95th percentile", 100, n, run, k + n) for k in (5, 30) for run in range(2)]
    size = pd.DataFrame(size, columns=["answer", "measure", "q", "N", "run", "value"])
    over_q = [("A_R", "variance", q, run, value) for q, value in ((1, 0), (4, 0.004), (8, 9), (32, 0.02), (100, 0.03))
              for run in range(2)]  # fmt: skip
    over_q = pd.DataFrame(over_q, columns=["answer", "measure", "q", "run", "value"])
    over_m = [("A_R", "loss, 95th percentile", 100, m, run, value) for m, value in ((1, 0.5), (5, 0.1), (20, 0.3))
              for run in range(2)]  # fmt: skip
    over_m = pd.DataFrame(over_m, columns=["answer", "measure", "q", "m", "run", "value"])
    return Evidence(size, over_q, over_m, 100.0, (12, 20), (1, 20))


def test_each_claim_looks_at_its_own_numbers():
    rows = {claim.id: judge(claim, evidence()) for claim in CLAIMS}
    assert {name: row["ours"] for name, row in rows.items()} == {
        "R1": "0.0015; -2.0",
        "R2": "0.0; 0.0; 0.0; 0.0",
        "R3": "18.0",
        "R4": "97.0; 32.0; 47.0",
        "R5": "0.0040; 0.0200",
        "R6": "40.0",
        "R7": "35.5",
        "R8": "96.0",
        "R9": "3.0; -56.0; -34.0; -32.0; -8.0; 99.0; 44.0; 46.0; 48.0; 92.0",  # 19 - 75, 21 - 55, 23 - 55
        "R10": "0.0; 16.0",
    }
    surely = ("R5", "R6", "R7")  # of those that hold for the mean of two runs: all but R9
    expected = {name: "replicated" if name in surely else "partly" for name in rows} | {"R9": VERDICTS[3]}
    assert {name: row["verdict"] for name, row in rows.items()} == expected


def test_what_seeds_save_can_be_asked_of_any_sweep():
    at = evidence()
    twice = at.over_m.assign(value=at.over_m["value"] ** 2, N=15)
    assert saved(twice, at, N=15) == pytest.approx([64, 64])


def test_what_was_not_trained_is_not_judged():
    """R9 asks for all its N, R5 for a small and a large q of random seeds."""
    seen = evidence()
    lacking = replace(seen, size=seen.size[seen.size["N"] != 14], over_q=seen.over_q[seen.over_q["q"] > 4])
    assert {claim.id for claim in CLAIMS} - {row["id"] for row in judged(CLAIMS, lacking, [])} == {"R5", "R9"}
