"""Paging with k + 1 pages as a game, solved with a certificate: the best randomized algorithm for T requests.

One page is outside the cache, the hole, and is all there is to know of a state. Two rules cost the adversary nothing:
the first request is for the page that is outside at the start, k (requests before are free), and no request repeats the
one before it (that is free too). So the sequences are a tree in which every node has k children, and each node, a
sequence that ends there, is an input. The loss is the ratio of expected faults to the fewest possible.

What an algorithm does is, as far as faults go, a distribution of the hole at each node. It is any that puts nothing on
the page just requested and takes nothing off the others: a hole moves on a fault only. That is linear, and so is the
game: this is the sequence form (Koller, Megiddo, von Stengel 1994) with all that does not matter summed out.

Arrays of the tree: T levels, of k^t nodes, t = 0 ... T - 1, children of node i being k i ... k i + k - 1.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from randformer.exact.games import TOLERANCE
from randformer.harness.checks import at_least

Levels = list[np.ndarray]  # an array for each level, its first axis the nodes


@dataclass(frozen=True)
class Solved:
    """A solved game: no algorithm's worst ratio is below low, and that of holes is high."""

    low: float
    high: float
    holes: Levels  # (k^t, k + 1) each: distribution of the hole after the node's request
    weights: Levels  # (k^t,) each: the adversary's distribution over sequences

    @property
    def value(self) -> float:
        return (self.low + self.high) / 2


def harmonic(k: int) -> float:
    """H_k: the ratio of the best randomized algorithm for long sequences. Raises BadInput for k < 1."""
    at_least("k (pages in the cache)", k, 1)
    return float(sum(1 / i for i in range(1, k + 1)))


def best_deterministic(k: int) -> float:
    """k: the ratio of the best deterministic algorithm where T >= k, LRU's (Sleator and Tarjan 1985)."""
    at_least("k (pages in the cache)", k, 1)
    return float(k)


def tree(k: int, length: int) -> Levels:
    """The page requested at each node. Raises BadInput for k < 1 or no request."""
    at_least("k (pages in the cache)", k, 1)
    at_least("T (requests)", length, 1)
    levels = [np.array([k])]
    for _ in range(length - 1):
        last = levels[-1].repeat(k)
        others = np.tile(np.arange(k), len(levels[-1]))
        levels.append(others + (others >= last))
    return levels


def sequences(k: int, length: int) -> np.ndarray:
    """The longest sequences, (k^(T - 1), T), in the order of the last level; every other one is the beginning of some.

    Raises BadInput as tree does.
    """
    levels = tree(k, length)
    return np.stack([level.repeat(k ** (length - 1 - t)) for t, level in enumerate(levels)], 1)


def of_nodes(values: np.ndarray, k: int) -> np.ndarray:
    """Values (..., k^(T - 1), T) of the beginnings of the longest sequences, each node once, (..., nodes)."""
    length = values.shape[-1]
    return np.concatenate([values[..., :: k ** (length - 1 - t), t] for t in range(length)], -1)


def optimum(requests: np.ndarray, k: int) -> np.ndarray:
    """Fewest faults (..., T) that serve each beginning of sequences (..., T), by dynamic programming over the hole."""
    pages = np.arange(k + 1)
    least, found = np.where(pages == k, 0.0, np.inf) * np.ones((*requests.shape[:-1], 1)), []
    for page in np.moveaxis(requests, -1, 0)[..., None]:
        moved = np.take_along_axis(least, page, -1) + 1
        least = np.where(pages == page, np.inf, np.minimum(least, moved))
        found.append(least.min(-1))
    return np.stack(found, -1)


def faults(holes: Levels, k: int) -> Levels:
    """Expected faults until after each node's request, (k^t,) each, of distributions of the hole."""
    requests, total = tree(k, len(holes)), [np.ones(1)]
    for before, page in zip(holes, requests[1:], strict=False):
        total.append(total[-1].repeat(k) + np.take_along_axis(before.repeat(k, 0), page[:, None], 1)[:, 0])
    return total


def least_faults(weights: Levels, k: int) -> float:
    """Least mean of the faults of any algorithm, over sequences that end at nodes with those weights; exact.

    Backwards: what is still to come, of each node and each hole that it may leave.
    """
    requests, reached = tree(k, len(weights)), list(weights)
    for t in range(len(weights) - 2, -1, -1):
        reached[t] = weights[t] + reached[t + 1].reshape(-1, k).sum(1)
    rest = np.zeros((len(weights[-1]), k + 1))  # after the node's request, by hole
    for t in range(len(weights) - 1, -1, -1):
        own = np.arange(k + 1) == requests[t][:, None]
        moved = reached[t] + np.where(own, np.inf, rest).min(1)  # on a fault the best page goes out
        before = np.where(own, moved[:, None], rest)
        if t == 0:
            return float(before[0, k])
        rest = before.reshape(-1, k, k + 1).sum(1)
    raise AssertionError


def solve(k: int, length: int) -> Solved:
    """The best randomized algorithm against every sequence of up to T requests, and the proof.

    Raises BadInput as tree does, and ArithmeticError where the two sides differ by more than TOLERANCE times k.
    """
    requests = tree(k, length)
    best = [level.reshape(-1) for level in split(of_nodes(optimum(sequences(k, length), k), k), k, length)]
    found = linprog(**program(requests, np.concatenate(best), k), method="highs")
    if not found.success:
        raise ArithmeticError(f"the linear program failed: {found.message}")
    nodes = sum(map(len, requests))
    holes = legal(split(found.x[:-1].reshape(nodes, k + 1), k, length), requests)
    weights = np.clip(-found.ineqlin.marginals[-nodes:], 0, None)
    weights = split(weights / weights.sum(), k, length)
    high = max(float((spent / least).max()) for spent, least in zip(faults(holes, k), best, strict=True))
    low = least_faults(weights, k) / sum(float(w @ least) for w, least in zip(weights, best, strict=True))
    if high - low > TOLERANCE * k:
        raise ArithmeticError(f"primal and dual values differ: {high} and {low}")
    return Solved(low, high, holes, weights)


def split(values: np.ndarray, k: int, length: int) -> Levels:
    """Values (nodes, ...) level by level."""
    return np.split(values, np.cumsum([k**t for t in range(length - 1)])) if length > 1 else [values]


def program(requests: Levels, best: np.ndarray, k: int) -> dict:
    """The linear program: minimise v over holes y (nodes x (k + 1)) and v.

    y[node, e] >= y[parent, e] for each page e but the one requested; faults <= v optimum at each node.
    """
    pages, starts = k + 1, np.cumsum([0, *map(len, requests)])
    nodes = starts[-1]
    page = np.concatenate(requests)
    parents = [starts[t - 1] + np.arange(len(requests[t])) // k for t in range(1, len(requests))]
    parent = np.concatenate([[-1], *parents])
    node, e = np.divmod(np.arange(nodes * pages), pages)
    kept = (e != page[node]) & (parent[node] >= 0)
    rows = np.arange(kept.sum())
    stay = [(rows, node[kept] * pages + e[kept], -1.0), (rows, parent[node[kept]] * pages + e[kept], 1.0)]
    path, own = np.arange(nodes), np.arange(nodes)
    faulty = [(len(rows) + own, np.full(nodes, nodes * pages), -best)]
    while (inside := parent[path] >= 0).any():
        path, own = path[inside], own[inside]
        faulty.append((len(rows) + own, parent[path] * pages + page[path], 1.0))
        path = parent[path]
    entries = [(r, c, np.broadcast_to(v, r.shape)) for r, c, v in stay + faulty]
    row, column, value = (np.concatenate(part) for part in zip(*entries, strict=True))
    shape = len(rows) + nodes, nodes * pages + 1
    most = np.append(np.where(e == page[node], 0.0, 1.0), np.inf)
    return {
        "c": np.append(np.zeros(nodes * pages), 1.0),
        "A_ub": coo_array((value, (row, column)), shape).tocsr(),
        "b_ub": np.append(np.zeros(len(rows)), np.full(nodes, -1.0)),  # the first request is a fault
        "A_eq": coo_array((np.ones(nodes * pages), (node, np.arange(nodes * pages))), (nodes, shape[1])).tocsr(),
        "b_eq": np.ones(nodes),
        "bounds": np.stack([np.zeros(shape[1]), most], 1),
    }


def legal(holes: Levels, requests: Levels) -> Levels:
    """A solver's distributions of the hole without its rounding: nothing moves but what was requested."""
    k = holes[0].shape[1] - 1
    before, found = np.eye(k + 1)[[k]], []
    for level, page in zip(holes, requests, strict=True):
        own = np.arange(k + 1) == page[:, None]
        gained = np.where(own, 0.0, np.clip(level - before, 0, None) + 1e-15)
        moved = np.where(own, before, 0.0).sum(1, keepdims=True)
        found.append(np.where(own, 0.0, before) + moved * gained / gained.sum(1, keepdims=True))
        before = found[-1].repeat(k, 0)
    return found
