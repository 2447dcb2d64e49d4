import subprocess
import sys
from dataclasses import replace
from operator import itemgetter

import pandas as pd
import pytest

from helpers import tiny
from randformer import __main__ as runner
from randformer.core.runs import changed
from randformer.experiments import registry
from randformer.harness.checks import BadInput
from randformer.report import claims
from randformer.report.claims import COLUMNS, VERDICTS, Claim, Condition, judge
from randformer.report.intervals import ANY
from randformer.report.tables import NotMeasured

AT_LEAST_60 = Claim("X", "a claim", "70", "at least 60", (Condition(itemgetter("a"), ">=", 60),), "n.ipynb")
BOTH = Claim(
    "Y",
    "two",
    "70; 0",
    "a >= 60, b = 0",
    (Condition(itemgetter("a"), ">=", 60), Condition(itemgetter("b"), "==", 0)),
    "n.ipynb",
)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([66, 67, 68], "replicated"),
        ([50, 65, 70], "partly"),
        ([50, 55, 70], "not replicated: not decided"),
        ([50, 51, 52], "not replicated: contradicted"),
        ([60] * 3, "replicated"),
    ],
)
def test_the_unfavourable_end_of_the_interval_decides(values, verdict):
    assert judge(AT_LEAST_60, {"a": values})["verdict"] == verdict


def test_the_weakest_condition_decides():
    assert judge(BOTH, {"a": [74, 75, 76], "b": [0, 0]})["verdict"] == "partly"  # two runs at 0 may hide a third
    assert judge(BOTH, {"a": [74, 75, 76], "b": [0] * 50 + [0.01]})["verdict"] == "replicated"
    row = judge(BOTH, {"a": [74, 75, 76], "b": [0, 100]})
    assert row["verdict"] == "not replicated: contradicted"  # there is one run at 100, so not all are at 0
    assert (row["ours"], row["low"], row["high"], row["n_runs"]) == ("75.0; 50.0", "72.5; 1.3", "77.5; 98.7", "3; 2")


def test_at_most_is_judged_by_the_upper_end():
    claim = Claim("Z", "", "", "", (Condition(itemgetter("a"), "<=", 15),), "")
    assert judge(claim, {"a": [1, 2, 3]})["verdict"] == "replicated"
    assert judge(claim, {"a": [0, 1, 40]})["verdict"] == "partly"


def test_strict_bounds_and_digits():
    claim = Claim("Z", "", "", "", (Condition(itemgetter("a"), "<", 0.005, 4), Condition(itemgetter("b"), ">", 0)), "")
    row = judge(claim, {"a": [0.0014, 0.0016], "b": [1.45, 1.55]})
    assert (row["verdict"], row["ours"]) == ("replicated", "0.0015; 1.5")
    assert judge(claim, {"a": [0.005, 0.005], "b": [1, 2]})["verdict"] == "not replicated: contradicted"
    assert judge(claim, {"a": [0.001, 0.002], "b": [0, 2]})["verdict"] == "partly"


def test_within_a_bound_on_both_sides():
    claim = Claim("Z", "", "", "", (Condition(itemgetter("a"), "within", 5, span=ANY),), "")
    assert judge(claim, {"a": [-1, 1, 0]})["verdict"] == "replicated"
    assert judge(claim, {"a": [-6, 4]})["verdict"] == "partly"
    assert judge(claim, {"a": [-6, -7]})["verdict"] == "not replicated: not decided"
    assert judge(claim, {"a": [-6.5, -6.6]})["verdict"] == "not replicated: contradicted"
    assert judge(claim, {"a": [-60, 80]})["verdict"] == "not replicated: not decided"


def test_equal_means_equal_as_reported():
    """A percentile that is a mean over thousands of inputs on 100 seeds is 0 to 0.1 points, hardly ever exactly."""
    assert Condition(itemgetter("a"), "==", 0).holds(0.04)
    assert not Condition(itemgetter("a"), "==", 0).holds(0.06)


def test_one_run_is_no_replication():
    """Its interval is unknown: nan satisfies no rule."""
    assert judge(AT_LEAST_60, {"a": [99]})["verdict"] == "partly"


def test_a_claim_without_its_measurement_is_an_error():
    with pytest.raises(KeyError, match="b"):
        judge(BOTH, {"a": [70]})


def test_rows_are_stored_beside_those_of_other_notebooks(monkeypatch, tmp_path):
    monkeypatch.setattr(claims, "ROOT", tmp_path)
    later = replace(AT_LEAST_60, id="Z", notebook="o.ipynb")
    claims.store("laptop", [later], {"a": [99.0, 99.5]})
    shown = claims.store("laptop", [AT_LEAST_60, BOTH], {"a": [70, 71], "b": [0, 0]})
    assert shown[["id", "asked", "ours", "verdict"]].to_numpy().tolist() == [
        ["X", ">= 60", "70.5", "replicated"],
        ["Y", ">= 60", "70.5", "partly"],
        ["Y", "== 0", "0.0", "partly"],
    ]
    table = claims.read("laptop")
    assert table.columns.to_list() == COLUMNS
    assert table["id"].to_list() == ["X", "Y", "Z"]
    assert table["trained"].to_list() == [""] * 3
    shown = claims.store("laptop", [later], {"a": [1.0, 2.0]})
    assert shown["verdict"].to_list() == ["not replicated: contradicted"]
    assert claims.read("laptop")["verdict"].to_list() == ["replicated", "partly", "not replicated: contradicted"]


def test_a_claim_without_its_points_has_no_row_and_the_others_say_how_they_were_trained(monkeypatch, tmp_path):
    def lacking(evidence):
        raise NotMeasured("at q = 9")

    monkeypatch.setattr(claims, "ROOT", tmp_path)
    claims.store("paper", [BOTH], {"a": [70, 71], "b": [0, 0]})
    later = replace(BOTH, conditions=(BOTH.conditions[0], Condition(lacking, "==", 0)))
    runs = [tiny(0), changed(tiny(0), {"training": {"steps": 7, "batch": 3}})]
    shown = claims.store("paper", [AT_LEAST_60, later], {"a": [70, 71]}, runs)
    assert shown["id"].to_list() == claims.read("paper")["id"].to_list() == ["X"]
    base = tiny(0).training  # all numbers are below 1,000
    steps, inputs = (" to ".join(map(str, sorted(pair))) for pair in ((7, base.steps), (3, base.batch)))
    assert claims.read("paper")["trained"].to_list() == [f"{steps} steps of {inputs} inputs"]


WRITER = """
import sys
from pathlib import Path
from randformer.report import claims
claims.ROOT = Path(sys.argv[1])
one = claims.Condition(lambda seen: seen, ">=", 0)
for i in range(20):
    claims.store("laptop", [claims.Claim(f"{sys.argv[2]}{i}", "", "", "", (one,), f"{sys.argv[2]}{i}.ipynb")], [1, 2])
"""


def test_two_processes_at_once_lose_no_row(tmp_path, monkeypatch):
    both = [subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, name]) for name in "ab"]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    monkeypatch.setattr(claims, "ROOT", tmp_path)
    assert sorted(claims.read("laptop")["id"]) == sorted(f"{name}{i}" for name in "ab" for i in range(20))


@pytest.mark.parametrize("harm", ["edited", "without its checksum", "with another's checksum"])
def test_a_table_that_a_person_changed_is_told_and_kept_out_of_the_readme(monkeypatch, tmp_path, harm):
    monkeypatch.setattr(claims, "ROOT", tmp_path)
    claims.store("laptop", [AT_LEAST_60], {"a": [1, 2]})
    table, checksum = claims.places("laptop")
    if harm == "edited":
        better = table.read_text(encoding="utf-8").replace("not replicated: contradicted", "replicated")
        table.write_text(better, encoding="utf-8")
    elif harm == "without its checksum":
        checksum.unlink()
    else:
        checksum.write_text("0" * 64 + "  claims.csv\n", encoding="utf-8")
    before = table.read_bytes()
    monkeypatch.setattr(runner, "ROOT", tmp_path)  # where no README is to be written
    ways = {
        "read": lambda: claims.read("laptop"),
        "another notebook": lambda: claims.store("laptop", [BOTH], {"a": [1, 2], "b": [0, 0]}),
        "README": lambda: runner.verdicts("laptop", whole=True),
    }
    for act in ways.values():
        with pytest.raises(BadInput, match=r"claims\.csv was changed, claims\.sha256 is not of it: delete it"):
            act()
    assert table.read_bytes() == before


@pytest.mark.parametrize("writes", [1, 2, 3])
def test_a_writer_killed_at_any_moment_leaves_a_table_that_is_read(monkeypatch, tmp_path, writes):
    """Between the table and its checksum, too."""
    monkeypatch.setattr(claims, "ROOT", tmp_path)
    claims.store("laptop", [AT_LEAST_60], {"a": [1, 2]})
    write_bytes, done = claims.write_bytes, []

    def killed(*given):
        done.append(given)
        if len(done) == writes:
            raise KeyboardInterrupt
        write_bytes(*given)

    monkeypatch.setattr(claims, "write_bytes", killed)
    with pytest.raises(KeyboardInterrupt):
        claims.store("laptop", [AT_LEAST_60], {"a": [99, 98]})
    monkeypatch.setattr(claims, "write_bytes", write_bytes)
    assert claims.read("laptop")["verdict"].to_list() == [VERDICTS[3] if writes < 3 else VERDICTS[0]]
    claims.store("laptop", [AT_LEAST_60], {"a": [99, 98]})
    assert len(claims.places("laptop")[1].read_text(encoding="utf-8").splitlines()) == 1


def test_a_bound_stands_once():
    """The rule says what the condition has."""
    claim = replace(AT_LEAST_60, wording="median {0}, {0:words} points")
    assert claim.rule == "median >= 60, at least 60 points"
    stricter = replace(claim, conditions=(replace(claim.conditions[0], bound=70.5),))
    assert stricter.rule == "median >= 70.5, at least 70.5 points"


def test_every_bound_of_every_claim_stands_in_its_rule():
    for claim in registry.claims().values():
        bounds = {f"{condition.bound:g}" for condition in claim.conditions if condition.bound not in (0, 100)}
        assert all(bound in claim.rule for bound in bounds), claim.id


@pytest.mark.parametrize("text", ["", "id,claim\nC1,x\n", "\x00\x01"])
def test_a_damaged_table_is_told(monkeypatch, tmp_path, text):
    monkeypatch.setattr(claims, "ROOT", tmp_path)
    (tmp_path / "figures" / "laptop").mkdir(parents=True)
    (tmp_path / "figures" / "laptop" / "claims.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"claims\.csv is damaged: delete it"):
        claims.read("laptop")


def test_claims_that_were_added_stand_apart():
    later = replace(BOTH, id="Z9", added="2026-11-26")
    shown = pd.DataFrame({"id": [AT_LEAST_60.id, "Z9", "Z9"], "ours": ["1", "2", "3"]})
    first, added = claims.editions(shown, [AT_LEAST_60, later])
    assert (first["ours"].to_list(), added["ours"].to_list()) == (["1"], ["2", "3"])
