"""Grid search as a game, solved: walks against treasure cells (section 3.4 of the paper).

    . . .      An agent starts in a corner of a size x size grid and the treasure lies in one of the other cells. A
    . . .      walk costs the step at which it first enters that cell; in the game of two episodes also the shortest
    S . .      way there, since it then knows the cell. Cells are numbered row by row from the start S = 0.

There are far too many walks to list, yet the best one against any distribution of treasures is found exactly: where a
walk can go on to and what that will cost depends only on the set of cells visited so far and on where it stands.
Episodes have no last step here. In the paper one ends after 25 steps, and some walks of the best mixtures on 5 x 5 find
some cells later: truncated gives what such a walk costs there.
"""

import itertools
import json
from functools import cache
from pathlib import Path

import numpy as np

from randformer.exact.games import TOLERANCE, Distribution, Solution, double_oracle, probabilities
from randformer.harness.checks import BadInput, at_least
from randformer.harness.files import ROOT, write_bytes
from randformer.problems.gridworld.task import distances

TINY = 1e-12  # of a chance: what is left of it when all is visited
STORED = ROOT / "results" / "games"
LARGEST = 5  # cells a side: a million sets of visited cells, 0.3 GB; 6 would be a billion


@cache
def neighbours(size: int) -> tuple[tuple[int, ...], ...]:
    """The cells beside each cell."""
    at_least("size", size, 2, LARGEST)
    steps = ((-1, 0), (0, -1), (0, 1), (1, 0))
    spots = [(row, column) for row in range(size) for column in range(size)]
    beside = [[(row + down, column + right) for down, right in steps] for row, column in spots]
    inside = range(size)
    return tuple(tuple(r * size + c for r, c in cells if r in inside and c in inside) for cells in beside)


def reflected(size: int, walk: tuple[int, ...]) -> tuple[int, ...]:
    """The walk's mirror image in the diagonal through the start."""
    return tuple(cell % size * size + cell // size for cell in walk)


@cache
def visited_sets(size: int) -> tuple[np.ndarray, ...]:
    """Sets of cells that a walk may have visited, as bit masks, in ascending order: one array per number of cells."""
    layers = [np.array([1])]
    beside = [sum(1 << other for other in cells) for cells in neighbours(size)]
    marked = np.zeros(2**size**2, dtype=bool)  # sorts, and drops what is there twice
    for _ in range(size**2 - 1):
        sets, border = layers[-1], np.zeros_like(layers[-1])
        for cell, others in enumerate(beside):
            border |= (sets >> cell & 1) * others
        border &= ~sets
        for cell in range(size**2):
            marked[sets[(border >> cell & 1) == 1] | 1 << cell] = True
        layers.append(np.flatnonzero(marked))
        marked[layers[-1]] = False
    return tuple(layers)


def costs_to_go(size: int, chances: np.ndarray | None, extra: np.ndarray) -> list[np.ndarray]:
    """The least cost still to come, for each set of visited cells and cell in it: one (cells, sets) array per layer.

    With chances (cells,) of the treasure, which sum to 1: the expected number of steps until it is found. With None:
    the largest, over cells not visited yet, of steps until the cell is entered plus the cell's extra (cells,).
    """
    sets = visited_sets(size)
    costs = [np.zeros((size**2, 1))]  # everything is visited
    for now, then in zip(sets[-2::-1], sets[:0:-1], strict=True):
        inside = (now >> np.arange(size**2)[:, None] & 1) == 1
        step = np.ones(len(now)) if chances is None else ~inside.T @ chances
        entering = np.full(inside.shape, np.inf)
        for cell in range(size**2):
            new = np.flatnonzero(~inside[cell])
            grown = now[new] | 1 << cell
            index = np.searchsorted(then, grown).clip(max=len(then) - 1)
            found = then[index] == grown
            entering[cell, new[found]] = costs[-1][cell, index[found]]
            if chances is None:
                entering[cell, new] = np.maximum(entering[cell, new], extra[cell])
        costs.append(settled(size, step, inside, entering))
    return costs[::-1]


def settled(size: int, step: np.ndarray, inside: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Costs at each visited cell: a step, then what it costs to enter a new cell (given) or to cross a visited one.

    A row per cell: the sets of a cell lie side by side, which is three times as fast.
    """
    sweep = list(enumerate(neighbours(size)))
    changed = True
    while changed:
        changed = False
        for cell, others in sweep + sweep[::-1]:
            onwards = step + costs[list(others)].min(0)
            better = inside[cell] & (onwards < costs[cell])
            costs[cell, better] = onwards[better]
            changed |= bool(better.any())
    return costs


def follow(size: int, costs: list[np.ndarray], extra: np.ndarray | None) -> tuple[int, ...]:
    """The walk that the costs to go call best, from the start until every cell that costs something is visited."""
    walk, visited = [0], 1
    while (here := cost_at(size, costs, visited, walk[-1])) > TINY:
        onwards = []
        for cell in neighbours(size)[walk[-1]]:
            then = cost_at(size, costs, visited | 1 << cell, cell)
            new = extra is not None and not visited >> cell & 1
            onwards.append(max(then, extra[cell]) if new else then)
        walk.append(neighbours(size)[walk[-1]][int(np.argmin(onwards))])
        visited |= 1 << walk[-1]
        assert min(onwards) < here
    return tuple(walk)


def cost_at(size: int, costs: list[np.ndarray], visited: int, cell: int) -> float:
    layer = visited.bit_count() - 1
    return float(costs[layer][cell, np.searchsorted(visited_sets(size)[layer], visited)])


def completed(size: int, walk: tuple[int, ...]) -> tuple[int, ...]:
    """The walk gone on with, always to the nearest cell not visited yet, until there is none."""
    walk, rows = list(walk), np.arange(size**2) // size
    columns = np.arange(size**2) % size
    while left := sorted(set(range(size**2)) - set(walk)):
        here = walk[-1]
        cell = min(left, key=lambda c: abs(rows[c] - rows[here]) + abs(columns[c] - columns[here]))
        down, right = np.sign(rows[cell] - rows[here]), np.sign(columns[cell] - columns[here])
        walk.append(here + int(size * down if down else right))
    return tuple(walk)


def first_visits(size: int, walk: tuple[int, ...]) -> np.ndarray:
    """Step at which a walk that visits everything first enters each cell, (cells,); 0 at the start."""
    return np.array([walk.index(cell) for cell in range(size**2)])


def pure(size: int, episodes: int = 1) -> tuple[float, tuple[int, ...]]:
    """The least worst case of a single walk, in steps, and such a walk."""
    extra = cost_of_return(size, episodes)
    costs = costs_to_go(size, None, extra)
    return float(costs[0][0, 0]), follow(size, costs, extra)


def cost_of_return(size: int, episodes: int) -> np.ndarray:
    """Steps to each cell in the second episode, (cells,); none in a game of one."""
    at_least("episodes", episodes, 1, 2)
    return distances(size) * (episodes - 1.0)


def best_walk(size: int, chances: np.ndarray) -> tuple[float, tuple[int, ...]]:
    """The least expected number of steps to a treasure that lies in each cell with these chances, and such a walk."""
    costs = costs_to_go(size, chances, np.zeros(size**2))
    return float(costs[0][0, 0]), completed(size, follow(size, costs, None))


def solve(size: int, episodes: int = 1) -> tuple[Solution, list[tuple[int, ...]]]:
    """The game solved: solution (its inputs are cells 1, 2, ...) and the walks that are mixed. Size 5 takes minutes."""
    extra = cost_of_return(size, episodes)

    def best_strategies(inputs: Distribution) -> tuple[float, list]:
        low, walk = lower_bound(size, episodes, np.array([chance for _, chance in inputs]))
        return low, [walk, reflected(size, walk)]

    def best_input(mixed: Distribution) -> tuple[float, int]:
        steps = sum(chance * first_visits(size, walk) for walk, chance in mixed) + extra
        return float(steps[1:].max()), int(steps[1:].argmax()) + 1

    solution, walks, _ = double_oracle(
        [pure(size, episodes)[1]],
        list(range(1, size**2)),
        lambda walk, cell: walk.index(cell) + extra[cell],
        best_strategies,
        best_input,
    )
    used = solution.mixture > 0
    walks = [walk for walk, needed in zip(walks, used, strict=True) if needed]
    return Solution(solution.mixture[used], solution.inputs, solution.low, solution.high), walks


def truncated(size: int, walk: tuple[int, ...], episodes: int, episode: int) -> np.ndarray:
    """Steps of all episodes (cells,) where each ends after that many, for one who walks so in the first.

    A cell that the first does not find is sought in the second, the nearest of those left first.
    """
    visits = first_visits(size, walk)
    cost = visits.clip(max=episode) + cost_of_return(size, episodes)
    if episodes == 1:
        return cost
    left, here, gone = set(np.flatnonzero(visits > episode).tolist()), 0, 0
    while left:
        far = {cell: abs(cell // size - here // size) + abs(cell % size - here % size) for cell in left}
        here = min(left, key=lambda cell: (far[cell], cell))
        gone += far[here]
        cost[here] = episode + min(gone, episode)
        left.remove(here)
    return cost


def lower_bound(size: int, episodes: int, inputs: np.ndarray) -> tuple[float, tuple[int, ...]]:
    """The least expected cost of any walk against chances (cells - 1,) of cells 1, 2, ..., and a walk that has it."""
    chances = np.append(0.0, inputs)
    low, walk = best_walk(size, chances)
    return low + float(chances @ cost_of_return(size, episodes)), walk


def proved(size: int, episodes: int, folder: Path = STORED) -> tuple[Solution, list[tuple[int, ...]]]:
    """As solve, from its walks, mixture and inputs on disk: both bounds are computed anew, so nothing is trusted.

    Solves the game and stores it where there is no such file. Raises BadInput for a file that proves no value.
    """
    path = folder / f"search_{size}x{size}_{episodes}.json"
    if not path.exists():
        solution, walks = solve(size, episodes)
        stored = {"walks": walks, "mixture": solution.mixture.tolist(), "inputs": solution.inputs.tolist()}
        write_bytes(path, (json.dumps(stored) + "\n").encode())
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        walks = [tuple(walk) for walk in stored["walks"]]
        mixture, inputs = (
            distribution(stored[name], n) for name, n in (("mixture", len(walks)), ("inputs", size**2 - 1))
        )
        steps = np.array([steps_of(size, walk) for walk in walks])
        high = float((mixture @ steps + cost_of_return(size, episodes))[1:].max())
        solution = Solution(mixture, inputs, lower_bound(size, episodes, inputs)[0], high)
    except (LookupError, TypeError, ValueError) as error:
        raise BadInput(f"{path}: no solved game ({error}); delete it to solve the game anew") from None
    if not abs(solution.high - solution.low) <= TOLERANCE * size**2:
        raise BadInput(f"{path}: proves {solution.low} to {solution.high}, no value; delete it to solve the game anew")
    return solution, walks


def distribution(weights: list[float], count: int) -> np.ndarray:
    """Stored probabilities, checked: ValueError for other than that many finite ones, none negative, some positive."""
    given = np.array(weights, dtype=float)
    if given.shape != (count,) or not np.isfinite(given).all() or given.min() < 0 or given.sum() <= 0:
        raise ValueError("no distribution")
    return probabilities(given)


def steps_of(size: int, walk: tuple[int, ...]) -> np.ndarray:
    """first_visits, checked: ValueError for what is no walk of single steps from the start through every cell."""
    beside = neighbours(size)
    if walk[:1] != (0,) or any(then not in beside[now] for now, then in itertools.pairwise(walk)):
        raise ValueError("not a walk from the start")
    return first_visits(size, walk)
