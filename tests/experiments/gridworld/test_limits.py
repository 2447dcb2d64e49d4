from math import inf

import numpy as np
import pytest
import torch

from helpers import tiny_gridworld
from randformer.core.training import begin
from randformer.experiments.gridworld import limits
from randformer.experiments.gridworld.findings import gridworlds
from randformer.harness import workers
from randformer.problems.gridworld import game

SEEN = {"steps": {"average": 4.0, "worst": 8.0}, "found": 0.75, "shortest": 1.0, "visits": [0.0, 4.0]}
SEEN |= {"walks": [15, 5], "seeds": 20, "found_by_cell": [1.0, 0.4, 0.0]}


@pytest.fixture(autouse=True)
def games(monkeypatch):
    """Games are solved here, not read from disk."""
    monkeypatch.setattr(game, "proved", game.solve)
    limits.costs_of_walks.cache_clear()
    yield
    limits.costs_of_walks.cache_clear()


def test_a_grid_that_is_both_stands_once_and_only_random_seeds_are_compared():
    runs = [tiny_gridworld(q=1), tiny_gridworld(q=1, fixed=True)]
    table = gridworlds(runs, [SEEN] * 2)
    both = limits.both_grids(table, table[table["answer"] == "A_R"])
    assert set(both["answer"]) == {"A_R"}
    assert not both.duplicated().any()
    assert set(limits.of_steps(both)["measure"]) == {"average", "worst cell"}


def test_lines_of_a_solved_grid_are_ordered_and_a_grid_too_large_has_none():
    lines = limits.reachable([3, game.LARGEST + 1], 8)
    assert lines.keys() == {3}
    single, mixture, least = lines[3].values()
    assert single == game.pure(3, 2)[0] == 10  # no episode ends before
    assert mixture == pytest.approx(game.solve(3, 2)[0].value)
    assert least == pytest.approx(np.arange(1, 9).mean() + 18 / 8)  # ways to the cells: 1, 1, 2, 2, 2, 3, 3, 4
    assert single > mixture > least


def test_more_walks_never_make_the_worst_case_worse_and_end_at_the_mixture():
    few = limits.few_walks(3, 8, 3)
    assert list(few) == [1, 2, 3]
    assert few[1] >= few[2] >= few[3] >= round(game.solve(3, 2)[0].value, 2)
    assert few[1] == 10


def test_what_walks_cover_adds_up():
    runs = [tiny_gridworld(k, q=q) for q in (1, inf) for k in (0, 1)]
    shares = limits.walk_shares(runs, [SEEN] * 4)
    assert list(shares) == [("A_R", 1), ("A_R", inf)]
    assert all(of.tolist() == [0.75, 0.25] for of in shares.values())
    mixture = limits.best_mixture(3)
    assert (np.diff(mixture) <= 0).all()
    table = limits.covered(shares, mixture)
    assert table["model"].unique().tolist() == ["q = 1, run 0", "q = inf, run 0", "best mixture"]
    assert table.groupby("model")["covered"].max().tolist() == pytest.approx([100] * 3)
    assert limits.best_mixture(game.LARGEST + 1) is None
    assert "best mixture" not in set(limits.covered(shares, None)["model"])


def test_cells_left_to_the_second_episode_are_counted():
    table = limits.left_out([tiny_gridworld(q=1), tiny_gridworld(fixed=True)], [SEEN] * 2)
    assert table.to_numpy().tolist() == [[1, 0, 1, 2, 2]]  # the worst cell takes 8 steps, an episode 6


def test_an_order_repeats_fully_inversely_or_not_at_all():
    scores = torch.tensor([1.0, 5.0, 2.0])
    assert limits.rank_correlation(scores, scores**3) == pytest.approx(1)
    assert limits.rank_correlation(scores, -scores) == pytest.approx(-1)
    assert limits.rank_correlation(scores, torch.ones(3)) == 0


def test_candidates_are_ranked_twice_under_every_number_of_seeds(monkeypatch):
    run = tiny_gridworld()
    record = {"parameters": begin(run, torch.device("cpu")).parameters}
    monkeypatch.setattr(workers, "load", lambda *_: (record, {}))
    first, second = limits.ranked_twice("smoke", run, 2, torch.Generator().manual_seed(0))
    assert first.shape == second.shape == (2 * limits.PAIRS, run.task.cells - 1)
    assert not first.equal(second)
    table = limits.repeated_orders("smoke", [run], [1, 4])
    assert table["m"].to_list() == [1] * 3 + [4] * 3
    assert table["measure"].to_list() == ["average", "q = 10", "worst cell"] * 2
    assert table["value"].abs().max() <= 1
