import pytest
import torch

from randformer.core.transformer import Network, initialize
from randformer.harness.checks import BadInput
from randformer.problems.recall.task import Recall

NETWORK = Network(width=12, key_size=3, embedding=2)


def drawn(task: Recall, network: Network = NETWORK, models: int = 2, m: int = 3, batch: int = 12):
    """Parameters (K, P), inputs and seeds in double precision."""
    generator = torch.Generator().manual_seed(0)
    parameters = [initialize(network, task.token_size, task.outputs, generator) for _ in range(models)]
    inputs = [task.draw_inputs(batch, generator) for _ in range(models)]
    seeds = [task.draw_seeds(m, batch, generator) for _ in range(models)]
    return torch.stack(parameters).double(), torch.stack(inputs), torch.stack(seeds).double()


def test_tokens_are_value_key_and_seed_and_the_query_has_no_value():
    task = Recall(n=3, bits=2, seed_bits=2)
    memory = torch.tensor([[[1, 0, 2, 1]]])  # values 1, 0, 2; asked for key 1
    seed = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
    expected = [[1, 0, 1, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0, 1], [0, 1, 0, 0, 1, 0, 1], [0, 0, 0, 1, 0, 0, 1]]
    assert task.tokens(memory, seed)[0, 0, 0].tolist() == expected
    assert task.targets(memory).tolist() == [[[0]]]
    sees = [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
    assert task.mask(1, memory.device)[0, 0, 0].int().tolist() == sees


def test_values_are_numbers_of_bits():
    task = Recall(n=2, bits=3)
    values = torch.arange(8)
    assert task.split(torch.tensor(6)).tolist() == [0, 1, 1]
    assert torch.equal(task.join(task.split(values) > 0), values)


@pytest.mark.parametrize(
    "network",
    [
        NETWORK,
        Network(width=20, key_size=3, embedding=0),
        Network(width=12, key_size=3, attention="softmax", layer_norm=True, mlp=True),
    ],
)
def test_a_memory_asked_for_all_keys_answers_as_if_asked_for_each_alone(network):
    task = Recall(n=4, bits=3, seed_bits=5, queries="all")
    parameters, inputs, seeds = drawn(task, network)
    together = task.logits(network, parameters, inputs, seeds)
    for key in range(task.n):
        asked = torch.cat([inputs, torch.full((*inputs.shape[:2], 1), key)], 2)
        alone = task.logits(network, parameters, asked, seeds)
        torch.testing.assert_close(together[:, :, :, key : key + 1], alone)


def test_losses_are_the_binary_cross_entropy_of_the_asked_value():
    task = Recall(n=4, bits=3, seed_bits=5)
    parameters, inputs, seeds = drawn(task)
    p = task.logits(NETWORK, parameters, inputs, seeds).sigmoid()[:, :, :, 0]
    values = inputs[..., :4].gather(-1, inputs[..., 4:])
    bits = (values >> torch.arange(3)) % 2
    expected = torch.nn.functional.binary_cross_entropy(p, bits.double().unsqueeze(1).expand_as(p), reduction="none")
    torch.testing.assert_close(task.losses(NETWORK, parameters, inputs, seeds), expected.sum(-1))


def test_losses_of_all_keys_are_those_of_single_keys():
    task = Recall(n=4, bits=3, seed_bits=5, queries="all")
    parameters, inputs, seeds = drawn(task)
    together = task.losses(NETWORK, parameters, inputs, seeds)
    assert together.shape == (2, 3, 12)
    alone = [
        task.losses(NETWORK, parameters, torch.cat([inputs, torch.full((2, 3, 1), key)], 2), seeds) for key in range(4)
    ]
    torch.testing.assert_close(together, torch.stack(alone, 3).flatten(2))


def test_drawn_inputs_are_uniform_and_as_many_as_asked_for():
    generator = torch.Generator().manual_seed(0)
    one, every = Recall(n=4, bits=2).draw_inputs(4000, generator), Recall(4, 2, 10, "all").draw_inputs(4000, generator)
    assert one.shape == (4000, 5)
    assert every.shape == (1000, 4)
    for column in range(4):
        assert torch.bincount(one[:, column], minlength=4).min() > 850
        assert torch.bincount(every[:, column], minlength=4).min() > 190
    assert torch.bincount(one[:, 4], minlength=4).min() > 850


def test_a_batch_must_hold_whole_memories():
    with pytest.raises(BadInput, match=r"batch = 10: asked for all n = 4 keys, give a multiple of n"):
        Recall(n=4, queries="all").draw_inputs(10, torch.Generator())


def test_seeds_are_bits_shared_by_all_inputs():
    seeds = Recall().draw_seeds(500, 64, torch.Generator().manual_seed(0))
    assert seeds.shape == (500, 1, 10)
    assert set(seeds.unique().tolist()) == {0, 1}
    assert seeds.mean().item() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"n": 1}, r"n \(pairs\) = 1: give a whole number, at least 2"),
        ({"bits": 0}, "bits = 0: give a whole number, at least 1 and at most 8"),
        ({"bits": 9}, "bits = 9: give a whole number, at least 1 and at most 8"),
        ({"seed_bits": 0}, "seed_bits = 0: give a whole number, at least 1"),
        ({"queries": "two"}, "queries = 'two': give one of one, all"),
    ],
)
def test_impossible_tasks_are_refused(bad, told):
    with pytest.raises(BadInput, match=told):
        Recall(**bad)
