"""Colouring cycles by a local rule, decided: is there one that sees ids up to a distance and never fails?

    distance 1:  a-V-b        V has seen the ids a and b beside its own, but knows no direction: a-V-b is b-V-a.
    distance 2:  c-a-V-b-d    A rule gives every such view a colour. Ids are 0 .. n-1, each used once on the cycle.

Two views that can be neighbours' views on some cycle need different colours; a rule that is right on every cycle is
therefore a 3-colouring of the finite graph of views, which a SAT solver finds or refutes.
"""

import itertools
from collections.abc import Callable
from functools import cache

import numpy as np
from pysat.card import CardEnc
from pysat.solvers import Solver

from randformer.harness.checks import at_least
from randformer.problems.coloring.task import all_cycles

COLORS = 3
View = tuple[int, ...]  # ids along the path, the vertex itself in the middle


def unoriented(path: View) -> View:
    """What a vertex knows that sees the path around it: the path, or the same backwards."""
    return min(path, path[::-1])


def summed(path: View) -> tuple:
    """What it knows of distance 2 where messages are plain sums over neighbours: which ids, not on which side.

    With A the cycle's adjacency matrix and one-hot ids, rows of 1, A and A^2: the vertex, the pair beside it, and the
    pair behind that (and twice itself).
    """
    return path[2], tuple(sorted(path[1:4:2])), tuple(sorted(path[0:5:4]))


@cache
def views(n: int, distance: int, seen: Callable = unoriented) -> tuple[list, np.ndarray]:
    """All views on cycles of n vertices, and the pairs (conflicts, 2) of their numbers that can be neighbours.

    Raises BadInput for a distance that is not 1 or 2, or a cycle so short that the two ends of a view meet.
    """
    at_least("distance", distance, 1, 2)
    at_least("n", n, 2 * distance + 2)
    number, conflicts = {}, set()
    for path in itertools.permutations(range(n), 2 * distance + 2):  # as seen by its two middle vertices
        both = (number.setdefault(seen(part), len(number)) for part in (path[:-1], path[1:]))
        conflicts.add(tuple(sorted(both)))
    return list(number), np.array(sorted(conflicts))


def rule(n: int, distance: int, seen: Callable = unoriented) -> dict | None:
    """A colour for every view such that every cycle of n vertices is coloured properly, or None: there is no such rule.

    A rule is a witness that anybody can check (violated); for None the solver is the witness.
    """
    every, conflicts = views(n, distance, seen)
    with Solver(name="cadical153") as solver:
        for view in range(len(every)):
            solver.add_clause([literal(view, color) for color in range(COLORS)])
        for one, other in conflicts.tolist():
            for color in range(COLORS):
                solver.add_clause([-literal(one, color), -literal(other, color)])
        for color, view in enumerate(conflicts[0].tolist()):  # colours can be renamed
            solver.add_clause([literal(view, color)])
        if not solver.solve():
            return None
        return chosen(every, solver.get_model())


def literal(view: int, color: int) -> int:
    """The SAT variable that says the view has the colour; variables count from 1."""
    return COLORS * view + color + 1


def chosen(every: list, model: list[int]) -> dict:
    """A colour of each view that a solver's model allows."""
    true = {variable for variable in model if variable > 0}
    return {view: next(c for c in range(COLORS) if literal(i, c) in true) for i, view in enumerate(every)}


def violated(n: int, distance: int, colors: dict, seen: Callable = unoriented) -> int:
    """Number of conflicts that a rule does not resolve: 0 proves that it colours every cycle properly."""
    every, conflicts = views(n, distance, seen)
    given = np.array([colors[view] for view in every])
    return int((given[conflicts[:, 0]] == given[conflicts[:, 1]]).sum())


def views_on(cycle: list[int]) -> list[View]:
    """The view at distance 1 of each vertex along a cycle."""
    around = (cycle[-1], *cycle, cycle[0])
    return [unoriented(around[i : i + 3]) for i in range(len(cycle))]


def colored(n: int, colors: dict) -> int:
    """Number of cycles of n vertices that a rule of distance 1 colours properly."""
    proper = 0
    for cycle in all_cycles(n).tolist():
        given = [colors[view] for view in views_on(cycle)]
        proper += all(one != other for one, other in zip(given, given[1:] + given[:1], strict=True))
    return proper


def rule_for_most(n: int, wrong: int) -> dict | None:
    """A rule of distance 1 that colours all but at most so many cycles of n vertices properly, or None: there is none.

    The first cycle may be taken as coloured properly (renaming ids makes any cycle the first), with colours 0 and 1 at
    its first two vertices (renaming colours).
    """
    every, _ = views(n, 1)
    cycles = all_cycles(n).tolist()
    at_least("wrong", wrong, 0, len(cycles) - 1)
    number = {view: i for i, view in enumerate(every)}
    proper = range(len(every) * COLORS + 1, len(every) * COLORS + 1 + len(cycles))  # a variable per cycle
    with Solver(name="cadical153") as solver:
        for view in range(len(every)):
            solver.add_clause([literal(view, color) for color in range(COLORS)])
            for one, other in itertools.combinations(range(COLORS), 2):
                solver.add_clause([-literal(view, one), -literal(view, other)])
        for variable, cycle in zip(proper, cycles, strict=True):
            around = [number[view] for view in views_on(cycle)]
            for one, other in zip(around, around[1:] + around[:1], strict=True):
                for color in range(COLORS):
                    solver.add_clause([-variable, -literal(one, color), -literal(other, color)])
        first = [number[view] for view in views_on(cycles[0])]
        for clause in ([proper[0]], [literal(first[0], 0)], [literal(first[1], 1)]):
            solver.add_clause(clause)
        at_most = CardEnc.atmost([-variable for variable in proper], bound=wrong, top_id=proper[-1])
        for clause in at_most.clauses:
            solver.add_clause(clause)
        return chosen(every, solver.get_model()) if solver.solve() else None
