from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from helpers import tiny_gridworld
from randformer.core.training import begin
from randformer.problems.gridworld import evaluation
from randformer.problems.gridworld.evaluation import evaluate, ways
from randformer.problems.gridworld.task import Episodes, GridWorld


def by_rote(first: list, second: dict, n: int, episode: int) -> Episodes:
    """A search from its walks: first (m walks), second {(seed, cell): walk}."""
    m, cells = len(first), n**2
    walks = torch.tensor(first)
    visits, found = torch.full((1, m, cells), episode), torch.zeros(1, m, cells, dtype=torch.bool)
    paths, again = torch.full((1, m, cells, episode), -1), torch.full((1, m, cells), episode)
    visits[..., 0] = 0
    for j, walk in enumerate(first):
        for cell in range(1, cells):
            if cell in walk:
                visits[0, j, cell], found[0, j, cell] = walk.index(cell), True
    for (j, cell), walk in second.items():
        paths[0, j, cell, : len(walk)] = torch.tensor(walk)
        again[0, j, cell] = len(walk)
    return Episodes(walks.unsqueeze(0), paths, found, visits, again)


def test_shortest_ways_are_counted_where_the_seeds_took_them():
    """On 2 x 2 only the far corner has several: 2 of them. Seed 2 makes a detour, seed 3 has not found it before."""
    first = [[0, 1, 3, 3, 3], [0, 1, 3, 2, 2], [0, 2, 3, 3, 3], [0, 0, 0, 1, 0]]
    second = {(0, 3): [1, 3], (1, 3): [2, 3], (2, 3): [0, 2, 3], (3, 3): [1, 3]}
    assert ways(2, by_rote(first, second, 2, 4)) == [{"cell": 3, "exist": 2, "pairs": 2, "used": 2}]
    del second[1, 3]
    assert ways(2, by_rote(first, second, 2, 4)) == [{"cell": 3, "exist": 2, "pairs": 1, "used": 1}]


def test_a_grid_has_as_many_shortest_ways_as_lattice_paths():
    search = by_rote([[0] * 10], {}, 3, 9)
    assert {way["cell"]: way["exist"] for way in ways(3, search)} == {4: 2, 5: 3, 7: 3, 8: 6}


def told(run, *searches) -> dict:
    """The evaluation of a run that is made to search so, on the seeds to choose and on those to score."""
    order = iter(searches)
    task = SimpleNamespace(
        n=run.task.n, cells=run.task.cells, draw_seeds=run.task.draw_seeds, play=lambda *given: next(order)
    )
    return evaluate(replace(run, task=task), None, None)


def test_the_cell_is_chosen_on_other_seeds_than_it_is_scored_on():
    """2 x 2: cell 1 is the worst on the first seeds and costs 2 on the second; cell 2 costs 8 there."""
    ends = {(0, 1): [1], (0, 2): [2], (0, 3): [1, 3]}
    choose = by_rote([[0, 2, 3, 0, 0]], {c: w for c, w in ends.items() if c[1] != 1}, 2, 4)
    score = by_rote([[0, 1, 3, 3, 3]], {c: w for c, w in ends.items() if c[1] != 2}, 2, 4)
    seen = told(replace(tiny_gridworld(), task=GridWorld(2, 4, 2)), choose, score)
    assert seen["steps"]["worst"] == 2
    assert seen["steps_by_cell"] == [2, 8, 4]
    assert seen["steps"]["average"] == pytest.approx(14 / 3, rel=1e-5)
    assert seen["visits"] == [0, 1, 4, 2]
    assert seen["found"] == pytest.approx(2 / 3, rel=1e-5)
    assert seen["found_by_cell"] == [1, 0, 1]
    assert seen["shortest"] == 1
    assert seen["walks"] == [1]


@pytest.mark.parametrize("fixed", [False, True])
def test_an_evaluation_is_consistent_and_repeats(monkeypatch, fixed):
    monkeypatch.setattr(evaluation, "EVALUATION_SEEDS", 20)
    run = tiny_gridworld(fixed=fixed)
    state = begin(run, torch.device("cpu"))
    seen, again = (evaluate(run, state.parameters * 3, state.seed[0] if fixed else None) for _ in range(2))
    assert seen == again
    assert sum(seen["walks"]) == seen["seeds"] == (1 if fixed else 20)
    assert seen["steps"]["average"] == pytest.approx(sum(seen["steps_by_cell"]) / 8, rel=1e-5)
    assert seen["steps"]["worst"] <= max(seen["steps_by_cell"])
    assert len(seen["visits"]) == 9
    if fixed:
        assert seen["steps"]["worst"] == max(seen["steps_by_cell"])
