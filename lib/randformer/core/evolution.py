"""Training without a gradient: parameter-exploring policy gradients (PGPE, Sehnke et al. 2010), as table 3 has it.

A generation draws candidates around the centre, each parameter with a standard deviation of its own, in pairs that
stand opposite each other (symmetric sampling). All of them are models of one batch. The centre moves towards the better
of each pair; the deviations grow where the better pairs lie far out. Only the order of the candidates counts (rank
shaping, our choice, as is Adam for the centre): a loss in steps has no natural scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from randformer.core.adversary import PERCENTILE
from randformer.core.objective import relaxed_worst_case
from randformer.core.training import State, adam, draw_seeds
from randformer.harness.checks import BadInput, at_least

if TYPE_CHECKING:
    from randformer.core.runs import NetworkRun

WATCHED_SEEDS = 64  # to choose the worst input on, and as many others to score it
WATCHED_STREAM = 2 * 10**9  # where their generator starts: no training's or evaluation's does there


@dataclass(frozen=True)
class PGPE:
    """The optimizer's row of table 3. Raises BadInput where a field has an impossible value."""

    WATCHED = ("average", "95th percentile", "worst input")  # of the centre's mean loss over seeds
    UNITS = ("generations", "candidates")  # what steps and batch count

    generations: int
    population: int = 300  # candidates of a generation
    learning_rate: float = 0.01  # of the centre, through Adam
    std_learning_rate: float = 0.01
    std: float = 0.03  # of every parameter in the first generation
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self):
        at_least("generations", self.generations, 1)
        at_least("population", self.population, 2)
        if self.population % 2:
            raise BadInput(f"population = {self.population}: candidates come in pairs, give an even number")
        for name in ("learning_rate", "std_learning_rate", "std", "eps"):
            at_least(name, getattr(self, name), 0.0)
        for name in ("beta1", "beta2"):
            at_least(name, getattr(self, name), 0.0, 0.999999)
        if self.std == 0:
            raise BadInput("std = 0: candidates must differ, give a number above 0")

    @property
    def steps(self) -> int:
        """What the loop of all trainings counts: generations."""
        return self.generations

    @property
    def batch(self) -> int:
        """What a step is wide: candidates, each of which sees every input."""
        return self.population

    def first_std(self, parameters: Tensor) -> Tensor:
        """Of the search distribution before the first generation, (K, P)."""
        return torch.full_like(parameters, self.std)

    def watch(self, run: NetworkRun, state: State) -> Tensor:
        """WATCHED of each centre, (K, 3): the adversary chooses inputs on half of the seeds, always the same ones."""
        generator = torch.Generator(state.parameters.device).manual_seed(WATCHED_STREAM)
        drawn = run.task.draw_seeds(2 * WATCHED_SEEDS, 1, generator).unsqueeze(0)
        inputs = run.task.draw_inputs(1, generator)
        seeds = torch.cat([state.seed] * 2, 1) if run.objective.fixed_seed else drawn
        losses = run.task.losses(run.network, state.parameters, inputs, seeds)
        choose, score = (half.mean(1) for half in losses.chunk(2, 1))
        places = [round((1 - PERCENTILE) * (len(inputs) - 1)), 0]
        ordered = choose.sort(1, descending=True)[0][:, places].unsqueeze(2)
        at = choose.unsqueeze(1) == ordered  # K, 2, inputs: those that look alike to the adversary are chosen alike
        return torch.cat([score.mean(1, keepdim=True), (score.unsqueeze(1) * at).sum(2) / at.sum(2)], 1)

    def step(self, run: NetworkRun, q: Tensor, state: State) -> tuple[Tensor, Tensor]:
        """One generation in place: the candidates' mean L_q (K,), and which centres are still finite (K,)."""
        shape = (self.population // 2, state.parameters.shape[1])
        noise = [torch.randn(shape, generator=g, device=g.device) for g in state.generators]
        noise = torch.stack(noise) * state.std.unsqueeze(1)  # K, pairs, P
        candidates = state.parameters.unsqueeze(1) + torch.cat([noise, -noise], 1)
        seeds = draw_seeds(run, state).repeat_interleave(self.population, 0)  # the same for all candidates of a run
        inputs = run.task.draw_inputs(1, state.generators[0])
        losses = run.task.losses(run.network, candidates.flatten(0, 1), inputs, seeds)
        l_q = relaxed_worst_case(losses.mean(1), q.repeat_interleave(self.population))[1].view(-1, self.population)
        self.move(state, noise, ranks(l_q))
        return l_q.mean(1), (state.parameters.isfinite() & state.std.isfinite()).all(1)

    def move(self, state: State, noise: Tensor, goodness: Tensor) -> None:
        """Move centres and deviations, in place: noise (K, pairs, P), goodness (K, 2 pairs) of centre + and - noise."""
        plus, minus = goodness.unsqueeze(-1).chunk(2, 1)
        uphill = ((plus - minus) / 2 * noise).mean(1)
        outwards = ((plus + minus) / 2 * (noise.square() - state.std.unsqueeze(1).square())).mean(1) / state.std
        adam(state, -uphill, self.learning_rate, self.beta1, self.beta2, self.eps)
        state.std *= 1 + self.std_learning_rate * outwards / state.std


def ranks(losses: Tensor) -> Tensor:
    """Goodness (K, N) by losses (K, N): evenly from 1/2 for the least to -1/2 for the largest, equal ones alike."""
    above = (losses.unsqueeze(1) > losses.unsqueeze(2)).sum(2)  # how many are worse than each
    below = (losses.unsqueeze(1) < losses.unsqueeze(2)).sum(2)
    return (above - below) / (2 * (losses.shape[1] - 1))
