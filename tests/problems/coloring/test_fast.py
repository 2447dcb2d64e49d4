"""The cheap way gives the numbers of the plain one, and their gradients."""

from dataclasses import dataclass

import pytest
import torch

from randformer.core.transformer import Network, forward, initialize
from randformer.problems.coloring.fast import applies, fast_losses
from randformer.problems.coloring.task import Coloring


def plain(task, network, parameters, cycles, seeds):
    logits = forward(network, parameters, task.tokens(cycles, seeds), task.mask(cycles), task.outputs)
    return task.loss(logits, cycles)


def drawn(task, network, models, m, batch):
    """Parameters with biases other than 0, cycles and seeds of so many models, doubles."""
    generator = torch.Generator().manual_seed(0)
    rows = [initialize(network, task.token_size, task.outputs, generator) for _ in range(models)]
    parameters = torch.stack(rows).double()
    parameters += 0.1 * torch.randn(parameters.shape, generator=generator, dtype=torch.double)
    cycles = torch.stack([task.draw_inputs(batch, generator) for _ in range(models)])
    seeds = torch.stack([task.draw_seeds(m, batch, generator) for _ in range(models)]).double()
    return parameters, cycles, seeds


def with_gradient(way, task, network, parameters, cycles, seeds):
    """Losses, and the gradient of a sum in which no two models, seeds and cycles weigh the same."""
    parameters = parameters.clone().requires_grad_()
    found = way(task, network, parameters, cycles, seeds)
    weight = torch.rand(found.shape, generator=torch.Generator().manual_seed(1), dtype=torch.double)
    return found, torch.autograd.grad((weight.to(found.dtype) * found).sum(), parameters)[0]


@pytest.mark.parametrize("noise", ["vertex", "graph"])
@pytest.mark.parametrize("embedding", [0, 1, 2])
@pytest.mark.parametrize(("models", "m", "batch"), [(1, 1, 1), (1, 4, 30), (3, 3, 7)])
@pytest.mark.parametrize("n", [3, 4, 5, 6, 10])
def test_losses_and_gradients_are_those_of_the_plain_network(n, models, m, batch, embedding, noise):
    task, network = Coloring(n, noise=noise), Network(width=12, key_size=5, embedding=embedding)
    given = drawn(task, network, models, m, batch)
    expected = with_gradient(plain, task, network, *given)
    for way in (fast_losses, Coloring.losses):  # all models at once, and as it is used
        for found, right in zip(with_gradient(way, task, network, *given), expected, strict=True):
            torch.testing.assert_close(found, right, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("models", [1, 3])
def test_in_single_precision_it_rounds_as_the_plain_network_does(models):
    task, network = Coloring(), Network()
    parameters, cycles, seeds = drawn(task, network, models, 10, 64)
    right = with_gradient(plain, task, network, parameters, cycles, seeds)
    found = with_gradient(Coloring.losses, task, network, parameters.float(), cycles, seeds.float())
    for single, double in zip(found, right, strict=True):
        assert (single - double).abs().max() < 1e-5 * double.abs().max()


@pytest.mark.parametrize("m", [1, 10])
def test_models_together_have_the_bytes_that_each_has_alone(m):
    task, network = Coloring(), Network()
    parameters, cycles, seeds = drawn(task, network, 3, m, 64)
    given = parameters.float(), cycles, seeds.float()
    together = task.losses(network, *given)
    for i in range(3):
        assert torch.equal(task.losses(network, *(part[i : i + 1].clone() for part in given)), together[i : i + 1])


def test_slices_of_the_seeds_have_the_losses_of_the_whole():
    task, network = Coloring(6), Network()
    parameters, cycles, seeds = drawn(task, network, 2, 5, 20)
    parts = [task.losses(network, parameters, cycles, part) for part in seeds.split(2, 1)]
    torch.testing.assert_close(torch.cat(parts, 1), task.losses(network, parameters, cycles, seeds))


@dataclass(frozen=True)
class Wider(Network):
    """A network of tomorrow."""

    dropout: float = 0.0


@dataclass(frozen=True)
class Harder(Coloring):
    """A task of tomorrow."""

    chords: int = 0


def test_it_is_asked_only_for_what_it_computes():
    assert applies(Coloring(), Network())
    assert applies(Coloring(noise="graph"), Network(key_size=5, embedding=0))
    for other in ({"attention": "softmax"}, {"heads": 2}, {"mlp": True}, {"layer_norm": True}, {"layers": 3}):
        assert not applies(Coloring(), Network(**other))
    for other in ({"self_loop": True}, {"seeds_per": "input"}):
        assert not applies(Coloring(**other), Network())
    assert applies(Harder(8), Wider(20))
    assert not applies(Coloring(), Wider(dropout=0.1))
    assert not applies(Harder(chords=1), Network())


@pytest.mark.parametrize(
    ("task", "network"),
    [
        (Coloring(5, self_loop=True), Network()),
        (Coloring(5, seeds_per="input"), Network()),
        (Coloring(5), Network(layers=3)),
        (Coloring(5), Network(mlp=True)),
    ],
    ids=str,
)
def test_what_it_cannot_compute_is_computed_plainly(task, network):
    given = drawn(task, network, 2, 3, 4)
    assert torch.equal(task.losses(network, *given), plain(task, network, *given))
