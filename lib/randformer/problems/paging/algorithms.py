"""Paging, classical: who keeps which k pages in the cache while pages are requested one after the other.

A request for a page that is not in the cache is a fault, costs 1, and makes the algorithm evict a page for it. At the
start the cache holds pages 0 to k - 1. An algorithm is a function (cache, marked, page) -> [(probability, cache,
marked)], of caches as tuples of pages; so expected faults are had exactly, as a sum over caches.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from randformer.harness.checks import BadInput, at_least, numbers, one_of

Step = tuple[float, tuple[int, ...], frozenset[int]]  # probability, cache, and which of its pages are marked


def lru(cache: tuple, marked: frozenset, page: int) -> list[Step]:
    """Evicts the page that was not requested for longest; the cache is in the order of last requests."""
    rest = tuple(other for other in cache if other != page)
    return [(1.0, (*rest[len(rest) + 1 - len(cache) :], page), marked)]


def fifo(cache: tuple, marked: frozenset, page: int) -> list[Step]:
    """Evicts the page that came in first; the cache is in the order of arrival."""
    return [(1.0, cache if page in cache else (*cache[1:], page), marked)]


def random_eviction(cache: tuple, marked: frozenset, page: int) -> list[Step]:
    """Evicts any page, all equally probable."""
    if page in cache:
        return [(1.0, cache, marked)]
    return [(1 / len(cache), replaced(cache, out, page), marked) for out in cache]


def marking(cache: tuple, marked: frozenset, page: int) -> list[Step]:
    """Marks what is requested and evicts any unmarked page; where all are marked, first unmarks all (Fiat et al. 1991).

    Against k + 1 pages H_k times the optimum, 1 + 1/2 + ... + 1/k, which no algorithm beats; in general 2 H_k - 1.
    """
    if page in cache:
        return [(1.0, cache, marked | {page})]
    marked = frozenset() if len(marked) == len(cache) else marked
    outs = [out for out in cache if out not in marked]
    return [(1 / len(outs), replaced(cache, out, page), marked | {page}) for out in outs]


ALGORITHMS: dict[str, Callable[..., list[Step]]] = {
    "LRU": lru,
    "FIFO": fifo,
    "marking": marking,
    "random eviction": random_eviction,
}


def replaced(cache: tuple, out: int, page: int) -> tuple:
    """The cache with one page in another's place, in the order of numbers."""
    return tuple(sorted((*(other for other in cache if other != out), page)))


def checked(requests: Sequence[int], k: int, pages: int) -> list[int]:
    """The requests. Raises BadInput for k < 1, fewer than k + 1 pages, no request, and pages that there are not."""
    at_least("k (pages in the cache)", k, 1)
    if pages < k + 1:
        raise BadInput(f"pages = {pages}: a cache of k = {k} holds them all, give at least {k + 1}")
    if len(requests) == 0:
        raise BadInput("requests: give at least one")
    return numbers("requests", requests, len(requests), 0, pages - 1)


def faults(algorithm: str, requests: Sequence[int], k: int, pages: int) -> np.ndarray:
    """Expected faults (T,) of one of ALGORITHMS until after each of T requests. Raises BadInput as checked does."""
    one_of("algorithm", algorithm, ALGORITHMS)
    states, total, found = Counter({(tuple(range(k)), frozenset()): 1.0}), 0.0, []
    for page in checked(requests, k, pages):
        after: Counter = Counter()
        for (cache, marked), chance in states.items():
            total += chance * (page not in cache)
            for share, *state in ALGORITHMS[algorithm](cache, marked, page):
                after[tuple(state)] += chance * share
        states = after
        found.append(total)
    return np.array(found)


def belady(requests: Sequence[int], k: int, pages: int) -> int:
    """Fewest faults of anybody, who knows all requests: evict the page that is requested last, or never (Belady 1966).

    Raises BadInput as checked does.
    """
    requests, cache, total = checked(requests, k, pages), set(range(k)), 0
    for at, page in enumerate(requests):
        if page not in cache:
            later = requests[at + 1 :]
            cache.remove(max(cache, key=lambda other: later.index(other) if other in later else len(requests)))
            cache.add(page)
            total += 1
    return total
