import pandas as pd
import pytest

from randformer.experiments.cost import rules_of_thumb as rules


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
