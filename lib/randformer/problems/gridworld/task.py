"""Section 3.4: find a treasure on a grid, and find it again.

    . . . T .      Cells are numbered row by row from the start S = 0, the lower left corner; the treasure T lies in one
    . . . . .      of the others. An episode ends when the agent enters T or has made as many steps as an episode has.
    . . . . .      Then the agent is put back to S, and a second episode begins with the same treasure. What it saw in
    . . . . .      the first stays in its context.
    S . . . .

    tokens   [noise] [S] [cell] [cell] ... [T, found] [S] [cell] ... [cell]            one per step
    output   -       up  right  up     ... -          up  right      up                the most probable of 4 directions

A token has the cell's row and column, each one-hot, the reward of the step into it, and its place in the sequence,
one-hot as well: its positional encoding is learned. The first has a seed instead of cell and reward, a vector of normal
numbers; nothing else is random. A step into a wall stays where it is and counts.

Until the treasure is found, nothing that the agent sees depends on where it lies: one walk of the first episode serves
all cells. Only the second branches, once for each cell that the first has found; all cells that it has not found share
one more branch, in which again the treasure makes no difference until it is found.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from randformer.core.evolution import PGPE
from randformer.core.runs import NetworkRun
from randformer.core.transformer import Network, Stepper, linear, shapes, unflatten
from randformer.harness.checks import BadInput, at_least, default_but_for, numbers
from randformer.problems.gridworld.fast import applies, fast_play, versions

EVALUATION_SEEDS = 200  # to choose the worst cell on, and as many others to score it on
MOVES = ((1, 0), (-1, 0), (0, 1), (0, -1))  # rows up, columns right
STEP, FOUND = -0.1, 1.0  # rewards that the agent sees, section 3.4; what is trained on is the number of steps
NO_PROBABILITIES = "gridworld: an agent gives walks, and no probabilities"


@dataclass(frozen=True)
class GridWorld:
    """Table 3's task. Raises BadInput for a grid smaller than 2 x 2, an episode or a seed shorter than 1."""

    name = "gridworld"
    NUMERICS = 2  # raised when a training comes out differently on purpose: its records are made anew
    EVALUATION = 1  # raised when a stored evaluation would come out differently: it is made anew

    n: int = 5  # cells a side
    episode: int = 25  # steps
    seed_size: int = 80  # numbers, table 3: a whole token of noise

    def __post_init__(self):
        at_least("n (cells a side)", self.n, 2)
        at_least("episode (steps)", self.episode, 1)
        at_least("seed_size", self.seed_size, 1)

    @property
    def token_size(self) -> int:
        return self.seed_size + 2 * self.n + 1 + self.places

    outputs = len(MOVES)

    @property
    def places(self) -> int:
        """Tokens that the longest sequence has: the seed, two starts, and every step of both episodes but the last."""
        return 2 * self.episode + 2

    @property
    def cells(self) -> int:
        return self.n**2

    @property
    def sequences_per_seed(self) -> int:
        """Sequences that one seed stands for: one for each cell."""
        return self.cells - 1

    @classmethod
    def standard(cls) -> tuple["GridWorld", Network, PGPE]:
        """Table 3."""
        sizes = {"width": 80, "layers": 2, "heads": 4, "key_size": 10}
        return cls(), Network(**sizes, attention="softmax", mlp=True, layer_norm=True), PGPE(25_000)

    def evaluate(self, run: NetworkRun, parameters: Tensor, fixed_seed: Tensor | None) -> dict:
        """How a model (1, P) searches, as JSON numbers."""
        from randformer.problems.gridworld.evaluation import evaluate  # which reads what this file makes

        return evaluate(run, parameters, fixed_seed)

    def training_bytes(self, run: NetworkRun) -> int:
        """Bytes of all candidates' noise, of who is better than whom, and of all walks of a generation."""
        population = run.training.batch
        return 8 * run.parameters * population + 2 * population**2 + self.walking(run, population * run.objective.m)

    def evaluation_bytes(self, run: NetworkRun) -> int:
        """Bytes of all walks under the seeds of an evaluation."""
        return self.walking(run, 1 if run.objective.fixed_seed else EVALUATION_SEEDS)

    def walking(self, run: NetworkRun, agents: int) -> int:
        """Bytes of what so many agents keep of their second episode, for each cell: keys, values, where they went."""
        kept = 4 * 2 * run.network.layers * run.network.heads * run.network.key_size + 8
        return agents * self.cells * self.episode * kept

    def draw_inputs(self, batch: int, generator: torch.Generator) -> Tensor:
        """Every cell where a treasure may lie (cells - 1,): nothing is drawn, the adversary looks at all of them."""
        return torch.arange(1, self.cells, device=generator.device)

    def draw_seeds(self, m: int, batch: int, generator: torch.Generator) -> Tensor:
        """Seeds (m, 1, seed_size), shared by all cells."""
        return torch.randn(m, 1, self.seed_size, generator=generator, device=generator.device)

    def losses(self, network: Network, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
        """Share of all steps that both episodes take, (K, m, cells - 1), under seeds (K or 1, m, 1, seed_size)."""
        return self.play(network, parameters, seeds).steps[..., 1:] / (2 * self.episode)

    def play(self, network: Network, parameters: Tensor, seeds: Tensor) -> "Episodes":
        """What K models (K, P) do under seeds (K or 1, m, 1, seed_size), whichever cell the treasure lies in."""
        agents, seeds = Agents(self, network, parameters), seeds.expand(len(parameters), -1, -1, -1)
        play = fast_play if applies(self, network, parameters) else Agents.play
        with torch.no_grad():
            return Episodes(*play(agents, parameters, seeds))

    def computed_with(self, network: Network, device: torch.device) -> dict[str, str]:
        """Packages besides PyTorch that play agents on that device, and their versions; none where only it does."""
        return versions() if applies(self, network, torch.empty(0, device=device)) else {}

    # A trained model at work on what a person types: contract.Playable

    leading: ClassVar[dict] = {"n": 5, "q": inf, "m": 10}  # figure 7
    binary = None

    def typed(self, x) -> Tensor:
        """Inputs (1,) of the treasure's cell, a whole number from 1 to cells - 1; 0 is the start."""
        return torch.tensor(numbers("x (the treasure's cell, 0 is the start)", [x], 1, 1, self.cells - 1))

    def typed_seed(self, seed) -> Tensor:
        """A seed (1, 1, seed_size) of a list of numbers, in training normal ones."""
        return torch.tensor(numbers("seed", seed, self.seed_size, -100.0, 100.0), dtype=torch.float32).view(1, 1, -1)

    def answers_of(self, network: Network, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> list[tuple]:
        """The cells of both episodes, two lists that begin at the start and end in the treasure where it is found."""
        episodes, cell = self.play(network, parameters, seeds.unsqueeze(0)), int(inputs)
        return [episodes.walks(0, i, cell) for i in range(len(seeds))]

    def probabilities_of(self, network: Network, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
        """None: an agent always takes the most probable step, and what was probable is not kept."""
        raise BadInput(NO_PROBABILITIES)

    def decided(self, probabilities: Tensor) -> list[tuple]:
        """Nothing, likewise."""
        raise BadInput(NO_PROBABILITIES)


@dataclass(frozen=True)
class Episodes:
    """What models did on a grid: K models, m seeds, C cells; cell 0 is the start, where no treasure lies."""

    first: Tensor  # K, m, episode + 1: cells of the first episode, had nothing been found
    second: Tensor  # K, m, C, episode: and of the second; -1 after the treasure. Row 0: where nothing was found
    found: Tensor  # K, m, C: whether the first episode finds a treasure there
    visits: Tensor  # K, m, C: the step at which it does, the length of an episode where it does not
    again: Tensor  # K, m, C: steps of the second episode

    @property
    def steps(self) -> Tensor:
        """Of both episodes, (K, m, C)."""
        return self.visits + self.again

    def walks(self, model: int, seed: int, cell: int) -> tuple[list[int], list[int]]:
        """Cells of both episodes, the start first, of one model and seed with the treasure in that cell."""
        at = model, seed, cell
        branch = self.second[model, seed, cell if self.found[at] else 0]
        return self.first[model, seed, : self.visits[at] + 1].tolist(), [0, *branch[: self.again[at]].tolist()]


class Agents:
    """K models (K, P) at work on a grid, embedded tokens in, cells out. What is linear is embedded once per model."""

    def __init__(self, task: GridWorld, network: Network, parameters: Tensor):
        known = ("width", "layers", "heads", "key_size", "attention", "mlp", "layer_norm")  # and one embedding
        assert default_but_for(network, *known), network
        w = unflatten(parameters, shapes(network, task.token_size, task.outputs))
        parts = (task.seed_size, 2 * task.n, 1, task.places)
        self.seeds, states, self.reward, places = w["embed0.w"].split(parts, 1)  # each (K, ., D)
        rows, self.onwards = lookup(task.n, parameters.device)
        self.states, self.places = rows.to(states.dtype) @ states, places + w["embed0.b"].unsqueeze(1)
        self.task, self.stepper = task, Stepper(network, w, task.episode + 1)

    def play(self, parameters: Tensor, seeds: Tensor) -> tuple[Tensor, ...]:
        """All that Episodes are made of, under seeds (K, m, 1, .)."""
        cells, episode = self.task.cells, self.task.episode
        first = self.walk_first(seeds)
        visits = first_visits(first, cells, episode)
        found = torch.zeros_like(visits, dtype=torch.bool).scatter_(2, first[:, :, 1:], True)
        found[..., 0] = False
        second = self.walk_second(first, visits, found)
        there = second == torch.arange(cells, device=second.device).unsqueeze(1)
        again = torch.where(there.any(-1), there.int().argmax(-1) + 1, episode)
        unfound = first_visits(second[:, :, 0], cells, episode, begin=1)
        return first, second, found, visits, torch.where(found, again, unfound)

    def walk_first(self, seeds: Tensor) -> Tensor:
        """Cells of the first episode as if nothing were ever found, (K, m, episode + 1), under seeds (K, m, 1, .)."""
        cell = torch.zeros(seeds.shape[:3], dtype=torch.long, device=seeds.device)
        self.stepper.step(linear(seeds, self.seeds) + self.places[:, :1].unsqueeze(1))
        walk = [cell]
        for step in range(self.task.episode):
            cell = self.go(cell, STEP if step else 0.0, torch.full_like(cell, step + 1))
            walk.append(cell)
        return torch.cat(walk, -1)

    def walk_second(self, first: Tensor, visits: Tensor, found: Tensor) -> Tensor:
        """Cells of the second episode for each treasure, (K, m, cells, episode), -1 after the step that finds it.

        Row 0 is the branch of all cells that the first episode did not find, whose own rows are -1.
        """
        episode = self.task.episode
        needed, ends = found.clone(), visits.clone()  # ends: the step at which the first episode ended
        needed[..., 0], ends[..., 0] = ~found[..., 1:].all(-1), episode
        target, active = packed(needed)  # K, m, C: the cells that make a difference, 0 for all others together
        ends = ends.gather(2, target)
        self.stepper.branch(torch.arange(episode + 1, device=first.device) <= ends.unsqueeze(-1))
        self.go(torch.where(target > 0, target, first[..., -1:]), torch.where(target > 0, FOUND, STEP), ends + 1)
        cell = torch.zeros_like(target)
        paths = first.new_full((*found.shape, episode), -1)
        for step in range(episode):
            cell = self.go(cell, STEP if step else 0.0, ends + 2 + step)
            path = paths[..., step]
            path.scatter_(2, target, torch.where(active, cell, path.gather(2, target)))
            active = active & ((cell != target) | (target == 0))
            if not active.any():
                break
            if active.sum(2).max() < 0.9 * active.shape[2]:  # most treasures are found again after a few steps
                keep, active = packed(active)
                target, ends, cell = (x.gather(2, keep) for x in (target, ends, cell))
                self.stepper.select(keep)
        return paths

    def go(self, cell: Tensor, reward: Tensor | float, place: Tensor) -> Tensor:
        """The cells after one more step (K, m, C), from cells (K, m, C), for their rewards and places."""
        reward = torch.as_tensor(reward, dtype=self.reward.dtype, device=cell.device)
        x = looked_up(self.states, cell) + looked_up(self.places, place)
        x += reward.unsqueeze(-1) * self.reward.unsqueeze(1)
        return self.onwards[cell, self.stepper.step(x).argmax(-1)]


def looked_up(table: Tensor, index: Tensor) -> Tensor:
    """Rows (K, m, C, D) of each model's table (K, R, D), by index (K, m, C)."""
    first = torch.arange(len(table), device=index.device).view(-1, 1, 1) * table.shape[1]
    return table.flatten(0, 1)[index + first]


def first_visits(walks: Tensor, cells: int, never: int, begin: int = 0) -> Tensor:
    """Step at which walks (..., T) first enter each cell, (..., cells), where their first entry is of step begin."""
    steps = torch.arange(begin, walks.shape[-1] + begin, device=walks.device)
    visits = walks.new_full((*walks.shape[:-1], cells), never)
    return visits.scatter_reduce_(-1, walks.clamp_min(0), torch.where(walks < 0, never, steps), "amin")


def packed(wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Indices (..., C') of what is wanted (..., C), C' the most in any row, and which of them are no filling."""
    most = max(1, int(wanted.sum(-1).max()))
    order = (~wanted).int().argsort(dim=-1, stable=True)[..., :most]
    return order, wanted.gather(-1, order)


def distances(n: int) -> np.ndarray:
    """Steps of the shortest way from the start to each cell of a grid with n cells a side, (cells,)."""
    return np.add.outer(np.arange(n), np.arange(n)).ravel()


@lru_cache(maxsize=4)
def lookup(n: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """What a token says of each cell, (cells, 2n), and where each direction leads, (cells, 4)."""
    row, column = torch.arange(n**2) // n, torch.arange(n**2) % n
    states = torch.cat([torch.eye(n)[row], torch.eye(n)[column]], 1)
    onwards = [(row + up).clamp(0, n - 1) * n + (column + right).clamp(0, n - 1) for up, right in MOVES]
    return states.to(device), torch.stack(onwards, 1).to(device)
