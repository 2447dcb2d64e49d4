import math

import pytest
import torch
from scipy.stats import chisquare

from randformer.harness.checks import BadInput
from randformer.problems.coloring.task import Coloring, all_cycles, edges


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def edge_sets(cycles: torch.Tensor) -> list[frozenset]:
    return [frozenset(frozenset(e) for e in zip(c, c[1:] + c[:1], strict=True)) for c in cycles.tolist()]


@pytest.mark.parametrize("n", [3, 4, 5, 6, 7])
def test_all_cycles_are_all_and_different(n):
    sets = edge_sets(all_cycles(n))
    assert len(sets) == len(set(sets)) == math.factorial(n - 1) // 2


def test_ten_vertices_have_181440_cycles():
    assert all_cycles(10).shape == (181_440, 10)


def test_inputs_are_uniform_over_all_cycles():
    drawn = edge_sets(Coloring(5).draw_inputs(12_000, generator()))
    counts = [drawn.count(cycle) for cycle in edge_sets(all_cycles(5))]
    assert sum(counts) == 12_000
    assert chisquare(counts).pvalue > 0.001


def test_edges_are_symmetric_and_two_per_vertex():
    adjacency = edges(Coloring(7).draw_inputs(9, generator()))
    assert torch.equal(adjacency, adjacency.transpose(-1, -2))
    assert adjacency.sum(-1).eq(2).all()
    assert not adjacency.diagonal(dim1=-2, dim2=-1).any()
    assert torch.equal(edges(torch.tensor([[2, 0, 1, 3]]))[0, 0], torch.tensor([False, True, True, False]))


def test_seeds_are_one_float_per_vertex_shared_by_the_batch():
    seeds = Coloring(6).draw_seeds(4, 32, generator())
    assert seeds.shape == (4, 1, 6)
    assert seeds.min() >= 0
    assert seeds.max() <= 1
    assert len(seeds.unique()) == 24
    assert Coloring(6, seeds_per="input").draw_seeds(4, 32, generator()).shape == (4, 32, 6)
    one = Coloring(6, noise="graph").draw_seeds(4, 32, generator())
    assert one.shape == (4, 1, 6)
    assert torch.equal(one, one[..., :1].expand_as(one))


def test_tokens_are_id_and_noise():
    seeds = torch.rand(1, 2, 1, 4, generator=generator())
    tokens = Coloring(4).tokens(None, seeds)
    assert tokens.shape == (1, 2, 1, 4, 5)
    assert torch.equal(tokens[0, 1, 0, :, :4], torch.eye(4))
    assert torch.equal(tokens[..., 4], seeds)


def test_the_loss_is_the_sum_over_edges_of_equal_colours():
    """Certain colours: one per bad edge. Uniform colours: 1/3 per edge."""
    cycle = torch.tensor([[[0, 2, 1, 3, 4]]])
    colors = torch.tensor([0, 1, 0, 2, 2])  # by id: 0-2 and 3-4 are bad, 2-1, 1-3 and 4-0 are fine
    certain = torch.full((1, 1, 1, 5, 3), -1e4)
    certain[0, 0, 0, torch.arange(5), colors] = 0
    assert Coloring(5).loss(certain, cycle).item() == pytest.approx(2)
    assert Coloring(5).loss(torch.zeros(1, 1, 1, 5, 3), cycle).item() == pytest.approx(5 / 3)


@pytest.mark.parametrize(
    "bad", [{"n": 2}, {"n": 11}, {"n": 10.0}, {"noise": "edge"}, {"seeds_per": "seed"}, {"self_loop": 1}]
)
def test_impossible_tasks_are_refused(bad):
    (name,) = bad
    with pytest.raises(BadInput, match=f"{name}.* = .*: give"):
        Coloring(**bad)
