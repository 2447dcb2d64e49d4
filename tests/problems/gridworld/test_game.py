import itertools
import json

import numpy as np
import pytest

from randformer.exact import games
from randformer.harness.checks import BadInput
from randformer.problems.gridworld import game as g


def walks(size, steps):
    """Every walk of so many steps."""
    found = [(0,)]
    for _ in range(steps):
        found = [(*walk, cell) for walk in found for cell in g.neighbours(size)[walk[-1]]]
    return found


def test_the_sets_that_a_walk_can_visit():
    seen = {sum(1 << cell for cell in set(walk)) for walk in walks(3, 9)}
    by_layers = {int(s) for layer in g.visited_sets(3) for s in layer}
    assert seen <= by_layers
    assert len(by_layers) == 101
    assert [len(layer) for layer in g.visited_sets(2)] == [1, 2, 3, 1]


@pytest.mark.parametrize("episodes", [1, 2])
def test_the_smallest_game_against_all_of_its_walks(episodes):
    losses = {tuple(g.first_visits(2, w)[1:]) for w in walks(2, 5) if len(set(w)) == 4}
    losses = np.array(sorted(losses)) + g.cost_of_return(2, episodes)[1:]
    solution, _ = g.solve(2, episodes)
    assert solution.value == pytest.approx(games.solve(losses).value)
    assert g.pure(2, episodes)[0] == games.pure(losses)[0]


def test_the_best_walk_against_chances_by_trying_all():
    chances = np.array([0, 0.05, 0.2, 0.1, 0.15, 0.05, 0.25, 0.1, 0.1])
    long = [w for w in walks(3, 10) if len(set(w)) == 9]
    least = min(float(g.first_visits(3, w) @ chances) for w in long)
    low, walk = g.best_walk(3, chances)
    assert low == pytest.approx(least)
    assert float(g.first_visits(3, walk) @ chances) == pytest.approx(least)


def test_a_certain_treasure_is_fetched_and_the_rest_visited_afterwards():
    chances = np.zeros(16)
    chances[11] = 1
    low, walk = g.best_walk(4, chances)
    assert low == 5
    assert g.steps_of(4, walk)[11] == 5


@pytest.mark.parametrize(("size", "value", "pure"), [(3, 5, 8), (4, 8, 15)])
def test_values_of_one_episode(size, value, pure):
    solution, found = g.solve(size)
    assert solution.low == pytest.approx(value)
    assert solution.high == pytest.approx(value)
    assert g.pure(size)[0] == pure
    steps = solution.mixture @ np.array([g.steps_of(size, walk) for walk in found])
    assert steps[1:].max() == pytest.approx(value)


def test_a_single_walk_has_the_worst_case_that_is_claimed():
    for episodes, size in itertools.product((1, 2), (2, 3, 4)):
        value, walk = g.pure(size, episodes)
        assert (g.steps_of(size, walk) + g.cost_of_return(size, episodes))[1:].max() == value


def test_a_stored_game_is_proved_anew_and_not_trusted(tmp_path):
    solution, _ = g.proved(3, 1, tmp_path)
    again, _ = g.proved(3, 1, tmp_path)
    assert again.value == pytest.approx(solution.value)
    path = tmp_path / "search_3x3_1.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    for change, told in (
        ({"mixture": [1.0] + [0.0] * (len(stored["walks"]) - 1)}, "no value"),
        ({"inputs": [1 / 8] * 8}, "no value"),
        ({"walks": [[0, 8, *walk[2:]] for walk in stored["walks"]]}, "not a walk"),
        ({"walks": [walk[:3] for walk in stored["walks"]]}, "no solved game"),
        ({"walks": [[], *stored["walks"][1:]]}, "not a walk"),
        ({"walks": [], "mixture": []}, "no solved game"),
        ({"mixture": [0.0] * len(stored["walks"])}, "no distribution"),
        ({"mixture": [-1.0] * len(stored["walks"])}, "no distribution"),
        ({"inputs": [float("nan")] * 8}, "no distribution"),
        ({"inputs": [1.0]}, "no distribution"),
    ):
        path.write_text(json.dumps(stored | change), encoding="utf-8")
        with pytest.raises(BadInput, match=told):
            g.proved(3, 1, tmp_path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(BadInput, match="delete it"):
        g.proved(3, 1, tmp_path)


def test_a_walk_that_finds_a_cell_too_late_looks_for_it_again():
    walk = (0, 1, 2, 5, 4, 3, 6, 7, 8)
    visits, away = g.first_visits(3, walk), g.distances(3)
    assert g.truncated(3, walk, 1, 6).tolist() == [0, 1, 2, 5, 4, 3, 6, 6, 6]
    assert g.truncated(3, walk, 2, 8).tolist() == (visits + away).tolist()
    found = g.truncated(3, walk, 2, 6)
    assert found[:7].tolist() == (visits + away)[:7].tolist()
    assert found[7:].tolist() == [6 + 3, 6 + 4]  # cell 7 is three steps away, and 8 one more


def test_distances_and_the_mirror():
    assert g.distances(3).tolist() == [0, 1, 2, 1, 2, 3, 2, 3, 4]
    assert g.reflected(3, (0, 1, 2, 5)) == (0, 3, 6, 7)


@pytest.mark.parametrize(("size", "episodes", "told"), [(1, 1, "size = 1"), (6, 1, "size = 6"), (3, 3, "episodes = 3")])
def test_games_that_cannot_be_solved_are_refused(size, episodes, told):
    with pytest.raises(BadInput, match=told):
        g.pure(size, episodes)
