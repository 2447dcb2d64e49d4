"""Ski rental: rent for 1 a day or buy for B, and nobody says how many days there will be.

    token     [day / B, 1 / B, r]   one a day, causal; the seed r, one float in [0, 1], stands beside every day
    output    one number a day: buy if it is above 0, unless bought before
    inputs    (B, days): prices n / 4, n / 2 and n, 1 to 2 B days of each

One network for all prices. Nothing that it reads depends on the number of days: a walk through 2 B days is its answer to
all of them, and the input only says where the bill is added up. The loss is what it paid over what was needed, min(days,
B), less 1, in units of what the best deterministic algorithm's worst case has, 1 - 1 / B: so all prices weigh alike (our
choice).
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from randformer.core.gradient import GradientTraining
from randformer.core.runs import NetworkRun
from randformer.core.transformer import Network, forward
from randformer.harness.checks import BadInput, at_least, one_of
from randformer.problems.skirental.game import horizon

SHARPNESS = 8.0  # factor on the output where decisions are to be sharp and have a gradient


@dataclass(frozen=True)
class SkiRental:
    """Our choice of task. Raises BadInput for an n below 4 or not divisible by 4, or an unknown way to decide."""

    name = "skirental"
    NUMERICS = 1  # raised when a training comes out differently on purpose: its records are made anew
    EVALUATION = 1  # raised when a stored evaluation would come out differently: it is made anew

    n: int = 20  # the largest price
    decides: str = "sharpened"  # by the output's sign, "argmax", of which training sees a steep sigmoid; or "sampled"

    token_size = 3
    outputs = 1

    def __post_init__(self):
        at_least("n (the largest price)", self.n, 4)
        if self.n % 4:
            raise BadInput(f"n (the largest price) = {self.n}: its half and its quarter are prices too, give a multiple of 4")
        one_of("decides", self.decides, ("sharpened", "argmax", "sampled"))

    @property
    def prices(self) -> tuple[int, ...]:
        """What skis cost, B."""
        return self.n // 4, self.n // 2, self.n

    @property
    def sequences_per_seed(self) -> int:
        """One for each price."""
        return len(self.prices)

    @classmethod
    def standard(cls) -> tuple["SkiRental", Network, GradientTraining]:
        """Our choice."""
        network = Network(width=16, layers=1, heads=1, key_size=16, attention="softmax", mlp=True, embedding=1)
        return cls(), network, GradientTraining(4000, 70, warmup=200, learning_rate=3e-3)

    def evaluate(self, run: NetworkRun, parameters: Tensor, fixed_seed: Tensor | None) -> dict:
        """When a model (1, P) buys, as JSON numbers."""
        from randformer.problems.skirental.evaluation import evaluate  # which reads what this file makes

        return evaluate(run, parameters, fixed_seed)

    def draw_inputs(self, batch: int, generator: torch.Generator) -> Tensor:
        """Every price with every number of days, (X, 2): nothing is drawn, the adversary looks at all of them."""
        pairs = [(price, days) for price in self.prices for days in range(1, horizon(price) + 1)]
        return torch.tensor(pairs, device=generator.device)

    def draw_seeds(self, m: int, batch: int, generator: torch.Generator) -> Tensor:
        """Seeds (m, 1, 1), one float in [0, 1], shared by all inputs."""
        return torch.rand(m, 1, 1, generator=generator, device=generator.device)

    def losses(self, network: Network, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
        """Loss (K, m, X) of models (K, P) under seeds (K or 1, m, 1, 1), on every input there is."""
        buying = self.buying(network, parameters, self.prices, seeds)
        price, needed, scale, place = bills(self.prices, parameters.device)
        left = (1 - buying).cumprod(-1)  # P(not bought until after the day)
        before = torch.cat([torch.ones_like(left[..., :1]), left[..., :-1]], -1)
        paid = (left + (before - left) * price).cumsum(-1).flatten(2)[..., place]
        return (paid / needed - 1) / scale

    def buying(self, network: Network, parameters: Tensor, prices: tuple[int, ...], seeds: Tensor) -> Tensor:
        """P(buy on the day, if not bought before) (K, m, prices, days) under seeds (K or 1, m, 1, 1)."""
        said = self.says(network, parameters, prices, seeds)
        if self.decides == "argmax":
            return (said > 0).to(said.dtype)
        return (said * (SHARPNESS if self.decides == "sharpened" else 1.0)).sigmoid()

    def says(self, network: Network, parameters: Tensor, prices: tuple[int, ...], seeds: Tensor) -> Tensor:
        """The output of each day (K, m, prices, days), 2 B of the largest price, under seeds (K or 1, m, 1, 1)."""
        days = horizon(max(prices))
        cost = torch.tensor(prices, dtype=seeds.dtype, device=seeds.device).view(-1, 1)
        day = torch.arange(1, days + 1, dtype=seeds.dtype, device=seeds.device)
        known = torch.stack([day / cost, (1 / cost).expand(-1, days)], -1)  # prices, days, 2
        shape = (len(parameters), seeds.shape[1], *known.shape[:2])
        noise = seeds.view(len(seeds), -1, 1, 1, 1).expand(*shape, 1)
        tokens = torch.cat([known.expand(*shape, 2), noise], -1)
        mask = torch.ones(days, days, dtype=torch.bool, device=seeds.device).tril()
        return forward(network, parameters, tokens, mask.expand(1, 1, 1, -1, -1), 1).squeeze(-1)


@lru_cache(maxsize=4)
def bills(prices: tuple[int, ...], device: torch.device) -> tuple[Tensor, ...]:
    """Price (prices, 1), and of every input (X,): what was needed, the unit of its loss, and its place in days."""
    most, rows = horizon(max(prices)), []
    for i, price in enumerate(prices):
        rows += [(min(d, price), max(1 - 1 / price, 0.5), i * most + d - 1) for d in range(1, horizon(price) + 1)]
    needed, scale, place = (torch.tensor(part, device=device) for part in zip(*rows, strict=True))
    return torch.tensor(prices, device=device).view(-1, 1), needed, scale, place
