import itertools
import math

import pytest

from randformer.harness.checks import BadInput
from randformer.problems.coloring import game as g


@pytest.mark.parametrize(("n", "distance"), [(4, 1), (7, 1), (6, 2), (8, 2)])
def test_views_and_conflicts_are_all_counted(n, distance):
    every, conflicts = g.views(n, distance)
    assert len(every) == math.perm(n, 2 * distance + 1) / 2
    assert len(conflicts) == math.perm(n, 2 * distance + 2) / 2
    assert all(view == g.unoriented(view[::-1]) for view in every)


def test_a_view_of_sums_forgets_which_end_is_behind_which_neighbour():
    assert g.summed((0, 1, 2, 3, 4)) == g.summed((4, 1, 2, 3, 0)) == g.summed((4, 3, 2, 1, 0))
    assert g.summed((0, 1, 2, 3, 4)) != g.summed((1, 0, 2, 3, 4))
    every, _ = g.views(7, 2, g.summed)
    assert len(every) == math.perm(7, 5) / 4


def test_a_rule_of_distance_one_exists_up_to_five_vertices():
    assert g.colored(5, g.rule(5, 1)) == 12
    assert g.rule(6, 1) is None
    assert g.rule(7, 1) is None


def test_a_rule_of_distance_two_colours_every_cycle():
    colors = g.rule(7, 2)
    assert g.violated(7, 2, colors) == 0
    for rest in itertools.permutations(range(1, 7)):
        cycle = (0, *rest)
        seen = [tuple(cycle[(i + step) % 7] for step in range(-2, 3)) for i in range(7)]
        given = [colors[g.unoriented(view)] for view in seen]
        assert all(given[i] != given[i - 1] for i in range(7))


def test_broken_rules_are_counted():
    colors = g.rule(5, 1)
    assert g.violated(5, 1, dict.fromkeys(colors, 0)) == 60
    assert g.colored(5, dict.fromkeys(colors, 0)) == 0


def test_the_most_cycles_that_a_rule_of_distance_one_colours():
    assert g.colored(6, g.rule_for_most(6, 6)) == 54
    assert g.rule_for_most(5, 0) is not None
    assert g.rule_for_most(6, 0) is None


def test_an_impossible_number_of_wrong_cycles_is_refused():
    for n, wrong, told in ((6, 60, "wrong = 60"), (6, -1, "wrong = -1"), (3, 0, "n = 3")):
        with pytest.raises(BadInput, match=told):
            g.rule_for_most(n, wrong)


@pytest.mark.parametrize(("n", "distance", "told"), [(3, 1, "n = 3"), (5, 2, "n = 5"), (9, 3, "distance = 3")])
def test_views_that_meet_themselves_are_refused(n, distance, told):
    with pytest.raises(BadInput, match=told):
        g.views(n, distance)
