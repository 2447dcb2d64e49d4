"""Section 3.3: colour the vertices of a cycle with three colours, each vertex seeing only its direct neighbours.

One input, with n = 5 (the paper's cycles have 10):

    input   3 - 0 - 4 - 2 - 1 - (back to 3)                                    a walk around the cycle
    tokens  [id 0, r_0] [id 1, r_1] [id 2, r_2] [id 3, r_3] [id 4, r_4]        id one-hot, r one float in [0, 1]
    mask    0 sees 3, 4     1 sees 2, 3     2 sees 1, 4     ...                the cycle's edges
    output  a colour for each token; an edge whose ends share a colour makes the colouring invalid

So the tokens are the same for every cycle, only the mask tells cycles apart. The float belongs to the vertex's id: a
seed is a vector of n floats, which all cycles of a batch share.
"""

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from randformer.core import adversary
from randformer.core.gradient import GradientTraining
from randformer.core.runs import NetworkRun
from randformer.core.transformer import Network, forward
from randformer.harness.checks import BadInput, at_least, numbers, one_of
from randformer.problems.coloring.fast import applies, fast_losses

if TYPE_CHECKING:
    from randformer.problems.coloring.evaluation import Cycles

COLORS = 3
MOST = 10  # vertices: every cycle is enumerated, and 11 vertices have 1.8 million


@dataclass(frozen=True)
class Coloring:
    """Table 2's task. Raises BadInput for fewer than 3 vertices or more than 10."""

    name = "coloring"
    NUMERICS = 2  # raised when a training comes out differently on purpose: its records are made anew
    EVALUATION = 2  # raised when a stored evaluation would come out differently: it is made anew

    n: int = 10  # vertices
    noise: str = "vertex"  # "vertex": one float per vertex; "graph": one for the whole cycle (ablation)
    seeds_per: str = "batch"  # "batch": all inputs of a step share its m seeds (equation 5); "input": fresh (ablation)
    self_loop: bool = False  # whether a vertex also sees itself in attention (ablation)

    def __post_init__(self):
        at_least("n (vertices)", self.n, 3, MOST)
        one_of("noise", self.noise, ("vertex", "graph"))
        one_of("seeds_per", self.seeds_per, ("batch", "input"))
        one_of("self_loop", self.self_loop, (False, True))

    @property
    def token_size(self) -> int:
        return self.n + 1

    outputs = COLORS
    sequences_per_seed = 1  # sequences that one seed of an input stands for

    @classmethod
    def standard(cls) -> tuple["Coloring", Network, GradientTraining]:
        """Table 2; the network is as the calibration in the notebook found it."""
        return cls(), Network(width=16, layers=2, heads=1, key_size=16), GradientTraining(300_000, 256)

    def evaluate(self, run: NetworkRun, parameters: Tensor, fixed_seed: Tensor | None) -> dict:
        """How a model (1, P) colours every cycle, as JSON numbers."""
        return adversary.evaluate(run, parameters, fixed_seed)

    def training_bytes(self, run: NetworkRun) -> int:
        """Bytes of a step's seeds, and of logits and probabilities of all vertices under one of them."""
        batch = run.training.batch
        seeds = run.objective.m * self.n * (batch if self.seeds_per == "input" else 1)
        return 4 * (seeds + batch * self.n * 2 * COLORS)

    def evaluation_bytes(self, run: NetworkRun) -> int:
        """Nothing that grows: of ten vertices at most, every machine can hold all cycles."""
        return 0

    def draw_inputs(self, batch: int, generator: torch.Generator) -> Tensor:
        """Uniform random cycles (B, n): row b lists the ids in walking order."""
        return torch.rand(batch, self.n, generator=generator, device=generator.device).argsort(-1)

    def draw_seeds(self, m: int, batch: int, generator: torch.Generator) -> Tensor:
        """Seeds (m, B or 1, n): m vectors of one float in [0, 1] per id; 1 where the batch shares them."""
        inputs = batch if self.seeds_per == "input" else 1
        floats = self.n if self.noise == "vertex" else 1
        return torch.rand(m, inputs, floats, generator=generator, device=generator.device).expand(m, inputs, self.n)

    def tokens(self, cycles: Tensor, seeds: Tensor) -> Tensor:
        """Tokens (K, m, B or 1, n, n + 1) of seeds (K, m, B or 1, n), vertices in the order of their ids."""
        ids = torch.eye(self.n, dtype=seeds.dtype, device=seeds.device).expand(*seeds.shape, self.n)
        return torch.cat([ids, seeds.unsqueeze(-1)], -1)

    def mask(self, cycles: Tensor) -> Tensor:
        """Who sees whom (K, 1, B, n, n) on cycles (K, B, n)."""
        seen = edges(cycles)
        if self.self_loop:
            seen = seen | torch.eye(cycles.shape[-1], dtype=torch.bool, device=cycles.device)
        return seen.unsqueeze(1)

    def losses(self, network: Network, parameters: Tensor, cycles: Tensor, seeds: Tensor) -> Tensor:
        """Loss (K, m, B) of models (K, P) on cycles (K, B, n) under seeds (K, m, B or 1, n)."""
        if applies(self, network):
            return fast_losses(self, network, parameters, cycles, seeds)
        logits = forward(network, parameters, self.tokens(cycles, seeds), self.mask(cycles), COLORS)
        return self.loss(logits, cycles)

    def loss(self, logits: Tensor, cycles: Tensor) -> Tensor:
        """Sum over edges uv and colours c of P(u = c) P(v = c), (K, m, B), from logits (K, m, B, n, 3): table 2.

        It bounds the probability that sampled colours are invalid. Plots divide it by n x 3, the scale of figure 5B.
        """
        p = logits.movedim(-1, 0).contiguous().softmax(0)  # colours first: 3 is too short an inner axis to be fast
        beside = torch.einsum("kbuv,ckmbv->ckmbu", edges(cycles).to(p.dtype), p)  # sum over both neighbours
        return (p * beside).sum((0, -1)) / 2

    def evaluation_set(self, network: Network, generator: torch.Generator) -> "Cycles":
        from randformer.problems.coloring.evaluation import Cycles  # which reads what this file makes

        return Cycles(self, network)

    # A trained model at work on what a person types: contract.Playable

    leading: ClassVar[dict] = {"n": 10, "q": 10, "m": 10}  # figure 5
    binary = False

    def typed(self, x) -> Tensor:
        """Inputs (1, n) of a cycle, a list with each of the ids 0 to n - 1 once, in walking order."""
        cycle = numbers("x (a cycle)", x, self.n, 0, self.n - 1)
        if len(set(cycle)) < self.n:
            raise BadInput(f"x (a cycle) = {cycle}: give every vertex from 0 to {self.n - 1} once")
        return torch.tensor([cycle])

    def typed_seed(self, seed) -> Tensor:
        """A seed (1, 1, n) of a list of n numbers from 0 to 1, that of vertex 0 first."""
        floats = numbers("seed", seed, self.n, 0.0, 1.0)
        if self.noise == "graph" and len(set(floats)) > 1:
            raise BadInput(f"seed = {floats}: the vertices of this model share one number, give it {self.n} times")
        return torch.tensor(floats, dtype=torch.float32).view(1, 1, -1)

    def answers_of(self, network: Network, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> list[list[int]]:
        """n colours from 0 to 2, along the walk."""
        return self.decided(self.probabilities_of(network, parameters, inputs, seeds))

    def decided(self, probabilities: Tensor) -> list[list[int]]:
        """The colours that are most probable, of P(colour) (m, n, 3)."""
        return probabilities.argmax(-1).tolist()

    def probabilities_of(self, network: Network, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
        """P(colour) (m, n, 3), along the walk."""
        with torch.no_grad():
            cycles = inputs.unsqueeze(0)
            logits = forward(network, parameters, self.tokens(cycles, seeds.unsqueeze(0)), self.mask(cycles), COLORS)
        return logits[0, :, 0, inputs[0]].softmax(-1)


def edges(cycles: Tensor) -> Tensor:
    """Adjacency (..., n, n) of cycles (..., n) given as walks."""
    n, after = cycles.shape[-1], cycles.roll(-1, -1)
    ends = torch.cat([cycles * n + after, after * n + cycles], -1)
    flat = torch.zeros(*cycles.shape[:-1], n * n, dtype=torch.bool, device=cycles.device)
    return flat.scatter_(-1, ends, True).unflatten(-1, (n, n))


@lru_cache(maxsize=4)
def all_cycles(n: int) -> Tensor:
    """Every cycle on n labelled vertices once, ((n-1)!/2, n) int64 ids in walking order.

    A walk starts at 0 and goes towards the smaller of 0's neighbours, which makes it unique. n = 10: 181,440.
    """
    rest = torch.tensor(list(itertools.permutations(range(1, n))))
    rest = rest[rest[:, 0] < rest[:, -1]]
    assert len(rest) == math.factorial(n - 1) // 2
    return torch.cat([torch.zeros(len(rest), 1, dtype=rest.dtype), rest], 1)
