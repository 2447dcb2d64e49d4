import numpy as np
import pytest

from randformer.experiments.theory import searches
from randformer.problems.gridworld import game


@pytest.fixture
def found(monkeypatch) -> list[searches.Search]:
    """Both games on two small grids, solved here and not read from disk."""
    monkeypatch.setattr(game, "proved", game.solve)
    return searches.solved((2, 3))


def test_a_mixture_costs_its_value_in_the_worst_case_and_no_more_on_average(found):
    for search in found:
        assert search.costs.max() == pytest.approx(search.solution.value)
        assert search.average == pytest.approx(search.solution.value)
        assert search.costs.mean() <= search.costs.max() <= search.pure
        assert search.worst_within(search.size**2) == pytest.approx(search.costs.max())  # nothing is found so late


def test_the_two_ways_round_four_cells_meet_the_condition_where_the_way_back_does_not_count(found):
    assert [search.meets_condition for search in found] == [True, False, False, False]


def test_the_table_has_a_row_per_game_and_says_what_is_proved(found):
    table = searches.table(found)
    assert table[["grid", "episodes"]].to_numpy().tolist() == [["2 x 2", 1], ["2 x 2", 2], ["3 x 3", 1], ["3 x 3", 2]]
    assert table["pure"].to_list() == [3, 4, 8, 10]
    assert table["value"].to_list() == pytest.approx([2, 4, 5, 8])
    assert table["proved to 1e-9"].all()
    assert (table["found late [%]"] == 0).all()


def test_no_mixture_is_below_the_counting_bounds(found):
    for search in found:
        assert search.costs.mean() >= searches.counting_bounds(search.size)[search.episodes - 1] - 1e-9
    assert searches.counting_bounds(2) == pytest.approx((2, 2 + 4 / 3))  # steps 1, 2, 3 and ways 1, 1, 2


def test_both_games_of_a_grid_are_drawn_with_every_walk_and_cell(found):
    shown = searches.on_grid(found, 3)
    assert list(shown) == ["one episode", "two episodes"]
    table = searches.numbers(shown)
    assert table.groupby("game")["probability"].sum().to_list() == pytest.approx([1, 1])
    assert table.groupby("game")["cell"].count().to_list() == [9, 9]
    assert np.allclose(table.loc[table["cell"] == 0, "first visit"], 0)
