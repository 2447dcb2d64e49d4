from dataclasses import replace

import pytest
import torch

from randformer.core.transformer import Network, forward, initialize
from randformer.experiments.gridworld.sweep import SIZES, resized
from randformer.problems.gridworld import kernel
from randformer.problems.gridworld.fast import fast_play
from randformer.problems.gridworld.task import FOUND, STEP, Agents, Episodes, GridWorld

LAPTOP = SIZES["laptop"]
SHAPES = {
    **{profile: (sizes.task, sizes.network) for profile, sizes in SIZES.items()},
    "small": (replace(LAPTOP.task, n=LAPTOP.small), LAPTOP.network),
    "two blocks": (LAPTOP.task, replace(LAPTOP.network, layers=2)),
    "resized": (GridWorld(3, 10, 3), resized(LAPTOP.network, 21, 3)),
}
NETWORKS, SEEDS, TIE = 20, 10, 1e-5


def drawn(task: GridWorld, network: Network, m: int = SEEDS) -> tuple[torch.Tensor, torch.Tensor]:
    """Parameters (K, P) of random agents, no two alike, and seeds (K, m, 1, seed_size)."""
    generator = torch.Generator().manual_seed(0)
    rows = [initialize(network, task.token_size, task.outputs, generator) for _ in range(NETWORKS)]
    parameters = torch.stack(rows)
    parameters += 0.06 * torch.randn(parameters.shape, generator=generator)
    seeds = torch.stack([task.draw_seeds(m, 1, generator) for _ in range(NETWORKS)])
    return parameters, seeds


def both(task: GridWorld, network: Network, parameters, seeds) -> tuple[Episodes, Episodes]:
    """The kernel's walks, and those of the plain path."""
    agents = Agents(task, network, parameters)
    return Episodes(*fast_play(agents, parameters, seeds)), Episodes(*agents.play(parameters, seeds))


def margin(task: GridWorld, network: Network, row, seed, walks: list[list[int]], found: bool) -> float:
    """By how much the best direction leads the next after the given cells of one or both episodes, in double precision.

    found: whether the first ended at the treasure. Logits of the whole sequence, put through the plain network.
    """
    tokens = torch.zeros(1, 1, 1 + sum(map(len, walks)), task.token_size, dtype=torch.double)
    tokens[0, 0, 0, : task.seed_size] = seed
    at = 1
    for episode, walk in enumerate(walks):
        for step, cell in enumerate(walk):
            token = tokens[0, 0, at]
            token[task.seed_size + cell // task.n] = token[task.seed_size + task.n + cell % task.n] = 1
            last = found and episode == 0 and step == len(walk) - 1
            token[task.seed_size + 2 * task.n] = FOUND if last else STEP if step else 0
            at += 1
    tokens[0, 0, :, task.seed_size + 2 * task.n + 1 :][:, :at] = torch.eye(at)
    mask = torch.ones(1, 1, at, at, dtype=torch.bool).tril()
    logits = forward(network, row.double().unsqueeze(0), tokens, mask, task.outputs)[0, 0, -1].sort().values
    return float(logits[-1] - logits[-2])


def where_they_part(one: Episodes, other: Episodes) -> list[tuple]:
    """(k, j, cells of both episodes, whether found) up to where walks part, for each pair of agent and seed that do."""
    parted = []
    for k, j in (one.first != other.first).any(2).nonzero().tolist():
        step = int((one.first[k, j] != other.first[k, j]).int().argmax())
        parted.append((k, j, [one.first[k, j, :step].tolist()], False))
    for k, j, cell in (one.second != other.second).any(3).nonzero().tolist():
        if torch.equal(one.first[k, j], other.first[k, j]):
            step = int((one.second[k, j, cell] != other.second[k, j, cell]).int().argmax())
            end = int(one.visits[k, j, cell]) if cell else len(one.first[k, j]) - 1
            walks = [one.first[k, j, : end + 1].tolist(), [0, *one.second[k, j, cell, :step].tolist()]]
            parted.append((k, j, walks, cell > 0))
    return parted


@pytest.mark.parametrize("shape", SHAPES)
def test_every_walk_is_the_plain_paths(shape):
    """Of 20 agents, 10 seeds and all cells. Where two directions tie to rounding, either may be taken."""
    task, network = SHAPES[shape]
    parameters, seeds = drawn(task, network)
    found, plain = both(task, network, parameters, seeds)
    parted = where_they_part(found, plain)
    for k, j, walks, treasure in parted:
        assert margin(task, network, parameters[k], seeds[k, j, 0], walks, treasure) < TIE
    same = torch.ones(NETWORKS, SEEDS, dtype=torch.bool)
    for k, j, *_ in parted:
        same[k, j] = False
    assert same.float().mean() > 0.98
    for name in ("first", "second", "found", "visits", "again"):
        assert torch.equal(getattr(found, name)[same], getattr(plain, name)[same]), name
    assert found.found.any()
    assert not found.found[..., 1:].all()


def test_margins_are_those_of_the_step_that_is_taken():
    """No direction but the one that was taken leads: what the test above excuses are ties of these very decisions."""
    task, network = SHAPES["small"]
    parameters, seeds = drawn(task, network, 2)
    _, plain = both(task, network, parameters, seeds)
    k, j, cell = (plain.found & (plain.again < task.episode)).nonzero()[0].tolist()
    walks = plain.walks(k, j, cell)
    other = plain.first.clone()
    other[k, j, 2] = 99
    ((_, _, until, _),) = where_they_part(plain, replace(plain, first=other))
    assert until == [plain.first[k, j, :2].tolist()]
    before = [walks[0], walks[1][:-1]]
    gaps = [margin(task, network, parameters[k], seeds[k, j, 0], before, found) for found in (True, False)]
    assert min(gaps) > 0
    assert gaps[0] != gaps[1]  # it sees whether the treasure was there


@pytest.mark.parametrize("m", [1, 3, 16, 17, 40])
def test_any_number_of_seeds_is_played_and_none_hears_of_another(m):
    task, network = SHAPES["small"]
    parameters, seeds = drawn(task, network, m)
    together, _ = both(task, network, parameters, seeds)
    for k, j in ((0, 0), (3, m - 1), (7, m // 2)):
        alone, _ = both(task, network, parameters[k : k + 1], seeds[k : k + 1, j : j + 1])
        for name in ("first", "second", "found", "visits", "again"):
            assert torch.equal(getattr(alone, name)[0, 0], getattr(together, name)[k, j])


def test_an_agent_that_diverged_spoils_no_other():
    task, network = SHAPES["small"]
    parameters, seeds = drawn(task, network)
    right, _ = both(task, network, parameters, seeds)
    spoilt = parameters.clone()
    spoilt[::2] = torch.tensor([torch.nan, torch.inf])[torch.arange(NETWORKS // 2) % 2].unsqueeze(1)
    found, _ = both(task, network, spoilt, seeds)
    assert torch.equal(found.second[1::2], right.second[1::2])


def test_where_nothing_can_be_written_it_is_compiled_all_the_same(monkeypatch):
    asked = []

    def njit(function, cache=False, **how):
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return function

    monkeypatch.setattr(kernel, "njit", njit)
    assert callable(kernel.entry(7))
    assert asked == [True, False]
