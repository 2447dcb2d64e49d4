import itertools

import numpy as np
import pytest
import torch

from randformer.core.transformer import Network, initialize
from randformer.problems.recall.evaluation import BASES, Memories
from randformer.problems.recall.task import Recall

NETWORK = Network(width=12, key_size=3, embedding=2)


def memories(task: Recall) -> Memories:
    return Memories(task, NETWORK, torch.Generator().manual_seed(0))


def test_every_key_is_asked_for_every_value_equally_often():
    reader = memories(Recall(n=3, bits=2))
    assert reader.inputs == 16 * 4 * 3
    assert np.bincount(reader.groups).tolist() == [BASES] * 12
    for key in range(3):
        asked = np.arange(reader.inputs) % 3 == key
        assert np.array_equal(reader.targets[asked], reader.memories[:, key].numpy())
        others = reader.memories[:, (key + 1) % 3]
        for value in range(4):  # whatever the value asked for, the others are all there
            assert torch.bincount(others[reader.memories[:, key] == value], minlength=4).min() >= 1


def test_the_reader_agrees_with_the_logits_of_single_inputs():
    task = Recall(n=3, bits=2, seed_bits=4)
    reader = memories(task)
    parameters = initialize(NETWORK, task.token_size, task.outputs, torch.Generator().manual_seed(0)).unsqueeze(0) * 1.5
    seeds = task.draw_seeds(100, 1, torch.Generator().manual_seed(1))
    p = reader.probabilities(parameters, seeds)
    answers = reader.answers(p)
    for index in (0, 100, 191):
        memory, key = reader.memories[index // 3], torch.tensor([index % 3])
        logits = task.logits(NETWORK, parameters, torch.cat([memory, key]).view(1, 1, -1), seeds.unsqueeze(0))
        torch.testing.assert_close(p[:, index], logits[0, :, 0, 0].double().sigmoid(), atol=1e-5, rtol=1e-4)
        assert np.array_equal(reader.decided(reader.probabilities_to(index, parameters, seeds)), answers[:, index])
        assert np.array_equal(reader.right(answers[:, index], index), answers[:, index] == memory[key].item())
    bits = task.split(torch.from_numpy(reader.targets))
    chance = torch.where(bits > 0, p[0], 1 - p[0])
    assert reader.sampled(p[0]) == pytest.approx(chance.prod(1).numpy(), rel=1e-5)
    assert reader.loss(p[:1]) == pytest.approx(-chance.clamp_min(1e-16).log().mean(1).numpy(), rel=1e-4)


def test_details_count_the_pairs_held():
    """A model that recalls keys 0 and 1 under seed 0, only key 2 under seed 1."""
    reader = memories(Recall(n=3, bits=2))
    keys = np.arange(reader.inputs) % 3
    wrong = (reader.targets + 1) % 4
    answers = np.stack([np.where(keys < 2, reader.targets, wrong), np.where(keys == 2, reader.targets, wrong)])
    said = reader.task.split(torch.from_numpy(answers))
    votes = np.repeat([0.0, 0.5, 1.0], reader.inputs // 3)
    found = reader.details(said, {"majority5": votes})
    counts = found.pop("votes")["majority5"]
    assert found == {
        "variance": pytest.approx(said.var(0, correction=0).mean()),
        "keys": [0.5, 0.5, 0.5],
        "held": [2, 1],
    }
    assert (counts[0], counts[50], counts[100], sum(counts)) == (64, 64, 64, 192)


def test_runs_have_memories_of_their_own_and_all_seeds():
    """So that what the draw of memories puts a run off by is seen in the spread of runs."""
    task = Recall(n=3, bits=2, seed_bits=4)
    readers = [Memories(task, NETWORK, torch.Generator().manual_seed(i)) for i in (0, 0, 1)]
    assert torch.equal(readers[0].memories, readers[1].memories)
    assert not torch.equal(readers[0].memories, readers[2].memories)
    assert sorted(map(tuple, readers[0].seeds[:, 0].tolist())) == sorted(itertools.product((0.0, 1.0), repeat=4))
    assert memories(Recall(n=3, seed_bits=11)).seeds is None
