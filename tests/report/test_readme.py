from types import SimpleNamespace

import pandas as pd
import pytest

from helpers import ROOT
from randformer.experiments import registry
from randformer.harness.checks import BadInput
from randformer.report import claims, readme
from randformer.report.claims import COLUMNS

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_shows_every_claim_with_both_verdicts():
    """README's tables are generated: ./run_all.sh writes them."""
    judged = {profile: claims.read(profile) for profile in readme.SIZES}
    assert readme.with_table(README, "claims", readme.claims_table(registry.experiments().values(), judged)) == README
    assert list(judged["laptop"]["id"]) == list(registry.claims())


def test_the_readme_shows_every_notebook_of_the_library():
    table = readme.notebooks_table(registry.experiments().values())
    assert readme.with_table(README, "notebooks", table) == README
    assert table.count("\n") == 1 + len(registry.experiments())


@pytest.mark.parametrize("name", readme.MARKS)
def test_a_readme_without_a_place_for_a_table_is_told(name):
    with pytest.raises(BadInput, match=rf"README\.md needs the two lines .*its table of {name} goes between"):
        readme.with_table("# Something else", name, "")


def test_a_claim_of_two_conditions_has_two_intervals_and_one_that_was_not_judged_says_so():
    row = {"ours": "75.0; 0.0", "low": "70.0; 0.0", "high": "80.0; 0.0", "n_runs": "2", "verdict": "partly"}
    laptop = pd.DataFrame([dict.fromkeys(COLUMNS, "x") | row | {"id": "X1", "trained": "9 steps of 4 inputs"}])
    claim = claims.Claim("X1", "a claim", "70", "a rule", (), "n.ipynb")
    shown = [SimpleNamespace(claims=(claim,))]
    lines = readme.claims_table(shown, {"laptop": laptop, "paper": laptop.iloc[:0]}).splitlines()
    assert lines[2] == (
        "| [X1](notebooks/n.ipynb) | a rule | 70 "
        "| 75.0 [70.0, 80.0]; 0.0 [0.0, 0.0], n = 2 | partly | not trained yet |  |"
    )
    assert lines[-1] == "| X1 to X1 | 9 steps of 4 inputs |  |"
    solved = laptop.assign(trained="")  # and not trained at any size
    assert (
        readme.claims_table(shown, {"laptop": solved, "paper": laptop.iloc[:0]})
        .splitlines()[2]
        .endswith("| partly |  |  |")
    )
    assert len({line.count("|") for line in lines[:3]}) == 1
