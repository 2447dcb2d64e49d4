import pandas as pd

from randformer.experiments.highway.claims import CLAIMS, Evidence
from randformer.report.claims import judge, judged

EXACT, HIGHWAY, FIXED = "backpropagation", "highway", "fixed point"


def scored(accuracies: dict) -> pd.DataFrame:
    """scores of {(task, way, k): accuracies of runs}."""
    rows = [(*at, run, value) for at, values in accuracies.items() for run, value in enumerate(values)]
    return pd.DataFrame(rows, columns=["task", "way", "k", "run", "accuracy"])


def compared(cosines: dict) -> pd.DataFrame:
    """cosines, of two runs and L = 16, of {(task, way, trained with): those at k = 0, 4 and 16 after training}."""
    rows = [
        (*at, run, 16, when, k, value if when == "after" else value * 0.99)
        for at, values in cosines.items()
        for run in range(2)
        for when in ("before", "after")
        for k, value in zip((0, 4, 16), values, strict=True)
    ]
    return pd.DataFrame(rows, columns=["task", "way", "trained with", "run", "L", "when", "k", "cosine"])


SCORES = {
    ("digits", EXACT, 16): [96, 97],
    ("digits", HIGHWAY, 4): [96, 96],
    ("digits", HIGHWAY, 1): [10, 10],
    ("adding", EXACT, 64): [99, 97],
    ("adding", HIGHWAY, 3): [98, 98],
    ("adding", FIXED, 3): [40, 50],
}
COSINES = {(task, EXACT, 16): (0.2, 0.97, 1) for task in ("digits", "adding", "pixels")}
COSINES |= {("digits", HIGHWAY, 4): (0.2, 0.96, 1), ("digits", HIGHWAY, 1): (0.1, 0.5, 1)}
DEPTHS = {"adding": 0.5, "digits": 1.9}


def rows(errors=(0.0, 1e-13), scores=SCORES, cosines=COSINES, depths=DEPTHS) -> dict[str, dict]:
    evidence = Evidence(list(errors), scored(scores), compared(cosines), depths)
    return {claim.id: judge(claim, evidence) for claim in CLAIMS}


def test_each_claim_looks_at_its_own_numbers():
    found = rows()
    assert {name: row["ours"] for name, row in found.items()} == {
        "H1": "0.0000000000000",
        "H2": "100.0; 0.970; 0.970; 0.970; 0.960",
        "H3": "0.5",
        "H4": "0.0; 53.0",
        "H5": "0.50; 1.90",
    }
    assert [row["verdict"] for row in found.values()] == [
        *("replicated", "replicated", "partly", "partly"),  # two runs of accuracy decide nothing
        "not replicated: contradicted",
    ]


def test_one_that_falls_short_is_seen():
    assert rows(errors=(0.0, 1e-3))["H1"]["verdict"] == "not replicated: contradicted"
    assert rows(cosines=COSINES | {("digits", EXACT, 16): (0.98, 0.97, 1)})["H2"]["ours"].startswith("80.0")
    pixels = rows(cosines=COSINES | {("pixels", EXACT, 16): (0.2, 0.9, 1)})["H2"]
    assert pixels["verdict"] == "not replicated: contradicted"
    near = rows(scores=SCORES | {("adding", FIXED, 3): [97.5, 97]})["H4"]
    assert near["verdict"] == "not replicated: not decided"
    assert rows(depths={"adding": 0.5, "digits": 0.5})["H5"]["verdict"] == "replicated"


def test_what_was_not_trained_has_no_row():
    evidence = Evidence(
        [0.0], scored({("digits", EXACT, 16): [96]}), compared({("digits", EXACT, 16): (0, 1, 1)}), DEPTHS
    )
    assert [row["id"] for row in judged(CLAIMS, evidence, [])] == ["H1", "H5"]
