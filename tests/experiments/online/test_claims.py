import pandas as pd

from randformer.experiments.online.claims import CLAIMS, Evidence
from randformer.report.claims import judge, judged

COLUMNS = ["problem", "answer", "q", "size", "measure", "value"]
RATIOS = {5: (1.5, 1.49, 1.8), 10: (1.6, 1.54, 1.9), 20: (1.6, 1.56, 1.95)}  # learned, randomized, deterministic
MEASURES = ("worst ratio", "randomized optimum", "deterministic optimum")
PAGING = {2: (1.6, 1.5), 3: (2.0, 1.8)}


def table(scale: float = 1.0) -> pd.DataFrame:
    """Two runs of each, equal; what is learned is that many times as bad."""
    rows = []
    for price, ratios in RATIOS.items():
        rows += [("skirental", "seed", 100, price, m, v) for m, v in zip(MEASURES, ratios, strict=True)]
        rows += [("skirental", "seed", 1, price, "seeds on the same day", 99)]
        rows += [("skirental", "seed", 1, price, "worst ratio", 1000), ("skirental", "sampled", 200, price, "x", 0)]
    for k, ratios in PAGING.items():
        rows += [("paging", "seed", 100, k, m, v) for m, v in zip(MEASURES, ratios, strict=False)]
    rows += [("paging", "seed", 100, k, "marked pages evicted", 4) for k in (2, 3, 4)]
    rows += [("long paging", a, 100, 3, "searched ratio", v) for a, v in (("seed", 2), ("LRU", 3), ("FIFO", 2.5))]
    rows += [("matching", "seed", 100, 6, "worst share matched", 60)]
    rows += [("equality", a, 100, 6, "worst error", v) for a, v in (("seed", 40), ("fixed seed", 100))]
    found = pd.DataFrame(rows, columns=COLUMNS)
    learned = found["measure"].isin(["worst ratio", "searched ratio", "worst error", "marked pages evicted"])
    found.loc[learned & (found["answer"] == "seed"), "value"] *= scale
    return pd.concat([found.assign(run=run) for run in range(2)])


def test_each_claim_looks_at_its_own_numbers():
    rows = {claim.id: judge(claim, Evidence(table())) for claim in CLAIMS}
    assert {name: row["ours"] for name, row in rows.items()} == {
        "O1": "0.7; 3.9; 2.6; -16.7; -15.8; -17.9",
        "O2": "99.0; 99.0; 99.0",
        "O3": "1.60; 2.00",
        "O4": "6.7",
        "O5": "0.50",
        "O6": "60.0",
        "O7": "60.0",
        "O8": "4.0; 4.0; 4.0",
    }
    assert {row["verdict"] for row in rows.values()} == {"replicated"}
    bad = {claim.id: judge(claim, Evidence(table(3.0)))["verdict"] for claim in CLAIMS}
    assert {name for name, verdict in bad.items() if verdict != "replicated"} == {"O1", "O3", "O4", "O5", "O7", "O8"}


def test_what_is_not_trained_has_no_verdict():
    trained = table()
    trained = trained[~trained["problem"].isin(["matching", "equality"])]
    assert [row["id"] for row in judged(CLAIMS, Evidence(trained), ())] == ["O1", "O2", "O3", "O4", "O5", "O8"]
