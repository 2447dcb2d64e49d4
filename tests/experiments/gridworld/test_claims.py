from math import inf

import pandas as pd
import pytest

from randformer.experiments.gridworld.claims import CLAIMS, Evidence
from randformer.report.claims import judge

MODELS = {  # of two runs: on the average, on the worst cell
    "worst cell": ([30, 40], [21, 28]),
    "average": ([20, 20], [21, 23]),
    "shortest ways": ([50, 50], [90, 100]),
    "largest first visit": ([25, 25], [20, 18]),
    "on the same walk": ([95, 100], [10, 10]),
}


def table(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["measure", "q", "m", "run", "value"]).assign(answer="A_R")


def test_each_claim_looks_at_its_own_numbers():
    models = [
        (measure, q, 10, run, value)
        for measure, both in MODELS.items()
        for q, values in zip((1, inf), both, strict=True)
        for run, value in enumerate(values)
    ]
    over_m = [("average", inf, m, run, value) for m, value in ((1, 28), (10, 20), (20, 10)) for run in range(2)]
    evidence = Evidence(table(models), table(over_m), 10)
    rows = {claim.id: judge(claim, evidence) for claim in CLAIMS}
    assert {name: row["ours"] for name, row in rows.items()} == {
        "G1": "30.0",
        "G2": "10.0",
        "G3": "40.0",
        "G4": "95.0",
        "G5": "19.0; 97.5",
    }
    surely = ("G1", "G3")  # of the five that hold for the mean of two runs
    assert [row["verdict"] for row in rows.values()] == ["replicated" if name in surely else "partly" for name in rows]
    assert evidence.with_seeds("average", 20) == pytest.approx([10, 10])
