"""The cheap way gives the numbers of the plain one, and their gradients."""

from dataclasses import dataclass

import pytest
import torch

from randformer.core.transformer import Network, forward, initialize
from randformer.problems.recall.fast import Recurrence, applies, fast_logits
from randformer.problems.recall.task import Recall


def plain(task, network, parameters, inputs, seeds):
    queries = task.keys(inputs).shape[-1]
    tokens, mask = task.tokens(inputs, seeds), task.mask(queries, inputs.device)
    return forward(network, parameters, tokens, mask, task.bits)[..., task.n :, :]


@pytest.mark.parametrize("queries", ["one", "all"])
@pytest.mark.parametrize("embedding", [0, 1, 2])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("m", "memories"), [(1, 2), (3, 2), (3, 9)])
def test_logits_and_gradients_are_those_of_the_plain_network(queries, embedding, layers, m, memories):
    task = Recall(n=5, bits=3, seed_bits=4, queries=queries)
    network = Network(width=14, layers=layers, key_size=3, embedding=embedding)
    generator = torch.Generator().manual_seed(0)
    batch = memories * (5 if queries == "all" else 1)  # fewer memories than values, and more
    rows = [initialize(network, task.token_size, task.bits, generator) for _ in range(2)]
    parameters = torch.stack(rows).double().requires_grad_()
    inputs = torch.stack([task.draw_inputs(batch, generator) for _ in range(2)])
    seeds = torch.stack([task.draw_seeds(m, batch, generator) for _ in range(2)]).double()
    weight = torch.rand(2, m, 1, 1, 1, generator=generator, dtype=torch.double)  # no two models and seeds alike
    found, expected = (way(task, network, parameters, inputs, seeds) for way in (fast_logits, plain))
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad((weight * y.sin()).sum(), parameters)[0] for y in (found, expected)]
    torch.testing.assert_close(*gradients)


@dataclass(frozen=True)
class Wider(Network):
    """A network of tomorrow."""

    dropout: float = 0.0


@dataclass(frozen=True)
class Harder(Recall):
    """A task of tomorrow."""

    distractors: int = 0


def test_it_is_asked_only_for_what_it_computes():
    assert applies(Recall(), Network(key_size=5, embedding=2))
    assert applies(Harder(7, 3, 4, "all"), Wider(20, 3))
    for other in ({"attention": "softmax"}, {"heads": 2}, {"mlp": True}, {"layer_norm": True}):
        assert not applies(Recall(), Network(**other))
    assert not applies(Recall(), Wider(dropout=0.1))
    assert not applies(Harder(distractors=1), Network())


def test_the_recurrence_is_causal_attention_and_its_gradient_right():
    generator = torch.Generator().manual_seed(0)
    key, value, query = (torch.randn(2, 4, 3, 5, generator=generator, dtype=torch.double) for _ in range(3))
    found, last = Recurrence.apply(key, value, query)
    scores = torch.einsum("kidx,kjdx->kijx", query, key) * torch.ones(4, 4).tril().view(1, 4, 4, 1)
    torch.testing.assert_close(found, torch.einsum("kijx,kjdx->kidx", scores, value))
    torch.testing.assert_close(last, torch.einsum("kiax,kibx->kabx", key, value))
    inputs = [x.requires_grad_() for x in (key, value, query)]
    assert torch.autograd.gradcheck(Recurrence.apply, inputs)


def test_a_network_that_it_cannot_compute_is_computed_plainly():
    task = Recall(n=3, bits=2, seed_bits=2)
    network = Network(width=8, key_size=3, mlp=True)
    generator = torch.Generator().manual_seed(0)
    parameters = initialize(network, task.token_size, task.bits, generator).unsqueeze(0)
    inputs, seeds = task.draw_inputs(4, generator).unsqueeze(0), task.draw_seeds(2, 4, generator).unsqueeze(0)
    found = task.logits(network, parameters, inputs, seeds)
    torch.testing.assert_close(found, plain(task, network, parameters, inputs, seeds))
