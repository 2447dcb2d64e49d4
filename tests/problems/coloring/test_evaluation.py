import itertools

import pytest
import torch

from randformer.core.transformer import Network, forward, initialize
from randformer.problems.coloring.evaluation import Cycles
from randformer.problems.coloring.task import Coloring, all_cycles


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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
    reader = Cycles(task, network)
    p = brute_force(task, network, parameters, seeds)
    seen = reader.probabilities(parameters, seeds)
    torch.testing.assert_close(seen[:, reader.view_of], p)
    colors = torch.from_numpy(reader.colors(reader.answers(seen)))
    assert torch.equal(colors, seen[:, reader.view_of].argmax(-1))
    assert reader.right(reader.answers(seen)).tolist() == (colors != colors.roll(1, 2)).all(2).tolist()
    per_edge = (p * p.roll(1, 2)).sum((2, 3)).mean(0) / (3 * task.n)
    torch.testing.assert_close(torch.from_numpy(reader.loss(seen)), per_edge)


def test_the_fast_way_to_probabilities_is_used_and_agrees():
    task, network = Coloring(), Coloring.standard()[1]
    reader, seeds = Cycles(task, network), task.draw_seeds(3, 1, generator(1))
    parameters = initialize(network, task.token_size, 3, generator()).unsqueeze(0)
    seen = reader.probabilities(parameters, seeds)
    slow = reader.probabilities_at(slice(None), parameters, seeds)
    torch.testing.assert_close(seen, slow, atol=1e-4, rtol=1e-4)
    assert not torch.equal(seen, slow)


def test_answers_to_one_cycle_are_those_among_all():
    task, network = Coloring(6), Network(width=8)
    parameters = initialize(network, 7, 3, generator()).unsqueeze(0) * 3
    reader, seeds = Cycles(task, network), task.draw_seeds(20, 1, generator(2))
    all_answers = reader.answers(reader.probabilities(parameters, seeds))
    assert reader.decided(reader.probabilities_to(17, parameters, seeds)).tolist() == all_answers[:, 17].tolist()


def test_sampled_success_is_the_sum_over_all_valid_colourings():
    task, network = Coloring(5), Network(width=8)
    reader = Cycles(task, network)
    p = reader.probabilities(initialize(network, 6, 3, generator()).unsqueeze(0), task.draw_seeds(1, 1, generator()))[0]
    along = p[reader.view_of].double()
    total = 0
    for colors in itertools.product(range(3), repeat=5):
        if all(a != b for a, b in zip(colors, colors[1:] + colors[:1], strict=True)):
            total = total + along[:, torch.arange(5), list(colors)].prod(1)
    torch.testing.assert_close(torch.from_numpy(reader.sampled(p)), total)
    assert (
        1 - reader.sampled(p) <= reader.loss(p.unsqueeze(0)) * 15 + 1e-6
    ).all()  # the loss bounds P(invalid), table 2


@pytest.mark.parametrize("n", [3, 4, 5, 10])
def test_wrong_answers_are_counted(n):
    """Valid 3-colourings of a cycle: 2^n + 2 (-1)^n."""
    assert Cycles(Coloring(n), Network(layers=1)).wrong_answers == 3**n - (2**n + 2 * (-1) ** n)
