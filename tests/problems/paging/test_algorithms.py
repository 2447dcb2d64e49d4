import itertools

import numpy as np
import pytest

from randformer.harness.checks import BadInput
from randformer.problems.paging.algorithms import ALGORITHMS, belady, faults
from randformer.problems.paging.game import harmonic


def fewest(requests: list[int], k: int, pages: int) -> int:
    """Of all ways to evict, by trying them."""

    def rest(at: int, cache: frozenset) -> int:
        if at == len(requests):
            return 0
        if requests[at] in cache:
            return rest(at + 1, cache)
        return 1 + min(rest(at + 1, cache - {out} | {requests[at]}) for out in cache)

    return rest(0, frozenset(range(k)))


@pytest.mark.parametrize(("k", "pages"), [(1, 2), (2, 3), (2, 4), (3, 5)])
def test_belady_is_the_fewest_and_nobody_has_less(k, pages):
    generator = np.random.default_rng(k)
    for requests in generator.integers(0, pages, (30, 7)).tolist():
        best = fewest(requests, k, pages)
        assert belady(requests, k, pages) == best
        for name in ALGORITHMS:
            spent = faults(name, requests, k, pages)
            assert spent[-1] >= best - 1e-9
            assert (np.diff(spent, prepend=0) >= 0).all()


def test_lru_and_fifo_by_hand():
    assert faults("LRU", [2, 0, 2, 1], 2, 3).tolist() == [1, 2, 2, 3]  # 0 goes, then 1, then 0
    assert faults("FIFO", [2, 1, 0, 1, 2], 2, 3).tolist() == [1, 1, 2, 3, 4]  # 0 goes, then 1, then 2, then 0
    assert faults("LRU", [2, 1, 0, 1, 2], 2, 3).tolist() == [1, 1, 2, 2, 3]


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_a_cycle_through_k_plus_1_pages_is_all_faults_for_lru_and_fifo(k):
    cycle = [*range(k, -1, -1)] * 3 if k == 1 else [k, *range(k)] * 3
    for name in ("LRU", "FIFO"):
        assert faults(name, cycle, k, k + 1)[-1] == len(cycle)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_a_phase_of_marking_costs_the_harmonic_number(k):
    requests = [*range(k, 0, -1)]  # k different pages: a phase
    assert faults("marking", requests, k, k + 1)[-1] == pytest.approx(harmonic(k))
    assert belady(requests, k, k + 1) == 1


@pytest.mark.parametrize(("k", "length"), [(1, 5), (2, 7), (3, 6)])
def test_marking_is_never_worse_than_the_harmonic_number(k, length):
    for rest in itertools.product(range(k + 1), repeat=length - 1):
        requests = [k, *rest]
        assert faults("marking", requests, k, k + 1)[-1] <= harmonic(k) * belady(requests, k, k + 1) + 1e-9


def test_random_eviction_is_the_mean_of_its_choices():
    # 2: 0 or 1 goes; 0: a fault for one half, then 1 or 2 goes; 1: out for a half and for a quarter
    assert faults("random eviction", [2, 0, 1], 2, 3).tolist() == [1, 1.5, 2.25]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (([0], 0, 1), "k (pages in the cache) = 0: give a whole number, at least 1"),
        (([0], 2, 2), "pages = 2: a cache of k = 2 holds them all, give at least 3"),
        (([], 2, 3), "requests: give at least one"),
        (([0, 3], 2, 3), "requests[1] = 3: give a whole number, at least 0 and at most 2"),
        (([0, -1], 2, 3), "requests[1] = -1: give a whole number, at least 0 and at most 2"),
    ],
)
def test_impossible_requests_are_told_in_one_line(given, told):
    for asked in (lambda *of: faults("LRU", *of), belady):
        with pytest.raises(BadInput) as error:
            asked(*given)
        assert str(error.value) == told


def test_an_unknown_algorithm_is_refused():
    with pytest.raises(BadInput, match=r"^algorithm = 'lru': give one of LRU, FIFO, marking, random eviction$"):
        faults("lru", [0], 1, 2)
