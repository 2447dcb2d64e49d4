"""Reads what a network recalls off random memories, each asked for all keys (section 3.2)."""

import numpy as np
import torch
from torch import Tensor

from randformer.contract import EvaluationSet
from randformer.core.transformer import Network
from randformer.problems.recall.task import BASES, MOST_SEEDS, Recall

SLICE = 64  # seeds through the network at once, for one input


class Memories(EvaluationSet):
    """Reads what a model recalls of 16 x 2^bits memories, each asked for all n keys, under any seeds.

    Each of 16 random memories is used in 2^bits versions, all its values XORed with the same number. So every pair of
    a key and a target value occurs in exactly 16 memories, whose other values are uniform and independent of both; as
    many as public code has. The 16 are the run's own, so that the spread of runs is also that of memories. Input x is
    memory x // n asked for key x % n.
    """

    binary = Recall.binary

    def __init__(self, task: Recall, network: Network, generator: torch.Generator):
        self.task, self.network = task, network
        values = 2**task.bits
        base = torch.randint(values, (BASES, 1, task.n), generator=generator)
        self.memories = (base ^ torch.arange(values).view(1, -1, 1)).flatten(0, 1)
        self.targets = self.memories.flatten().numpy()
        self.groups = np.arange(self.inputs) % task.n * values + self.targets  # key and target value of each input
        self.wrong_answers = values - 1
        if 2**task.seed_bits <= MOST_SEEDS:
            place = torch.arange(task.seed_bits)
            self.seeds = (torch.arange(2**task.seed_bits).view(-1, 1, 1) >> place & 1).float()

    @property
    def inputs(self) -> int:
        return self.memories.numel()

    def probabilities(self, parameters: Tensor, seeds: Tensor) -> Tensor:
        """P(bit = 1) (m, X, bits), doubles, of one model (1, P) under seeds (m, 1, seed bits)."""
        with torch.no_grad():
            logits = self.task.logits(self.network, parameters, self.memories.unsqueeze(0), seeds.unsqueeze(0))
        return logits[0].flatten(1, 2).double().sigmoid()

    def answers(self, probabilities: Tensor) -> np.ndarray:
        """Whole answers (m, X) uint8, from (m, X, bits): the more probable bits, as a number."""
        return self.decided(probabilities)

    def decided(self, probabilities: Tensor) -> np.ndarray:
        """The same of any inputs, (...), from (..., bits)."""
        return self.task.join(probabilities > 0.5).numpy()

    def probabilities_to(self, index: int, parameters: Tensor, seeds: Tensor) -> Tensor:
        """P(bit = 1) (m, bits) of the one input of that index, under seeds (m, 1, seed bits)."""
        memory = torch.cat([self.memories[index // self.task.n], torch.tensor([index % self.task.n])]).unsqueeze(0)
        parts = [self.task.probabilities_of(self.network, parameters, memory, part) for part in seeds.split(SLICE)]
        return torch.cat(parts)

    def right(self, answers: np.ndarray, inputs=slice(None)) -> np.ndarray:
        """Whether answers (..., inputs) are the values asked for."""
        return answers == self.targets[inputs]

    def loss(self, probabilities: Tensor) -> np.ndarray:
        """Mean over the bits of the binary cross-entropy, (X,), mean over the seeds of (m, X, bits): figure 3C.

        A double cannot tell probabilities below 1e-16 from 0; they count as that, a loss of 37.
        """
        return -self.of_right(probabilities).clamp_min(1e-16).log().mean((0, 2)).numpy()

    def sampled(self, probabilities: Tensor) -> np.ndarray:
        """Exact P(right), (X,), of bits sampled independently from one seed's (X, bits)."""
        return self.of_right(probabilities.double()).prod(1).numpy()

    def of_right(self, probabilities: Tensor) -> Tensor:
        """Probability of each right bit, (..., X, bits)."""
        bits = self.task.split(self.memories.flatten())
        return torch.where(bits > 0, probabilities, 1 - probabilities)

    def recalled(self, probabilities: Tensor) -> np.ndarray:
        """Share of the memories (m, n) whose pair is recalled, under each seed at each key, from (m, X, bits)."""
        right = [
            self.right(self.answers(part)).reshape(len(part), -1, self.task.n) for part in probabilities.split(SLICE)
        ]
        return np.concatenate([part.mean(1) for part in right])

    def details(self, probabilities: Tensor, measured: dict) -> dict:
        """What else the figures show, of probabilities (m, X, bits) and of success (X,) by way of answering.

        Mean variance over seeds of a probability; share of memories whose pair is recalled at each key, over all seeds;
        for each seed the number of pairs held, those recalled in at least half of the memories; for each vote the
        number of inputs at a success rate of 0, 1, ... 100 %.
        """
        recalled = self.recalled(probabilities)
        votes = {name: (100 * shares).round().astype(int) for name, shares in measured.items() if name != "success"}
        return {
            "variance": float(probabilities.var(0, correction=0).double().mean()),
            "keys": recalled.mean(0).tolist(),
            "held": (recalled >= 0.5).sum(1).tolist(),
            "votes": {name: np.bincount(shares, minlength=101).tolist() for name, shares in votes.items()},
        }
