"""The adversary hides a coin, 0 or 1; the network sees a seed of random bits and says two logits. B = X = 2 coins."""

from dataclasses import dataclass

import torch

from randformer.contract import EvaluationSet
from randformer.core import adversary, gradient, transformer


@dataclass(frozen=True)
class Coin:
    name, NUMERICS, EVALUATION, outputs, sequences_per_seed = "coin", 1, 1, 2, 1
    n: int = 4  # random bits of a seed, the network's one token
    token_size = property(lambda self: self.n)
    evaluate = staticmethod(adversary.evaluate)

    @classmethod
    def standard(cls):
        return cls(), transformer.Network(8, 1, 1, 8), gradient.GradientTraining(300, 2, warmup=0, learning_rate=0.01)

    def draw_inputs(self, batch, generator):
        return torch.arange(batch, device=generator.device) % 2  # both coins, in turn

    def draw_seeds(self, m, batch, generator):
        return torch.randint(2, (m, 1, self.n), generator=generator, device=generator.device).float()

    def says(self, network, parameters, seeds):
        """P(coin) (K, m, 2) under seeds (K, m, 1, n)."""
        mask = torch.ones(1, 1, dtype=torch.bool, device=seeds.device)
        return transformer.forward(network, parameters, seeds, mask, 2).squeeze(2).softmax(-1)

    def losses(self, network, parameters, inputs, seeds):
        """(K, m, B): how probably two guesses under one seed are not both right. Hedging 3/4, committing 0 or 1."""
        said = self.says(network, parameters, seeds)
        return 1 - said.gather(2, inputs.unsqueeze(1).expand(-1, seeds.shape[1], -1)) ** 2

    def evaluation_set(self, network, generator):
        return Coins(self, network)


class Coins(EvaluationSet):
    inputs, wrong_answers = 2, 1

    def __init__(self, task, network):
        self.task, self.network = task, network

    def probabilities(self, parameters, seeds):
        return self.task.says(self.network, parameters, seeds.unsqueeze(0))[0].detach()

    def answers(self, probabilities):
        return self.decided(probabilities.unsqueeze(1).expand(-1, 2, -1))

    def probabilities_to(self, index, parameters, seeds):
        return self.probabilities(parameters, seeds)

    decided = staticmethod(lambda probabilities: probabilities.argmax(-1).int().numpy())

    def right(self, answers, inputs=slice(None)):
        return answers == torch.arange(2).numpy()[inputs]

    def loss(self, probabilities):
        return 1 - (probabilities.numpy() ** 2).mean(0)

    sampled = staticmethod(lambda probabilities: probabilities.double().numpy())
