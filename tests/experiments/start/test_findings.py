import pandas as pd

from randformer.experiments import registry
from randformer.experiments.start import findings


def test_every_rule_of_the_first_edition_is_told_in_words():
    table = findings.rules(registry.claims().values())
    assert table["id"].is_unique
    assert len(table) == 18
    assert list(table.columns) == ["id", "claim", "replicated if", "notebook"]
    assert table.set_index("id")["replicated if"]["C4"] == "q = 10: A_r0-sampled 95th percentile <= 15 %"


def test_a_row_for_each_way_of_answering():
    rows = [("A_R", "average", 56.66), ("A_R", "loss, average", 0.1), ("A_r0", "average", 85.0)]
    table = findings.one_run_each(pd.DataFrame(rows, columns=["answer", "measure", "value"]))
    assert table["average"].to_dict() == {"A_R": 56.7, "A_r0": 85}
    assert list(table.columns) == ["average"]


def test_what_was_seen_is_said_of_the_right_model():
    fixed = {"success": {"worst": 0.0}}
    randomized = {"success": {"zero_share": 0.0, "average": 0.5}, "majority30": {"average": 0.4}}
    assert list(findings.observed(fixed, randomized).values()) == [True, False, False]
    never = {"success": {"zero_share": 0.1, "average": 0.5}, "majority30": {"average": 0.6}}
    assert list(findings.observed({"success": {"worst": 0.1}}, never).values()) == [False, True, True]
