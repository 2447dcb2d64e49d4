import pandas as pd
import pytest

from helpers import ROOT
from randformer.experiments import registry
from randformer.harness.checks import BadInput
from randformer.report import claims, readme
from randformer.report.claims import COLUMNS

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_shows_the_laptop_claims():
    """README's tables are generated: ./run_all.sh writes them."""
    assert readme.with_table(README, "claims", readme.claims_table(claims.read("laptop"))) == README


def test_the_readme_shows_every_notebook_of_the_library():
    table = readme.notebooks_table(registry.experiments().values())
    assert readme.with_table(README, "notebooks", table) == README
    assert table.count("\n") == 1 + len(registry.experiments())


@pytest.mark.parametrize("name", readme.MARKS)
def test_a_readme_without_a_place_for_a_table_is_told(name):
    with pytest.raises(BadInput, match=rf"README\.md needs the two lines .*its table of {name} goes between"):
        readme.with_table("# Something else", name, "")


def test_a_claim_of_two_conditions_has_two_intervals():
    row = dict.fromkeys(COLUMNS, "x") | {"ours": "75.0; 0.0", "low": "70.0; 0.0", "high": "80.0; 0.0", "n_runs": "2"}
    lines = readme.claims_table(pd.DataFrame([row])).splitlines()
    assert len(lines) == 3
    assert "75.0 [70.0, 80.0]; 0.0 [0.0, 0.0], n = 2 | x |" in lines[2]
