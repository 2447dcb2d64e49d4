import itertools

import numpy as np
import pytest

from randformer.exact import games
from randformer.harness.checks import BadInput
from randformer.problems.paging import algorithms, game


def every_algorithm(k: int, length: int) -> np.ndarray:
    """The game written down: faults (deterministic algorithms, nodes), an eviction chosen for every node."""
    requests = game.tree(k, length)
    page = np.concatenate(requests)
    choices = [[e for e in range(k + 1) if e != p] for p in page]
    starts = np.cumsum([0, *map(len, requests)])
    rows = []
    for evictions in itertools.product(*choices):
        hole, spent = np.empty(len(page), int), np.empty(len(page), int)
        for t, level in enumerate(requests):
            for i in range(len(level)):
                node, parent = starts[t] + i, starts[t - 1] + i // k
                before, total = (hole[parent], spent[parent]) if t else (k, 0)
                fault = before == page[node]
                hole[node], spent[node] = (evictions[node] if fault else before), total + fault
        rows.append(spent)
    return np.unique(rows, axis=0)


def best(k: int, length: int) -> np.ndarray:
    return game.of_nodes(game.optimum(game.sequences(k, length), k), k)


@pytest.mark.parametrize(("k", "length"), [(1, 3), (2, 1), (2, 2), (2, 3), (2, 4), (3, 2)])
def test_the_linear_program_has_the_value_of_the_game_written_down(k, length):
    ratios = every_algorithm(k, length) / best(k, length)
    solved = game.solve(k, length)
    assert solved.value == pytest.approx(games.solve(ratios).value, rel=1e-8)
    assert games.pure(ratios)[0] == (best_pure := min(k, length))
    assert best_pure >= solved.value - 1e-9


@pytest.mark.parametrize(("k", "length"), [(2, 2), (2, 7), (3, 6), (4, 6)])
def test_from_some_length_on_the_value_is_the_harmonic_number(k, length):
    solved = game.solve(k, length)
    assert solved.high - solved.low < 1e-9 * k
    assert solved.value == pytest.approx(game.harmonic(k), rel=1e-8)


def test_short_sequences_are_easier():
    assert game.solve(3, 3).value == pytest.approx(5 / 3)
    assert game.solve(3, 1).value == pytest.approx(1)


def test_a_best_response_is_found_by_going_backwards():
    generator = np.random.default_rng(0)
    weights = game.split(generator.random(sum(2**t for t in range(4))), 2, 4)
    assert game.least_faults(weights, 2) == pytest.approx((every_algorithm(2, 4) @ np.concatenate(weights)).min())


def test_faults_of_distributions_are_the_mean_over_algorithms():
    marking = np.array([algorithms.faults("marking", row, 2, 3) for row in game.sequences(2, 5)])
    solved = game.solve(2, 5)
    spent = np.concatenate(game.faults(solved.holes, 2))
    assert (spent / best(2, 5)).max() == pytest.approx(solved.high)
    assert (game.of_nodes(marking, 2) / best(2, 5)).max() == pytest.approx(game.harmonic(2))


@pytest.mark.parametrize(("k", "length"), [(1, 4), (2, 6), (3, 4)])
def test_the_optimum_is_beladys(k, length):
    rows = game.sequences(k, length)
    found = [[algorithms.belady(row[:t].tolist(), k, k + 1) for t in range(1, length + 1)] for row in rows]
    assert game.optimum(rows, k).tolist() == found


def test_the_tree_has_every_sequence_once():
    rows = game.sequences(2, 4)
    assert len(rows) == len(np.unique(rows, axis=0)) == 8
    assert (rows[:, 0] == 2).all()
    assert (np.diff(rows) != 0).all()
    assert game.of_nodes(rows, 2).tolist() == np.concatenate(game.tree(2, 4)).tolist()
    assert [len(level) for level in game.split(np.zeros(15), 2, 4)] == [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((0, 3), "k (pages in the cache) = 0: give a whole number, at least 1"),
        ((2, 0), "T (requests) = 0: give a whole number, at least 1"),
    ],
)
def test_impossible_sizes_are_refused(given, told):
    with pytest.raises(BadInput) as error:
        game.solve(*given)
    assert str(error.value) == told
