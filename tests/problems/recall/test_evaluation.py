import numpy as np
import pytest
import torch

from randformer.core.transformer import Network, initialize
from randformer.problems.recall.evaluation import BASES
from randformer.problems.recall.task import Recall

NETWORK = Network(width=12, key_size=3, embedding=2)


def test_every_key_is_asked_for_every_value_equally_often():
    reader = Recall(n=3, bits=2).evaluation_set(NETWORK)
    assert reader.inputs == 64 * 4 * 3
    assert np.bincount(reader.groups).tolist() == [BASES] * 12
    for key in range(3):
        asked = np.arange(reader.inputs) % 3 == key
        assert np.array_equal(reader.targets[asked], reader.memories[:, key].numpy())
        others = reader.memories[:, (key + 1) % 3]
        for value in range(4):  # whatever the value asked for, the others are all there
            assert torch.bincount(others[reader.memories[:, key] == value], minlength=4).min() >= 4


def test_the_reader_agrees_with_the_logits_of_single_inputs():
    task = Recall(n=3, bits=2, seed_bits=4)
    reader = task.evaluation_set(NETWORK)
    parameters = initialize(NETWORK, task.token_size, task.outputs, torch.Generator().manual_seed(0)).unsqueeze(0) * 1.5
    seeds = task.draw_seeds(100, 1, torch.Generator().manual_seed(1))
    p = reader.probabilities(parameters, seeds)
    answers = np.stack([reader.answers(one) for one in p])
    for index in (0, 100, 767):
        memory, key = reader.memories[index // 3], torch.tensor([index % 3])
        logits = task.logits(NETWORK, parameters, torch.cat([memory, key]).view(1, 1, -1), seeds.unsqueeze(0))
        torch.testing.assert_close(p[:, index], logits[0, :, 0, 0].double().sigmoid(), atol=1e-5, rtol=1e-4)
        assert np.array_equal(reader.answers_to(index, parameters, seeds), answers[:, index])
        assert np.array_equal(reader.right(answers[:, index], index), answers[:, index] == memory[key].item())
    bits = task.split(torch.from_numpy(reader.targets))
    chance = torch.where(bits > 0, p[0], 1 - p[0])
    assert reader.sampled(p[0]) == pytest.approx(chance.prod(1).numpy(), rel=1e-5)
    assert reader.loss(p[0]) == pytest.approx(-chance.clamp_min(1e-16).log().mean(1).numpy(), rel=1e-4)


def test_details_count_the_pairs_held():
    """A model that recalls keys 0 and 1 under seed 0, only key 2 under seed 1."""
    reader = Recall(n=3, bits=2).evaluation_set(NETWORK)
    keys = np.arange(reader.inputs) % 3
    wrong = (reader.targets + 1) % 4
    answers = np.stack([np.where(keys < 2, reader.targets, wrong), np.where(keys == 2, reader.targets, wrong)])
    votes = np.repeat([0.0, 0.5, 1.0], reader.inputs // 3)
    found = reader.details({"answers": answers, "variance": np.full((reader.inputs, 2), 0.25)}, {"majority5": votes})
    counts = found.pop("votes")["majority5"]
    assert found == {"variance": 0.25, "keys": [0.5, 0.5, 0.5], "held": [2, 1]}
    assert (counts[0], counts[50], counts[100], sum(counts)) == (256, 256, 256, 768)
