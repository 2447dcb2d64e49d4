import itertools
import math

import pytest
import torch
from scipy.stats import chisquare

from randformer.core.transformer import Network, forward, initialize
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


def brute_force(task: Coloring, network: Network, parameters, seeds) -> torch.Tensor:
    """P(colour) (m, cycles, n, 3) along each cycle, straight through the network."""
    cycles = all_cycles(task.n)
    tokens = task.tokens(None, seeds.unsqueeze(0))
    p = forward(network, parameters, tokens, task.mask(cycles.unsqueeze(0)), 3)[0].softmax(-1)
    return p.gather(2, cycles.view(1, *cycles.shape, 1).expand(len(seeds), *cycles.shape, 3))


READINGS = [
    (Coloring(n, self_loop=loop), Network(width=8, key_size=4, layers=layers, attention=attention, mlp=mlp))
    for n, layers in ((3, 1), (4, 2), (5, 2), (6, 1), (6, 2), (7, 2))
    for attention, mlp, loop in (("linear", False, False), ("softmax", True, False), ("linear", False, True))
]


@pytest.mark.parametrize(("task", "network"), READINGS, ids=str)
def test_reading_by_distinct_views_is_reading_every_cycle(task, network):
    parameters = initialize(network, task.token_size, 3, generator()).unsqueeze(0) * 3
    seeds = task.draw_seeds(4, 1, generator(1))
    reader = task.evaluation_set(network)
    expected = brute_force(task, network, parameters, seeds)
    for seed, p in zip(seeds.split(1), expected, strict=True):
        seen = reader.probabilities(parameters, seed)[0]
        torch.testing.assert_close(reader.everywhere(seen), p)
        colors = torch.from_numpy(reader.colors(reader.answers(seen)))
        assert torch.equal(colors, reader.everywhere(seen).argmax(-1))
        assert reader.right(reader.answers(seen)).tolist() == (colors != colors.roll(1, 1)).all(1).tolist()
        per_edge = (p * p.roll(1, 1)).sum((1, 2)) / (3 * task.n)
        torch.testing.assert_close(torch.from_numpy(reader.loss(seen)), per_edge)


def test_answers_to_one_cycle_are_those_among_all():
    task, network = Coloring(6), Network(width=8)
    parameters = initialize(network, 7, 3, generator()).unsqueeze(0) * 3
    reader, seeds = task.evaluation_set(network), task.draw_seeds(20, 1, generator(2))
    all_answers = [reader.answers(p) for p in reader.probabilities(parameters, seeds)]
    assert reader.answers_to(17, parameters, seeds).tolist() == [answers[17] for answers in all_answers]


def test_sampled_success_is_the_sum_over_all_valid_colourings():
    task, network = Coloring(5), Network(width=8)
    reader = task.evaluation_set(network)
    p = reader.probabilities(initialize(network, 6, 3, generator()).unsqueeze(0), task.draw_seeds(1, 1, generator()))[0]
    along = reader.everywhere(p).double()
    total = 0
    for colors in itertools.product(range(3), repeat=5):
        if all(a != b for a, b in zip(colors, colors[1:] + colors[:1], strict=True)):
            total = total + along[:, torch.arange(5), list(colors)].prod(1)
    torch.testing.assert_close(torch.from_numpy(reader.sampled(p)), total)
    assert (1 - reader.sampled(p) <= reader.loss(p) * 15 + 1e-6).all()  # the loss bounds P(invalid), table 2


@pytest.mark.parametrize("n", [3, 4, 5, 10])
def test_wrong_answers_are_counted(n):
    """Valid 3-colourings of a cycle: 2^n + 2 (-1)^n."""
    assert Coloring(n).evaluation_set(Network(layers=1)).wrong_answers == 3**n - (2**n + 2 * (-1) ** n)


@pytest.mark.parametrize(
    "bad", [{"n": 2}, {"n": 11}, {"n": 10.0}, {"noise": "edge"}, {"seeds_per": "seed"}, {"self_loop": 1}]
)
def test_impossible_tasks_are_refused(bad):
    (name,) = bad
    with pytest.raises(BadInput, match=f"{name}.* = .*: give"):
        Coloring(**bad)
