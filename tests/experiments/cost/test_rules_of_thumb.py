import pandas as pd
import pytest

from randformer.experiments.cost import rules_of_thumb as rules
from randformer.experiments.cost.sweep import SIZES


def sweep(values: dict) -> pd.DataFrame:
    return pd.DataFrame([{"x": x, "value": v} for x, runs in values.items() for v in runs])


def test_the_best_is_the_largest_mean_and_the_smaller_of_equals():
    assert rules.best(sweep({1: [0, 10], 3: [8, 8], 10: [7, 9]})) == 3


def test_enough_is_where_it_stays_close_to_the_best():
    """A lucky point before a bad one does not count."""
    assert rules.enough(sweep({1: [95], 3: [20], 10: [91], 30: [100], 100: [92]})) == 10
    assert rules.enough(sweep({1: [95], 3: [100]})) == 1


def test_the_distance_to_the_best_has_an_interval_over_runs():
    table = sweep({1: [50, 50, 50], 10: [80, 90, 100]})
    assert rules.behind(table, 10) == (0, 0, 0)
    distance, low, high = rules.behind(table, 1)
    assert distance == 40
    assert 30 <= low < 40 < high <= 50


@pytest.mark.parametrize(("x", "taken"), [(3, 1), (4, 10), (31, 10), (32, 100), (1000, 100)])
def test_an_x_that_was_not_tried_stands_for_the_closest(x, taken):
    table = sweep({1: [1, 2], 10: [30, 40], 100: [5, 6]})
    assert rules.behind(table, x) == rules.behind(table, taken)


def test_a_rule_is_read_off_the_small_size_and_tried_on_the_large_one():
    small, large = sweep({1: [10], 10: [90], 100: [95]}), sweep({1: [80], 10: [60], 100: [20]})
    both = pd.concat([small.assign(N=8), large.assign(N=10)])
    row = rules.tried(both, rules.enough, (8, 10))
    assert row["says"] == "10"
    assert row["best there"] == "1"
    assert row["points lost"].startswith("20.0 [")


def test_the_table_has_both_rules_on_each_task():
    points = sweep({1: [10, 10], 10: [90, 90]}).assign(answer="A_R", measure="95th percentile", experiment="coloring")
    both = pd.concat([points.assign(N=8), points.assign(N=10)])
    both["m"] = both["q"] = both.pop("x")
    table = rules.table(both, both, SIZES["laptop"])
    assert table[["rule for", "task", "says", "n"]].to_numpy().tolist() == [
        ["m", "coloring", "10", 3], ["q", "coloring", "10", 3]
    ]  # fmt: skip
