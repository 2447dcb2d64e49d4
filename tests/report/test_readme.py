from types import SimpleNamespace

import pandas as pd
import pytest

from clones import ROOT
from randformer.experiments import registry
from randformer.harness.checks import BadInput
from randformer.report import claims, readme
from randformer.report.claims import COLUMNS, VERDICTS, Condition


def judged_now() -> readme.Judged:
    return readme.Judged(registry.experiments().values(), {profile: claims.read(profile) for profile in readme.SIZES})


def test_the_pages_show_every_claim_and_notebook_as_they_are_now():
    """What is generated in them, ./run_all.sh writes."""
    for page, text in readme.pages(ROOT, judged_now()):
        assert page.read_text(encoding="utf-8") == text, page
    assert list(claims.read("laptop")["id"]) == list(registry.claims())


def test_a_verdict_in_the_readme_has_its_rule_on_the_other_page():
    judged = judged_now()
    for claim in judged.claims:
        row = next(line for line in judged.verdicts().splitlines() if line.startswith(f"| {claim.id} |"))
        rule = next(line for line in judged.rules().splitlines() if line.startswith(f"| [{claim.id}]"))
        assert claim.claim in row
        assert claim.rule in rule
    assert sum(judged.counts("laptop").values()) == len(judged.claims)


@pytest.mark.parametrize(("page", "part"), [(page, part) for page, parts in readme.PAGES.items() for part in parts])
def test_a_page_without_a_place_for_a_part_is_told(page, part, tmp_path):
    for name, parts in readme.PAGES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        lines = [mark for each in parts for mark in readme.ends(each) if (name, each) != (page, part)]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(BadInput, match=rf"{page} needs the two lines .*its {part} go between them"):
        list(readme.pages(tmp_path, judged_now()))


CLAIM = claims.Claim(
    "X1", "a claim", "70", "a rule", (Condition(list, ">=", 70), Condition(list, "==", 0, unit="steps")), "n.ipynb"
)
ROW = {"ours": "75.0; 0.0", "low": "70.0; 0.0", "high": "80.0; 0.0", "n_runs": "2", "verdict": "partly"}
LAPTOP = pd.DataFrame([dict.fromkeys(COLUMNS, "x") | ROW | {"id": "X1", "trained": "9 steps of 4 inputs"}])


def judged_of(laptop: pd.DataFrame, paper: pd.DataFrame) -> readme.Judged:
    return readme.Judged([SimpleNamespace(claims=(CLAIM,))], {"laptop": laptop, "paper": paper})


def test_a_claim_of_two_conditions_has_two_intervals_and_one_that_was_not_judged_says_so():
    lines = judged_of(LAPTOP, LAPTOP.iloc[:0]).rules().splitlines()
    assert lines[2] == (
        "| [X1](../notebooks/n.ipynb) | a rule | 70 "
        "| 75.0 [70.0, 80.0]; 0.0 [0.0, 0.0], n = 2 | partly | not trained yet |  |"
    )
    assert lines[-1] == "| X1 to X1 | 9 steps of 4 inputs |  |"
    solved = LAPTOP.assign(trained="")  # and not trained at any size
    assert judged_of(solved, LAPTOP.iloc[:0]).rules().splitlines()[2].endswith("| partly |  |  |")
    assert len({line.count("|") for line in lines[:3]}) == 1


def test_the_readme_has_numbers_with_units_of_the_longest_training_and_a_mark_for_each_size():
    longer = LAPTOP.assign(ours="80.0; 0.0", verdict="replicated")
    lines = judged_of(LAPTOP, longer).verdicts().splitlines()
    title = "| X1 | [a claim](notebooks/n.ipynb) | 70 "
    assert lines[2] == title + "| 80.0 %; 0.0 steps | ◐ partly | ✔ replicated |"
    assert (
        judged_of(LAPTOP, longer.iloc[:0]).verdicts().splitlines()[2] == title + "| 75.0 %; 0.0 steps | ◐ partly |  |"
    )


def test_the_summary_counts_the_verdicts():
    told = judged_of(LAPTOP, LAPTOP.assign(verdict=VERDICTS[0])).summary()
    assert told.startswith("**0 of 1 claims hold** at the size")
    assert "(1 partly, 0 not decided, 0 contradicted)" in told
    assert "At the paper's own size 1 of the 1 judged so far" in told
    assert "own size" not in judged_of(LAPTOP, LAPTOP.iloc[:0]).summary()
