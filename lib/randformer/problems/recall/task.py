"""Section 3.2: recall the value that was paired with a key, with a memory too small for all pairs.

One input, with n = 3 pairs of 5 bits (the paper has up to 20 pairs):

    input   10110 01001 11010 ?1           the values of keys 0, 1, 2, and the key that is asked for
    tokens  [10110 100 r] [01001 010 r] [11010 001 r] [00000 010 r]     value, key one-hot, seed; the query has no value
    mask    each token sees itself and those before it
    output  5 bits at the query's token: 01001

The seed r is a vector of random bits, the same at every token and for all inputs of a batch. Memories are held as
whole numbers, 0 to 31 per value. A row of inputs is a memory (n numbers) that is asked for every key, or a memory and
the one key it is asked for (n + 1 numbers).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from randformer.core import adversary
from randformer.core.gradient import GradientTraining
from randformer.core.runs import NetworkRun
from randformer.core.transformer import Network, forward
from randformer.harness.checks import BadInput, at_least, numbers, one_of
from randformer.problems.recall.fast import applies, fast_logits

if TYPE_CHECKING:
    from randformer.problems.recall.evaluation import Memories

BASES = 16  # random memories of the evaluation, for each query and target value
MOST_SEEDS = 1024  # that the evaluation lists: as many as the paper's ten bits make
MOST_BITS = 8  # of a value: all values are enumerated


def table_1(steps: int, batch: int, warmup: int = 2000) -> GradientTraining:
    """Table 1's optimizer; the number of steps is public code's (10,000, where a comment says 30,000)."""
    return GradientTraining(
        steps,
        batch,
        warmup,
        learning_rate=3e-3,
        final_learning_rate=3e-4,
        beta1=0.9,
        beta2=0.95,
        eps=1e-5,
        weight_decay=0.0,
    )


@dataclass(frozen=True)
class Recall:
    """Table 1's task. Raises BadInput for fewer than 2 pairs, or no bits."""

    name = "recall"
    NUMERICS = 1  # raised when a training comes out differently on purpose: its records are made anew
    EVALUATION = 2  # raised when a stored evaluation would come out differently: it is made anew

    n: int = 20  # pairs
    bits: int = 5  # of a value
    seed_bits: int = 10
    queries: str = "one"  # of each memory drawn: "one" random key (table 1); "all" keys, n inputs for the price of two

    def __post_init__(self):
        at_least("n (pairs)", self.n, 2)
        at_least("bits", self.bits, 1, MOST_BITS)
        at_least("seed_bits", self.seed_bits, 1)
        one_of("queries", self.queries, ("one", "all"))

    @property
    def token_size(self) -> int:
        return self.bits + self.n + self.seed_bits

    sequences_per_seed = 1  # sequences that one seed of an input stands for

    @property
    def outputs(self) -> int:
        return self.bits

    @classmethod
    def standard(cls) -> tuple["Recall", Network, GradientTraining]:
        """Table 1; the network is as the calibration in the notebook found it."""
        return cls(), Network(width=40, layers=2, heads=1, key_size=5, embedding=2), table_1(30_000, 512)

    def evaluate(self, run: NetworkRun, parameters: Tensor, fixed_seed: Tensor | None) -> dict:
        """What a model (1, P) recalls, as JSON numbers."""
        return adversary.evaluate(run, parameters, fixed_seed)

    def training_bytes(self, run: NetworkRun) -> int:
        """Bytes of a step's seeds, and of keys, values and queries under one of them."""
        network, tokens = run.network, run.training.batch * (1 if self.queries == "all" else self.n)
        return 4 * (run.objective.m * self.seed_bits + tokens * network.layers * 3 * network.heads * network.key_size)

    def evaluation_bytes(self, run: NetworkRun) -> int:
        """Bytes of all memories, and of what is said of them under all seeds that are looked at one by one."""
        seeds = 1 if run.objective.fixed_seed else min(2**self.seed_bits, MOST_SEEDS)
        return BASES * 2**self.bits * self.n * (8 + 4 * self.bits * (2 + seeds))

    def draw_inputs(self, batch: int, generator: torch.Generator) -> Tensor:
        """Random memories and what they are asked, B = batch inputs: (B, n + 1), or (B / n, n) if asked for all keys.

        Raises BadInput where all keys are asked for and n does not divide the batch.
        """
        if self.queries == "all" and batch % self.n:
            raise BadInput(f"batch = {batch}: asked for all n = {self.n} keys, give a multiple of n")
        device, one = generator.device, self.queries == "one"
        memories = batch if one else batch // self.n
        values = torch.randint(2**self.bits, (memories, self.n), generator=generator, device=device)
        keys = torch.randint(self.n, (memories, int(one)), generator=generator, device=device)
        return torch.cat([values, keys], 1)

    def draw_seeds(self, m: int, batch: int, generator: torch.Generator) -> Tensor:
        """Seeds (m, 1, seed bits), zeros and ones as floats; all inputs share them."""
        return torch.randint(2, (m, 1, self.seed_bits), generator=generator, device=generator.device).float()

    def keys(self, inputs: Tensor) -> Tensor:
        """Keys (..., M, Q) that inputs (..., M, n or n + 1) ask for: all Q = n of them, or Q = 1."""
        if inputs.shape[-1] > self.n:
            return inputs[..., self.n :]
        return torch.arange(self.n, device=inputs.device).expand(inputs.shape)

    def targets(self, inputs: Tensor) -> Tensor:
        """The right values (..., M, Q), as numbers."""
        return inputs[..., : self.n].gather(-1, self.keys(inputs))

    def split(self, values: Tensor) -> Tensor:
        """Values (...) as bits (..., bits), floats, the lowest bit first."""
        return (values.unsqueeze(-1) >> torch.arange(self.bits, device=values.device) & 1).float()

    def join(self, bits: Tensor) -> Tensor:
        """Booleans (..., bits) as values (...), bytes."""
        return sum(bits[..., i].to(torch.uint8) << i for i in range(self.bits))

    def tokens(self, inputs: Tensor, seeds: Tensor) -> Tensor:
        """Tokens (K, m, M, n + Q, I), pairs then queries, of inputs (K, M, n or n + 1), seeds (K, m, 1, seed bits)."""
        keys = self.keys(inputs)
        order = torch.cat([torch.arange(self.n, device=keys.device).expand(*keys.shape[:-1], self.n), keys], -1)
        values = self.split(inputs[..., : self.n])
        values = torch.cat([values, values.new_zeros(*keys.shape, self.bits)], -2)
        known = torch.cat([values, F.one_hot(order, self.n).to(values.dtype)], -1).unsqueeze(1)
        shape = (*known.shape[:1], seeds.shape[1], *known.shape[2:4], -1)
        return torch.cat([known.to(seeds.dtype).expand(shape), seeds.unsqueeze(3).expand(shape)], -1)

    def mask(self, queries: int, device: torch.device) -> Tensor:
        """Who sees whom (1, 1, 1, T, T), T = n + queries: a token those before it and itself, but no other query.

        So several queries to one memory are answered side by side, each as if it were the only one.
        """
        sees = torch.ones(self.n + queries, self.n + queries, dtype=torch.bool, device=device).tril()
        sees[self.n :, self.n :] = torch.eye(queries, dtype=torch.bool, device=device)
        return sees.view(1, 1, 1, *sees.shape)

    def logits(self, network: Network, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
        """Logits (K, m, M, Q, bits) of models (K, P) on inputs (K, M, n or n + 1) under seeds (K, m, 1, seed bits)."""
        if applies(self, network):
            return fast_logits(self, network, parameters, inputs, seeds)
        queries = self.keys(inputs).shape[-1]
        mask = self.mask(queries, inputs.device)
        return forward(network, parameters, self.tokens(inputs, seeds), mask, self.bits)[..., self.n :, :]

    def losses(self, network: Network, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
        """Binary cross-entropy summed over the bits, (K, m, B), B = M x Q; table 1.

        Model by model on a CPU: its products of small matrices round differently with the place in memory, and a model
        must have the same numbers trained alone and beside others. A GPU takes all at once.
        """
        if len(parameters) > 1 and parameters.device.type == "cpu":
            alone = zip(parameters.split(1), inputs.split(1), seeds.split(1), strict=True)
            return torch.cat([self.losses(network, *(part.clone() for part in model)) for model in alone])
        logits = self.logits(network, parameters, inputs, seeds)
        right = self.split(self.targets(inputs)).unsqueeze(1).to(logits.dtype)
        return F.softplus(logits * (1 - 2 * right)).sum(-1).flatten(2)

    def evaluation_set(self, network: Network, generator: torch.Generator) -> "Memories":
        from randformer.problems.recall.evaluation import Memories  # which reads what this file makes

        return Memories(self, network, generator)

    # A trained model at work on what a person types: contract.Playable

    leading: ClassVar[dict] = {"n": 20, "q": 100, "m": 30}  # figure 1B

    binary = True

    def typed(self, x) -> Tensor:
        """Inputs (1, n + 1) of x = (values, key): n whole numbers from 0 to 2^bits - 1, a key from 0 to n - 1."""
        if not isinstance(x, (tuple, list)) or len(x) != 2:
            raise BadInput(f"x = {x!r}: give (values, key), a list of {self.n} values and the key that is asked for")
        values = numbers("values", x[0], self.n, 0, 2**self.bits - 1)
        return torch.tensor([values + numbers("key", [x[1]], 1, 0, self.n - 1)])

    def typed_seed(self, seed) -> Tensor:
        """A seed (1, 1, seed bits) of a list of zeros and ones."""
        bits = numbers("seed", seed, self.seed_bits, 0.0, 1.0)
        if not set(bits) <= {0, 1}:
            raise BadInput(f"seed = {bits}: give {self.seed_bits} zeros and ones")
        return torch.tensor(bits).float().view(1, 1, -1)

    def answers_of(self, network: Network, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> list[int]:
        """The values recalled, from 0 to 2^bits - 1."""
        return self.decided(self.probabilities_of(network, parameters, inputs, seeds))

    def decided(self, probabilities: Tensor) -> list[int]:
        """The values that are most probable, of P(bit = 1) (m, bits)."""
        return self.join(probabilities > 0.5).tolist()

    def probabilities_of(self, network: Network, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
        """P(bit = 1) (m, bits), the lowest bit first."""
        with torch.no_grad():
            logits = self.logits(network, parameters, inputs.unsqueeze(0), seeds.unsqueeze(0))
        return logits[0, :, 0, 0].sigmoid()
