import pytest
import torch

from helpers import tiny_gridworld
from randformer.core.training import begin
from randformer.core.transformer import Network, forward, initialize
from randformer.harness.checks import BadInput
from randformer.problems.gridworld import game as games_search
from randformer.problems.gridworld.task import FOUND, MOVES, STEP, GridWorld, first_visits, packed

NETWORK = Network(16, 2, 2, 8, "softmax", mlp=True, layer_norm=True)


def models(task: GridWorld, count: int, scale: float = 3.0) -> torch.Tensor:
    """Random policies whose outputs differ much from token to token, in double precision: no ties, no rounding."""
    rows = [initialize(NETWORK, task.token_size, 4, torch.Generator().manual_seed(k)) for k in range(count)]
    return (scale * torch.stack(rows)).double()


def played(task: GridWorld, parameters: torch.Tensor, seed: torch.Tensor, treasure: int) -> dict:
    """Both episodes of one model (1, P) with one seed (seed_size,), step by step as a plain environment has them.

    The whole sequence goes through the network anew at every step.
    """
    n, tokens, found = task.n, [], []

    def see(cell: int | None, reward: float) -> None:
        token = torch.zeros(task.token_size, dtype=torch.double)
        if cell is None:
            token[: task.seed_size] = seed
        else:
            for hot in (cell // n, n + cell % n):
                token[task.seed_size + hot] = 1
            token[task.seed_size + 2 * n] = reward
        token[task.seed_size + 2 * n + 1 + len(tokens)] = 1
        tokens.append(token)

    def act() -> int:
        x = torch.stack(tokens).view(1, 1, len(tokens), -1)
        mask = torch.ones(1, 1, len(tokens), len(tokens), dtype=torch.bool).tril()
        return int(forward(NETWORK, parameters, x, mask, 4)[0, 0, -1].argmax())

    see(None, 0)
    walks = []
    for _ in range(2):
        row = column = 0
        see(0, 0)
        walk = [0]
        for step in range(task.episode):
            up, right = MOVES[act()]
            if 0 <= row + up < n and 0 <= column + right < n:
                row, column = row + up, column + right
            walk.append(row * n + column)
            here = walk[-1] == treasure
            if not walks or (step < task.episode - 1 and not here):  # nothing follows the second episode's last step
                see(walk[-1], FOUND if here else STEP)
            if here:
                break
        walks.append(walk)
        found.append(walk[-1] == treasure)
    return {"walks": walks, "found": found, "steps": sum(len(walk) - 1 for walk in walks)}


@pytest.mark.parametrize("task", [GridWorld(2, 3, 2), GridWorld(3, 8, 3), GridWorld(4, 20, 2)], ids=str)
def test_it_is_what_a_plain_environment_does_cell_by_cell(task):
    parameters, seeds = models(task, 6), task.draw_seeds(2, 1, torch.Generator().manual_seed(0)).double()
    search = task.play(NETWORK, parameters, seeds.unsqueeze(0))
    kinds = set()
    for k in range(len(parameters)):
        for j in range(len(seeds)):
            for cell in range(1, task.cells):
                plain = played(task, parameters[k : k + 1], seeds[j, 0], cell)
                first, second = plain["walks"]
                assert search.first[k, j, : len(first)].tolist() == first
                assert search.steps[k, j, cell] == plain["steps"]
                assert search.found[k, j, cell] == plain["found"][0]
                assert search.visits[k, j, cell] == len(first) - 1
                branch = cell if plain["found"][0] else 0
                assert search.second[k, j, branch, : len(second) - 1].tolist() == second[1:]
                kinds.add(tuple(plain["found"]))
    assert len(kinds) >= 3  # found twice, once, never: all that can happen is among them


def test_the_loss_is_the_share_of_all_steps():
    run = tiny_gridworld()
    state = begin(run, torch.device("cpu"))
    seeds = run.task.draw_seeds(3, 1, torch.Generator().manual_seed(0)).unsqueeze(0)
    losses = run.task.losses(run.network, state.parameters, run.task.draw_inputs(1, state.generators[0]), seeds)
    steps = run.task.play(run.network, state.parameters, seeds).steps
    assert losses.shape == (1, 3, 8)
    assert torch.equal(losses * 12, steps[..., 1:].float())
    assert losses.min() >= 2 / 12
    assert losses.max() <= 1


def test_models_and_seeds_do_not_hear_of_each_other():
    task = GridWorld(3, 8, 3)
    parameters, seeds = models(task, 4), task.draw_seeds(3, 1, torch.Generator().manual_seed(0)).double()
    together = task.play(NETWORK, parameters, seeds.unsqueeze(0)).steps
    for k in range(4):
        for j in range(3):
            alone = task.play(NETWORK, parameters[k : k + 1], seeds[j : j + 1].unsqueeze(0)).steps
            assert torch.equal(alone[0, 0], together[k, j])


def test_no_search_is_quicker_than_walking():
    """A new cell a step at most, then the shortest way at least: what the lower line of the notebook counts."""
    task = GridWorld(3, 12, 3)
    seeds = task.draw_seeds(20, 1, torch.Generator().manual_seed(0)).double()
    search = task.play(NETWORK, models(task, 20), seeds.unsqueeze(0))
    assert (search.visits[..., 1:].sort(-1).values >= torch.arange(1, 9)).all()
    assert (search.again >= torch.from_numpy(games_search.distances(3)))[..., 1:].all()
    assert search.found.any()


def test_first_visits():
    walks = torch.tensor([[0, 1, 3, 1, 2], [0, 0, 2, -1, -1]])
    assert first_visits(walks, 4, 9).tolist() == [[0, 1, 4, 2], [0, 9, 2, 9]]
    assert first_visits(walks, 4, 9, begin=1).tolist() == [[1, 2, 5, 3], [1, 9, 3, 9]]


def test_packing_keeps_what_is_wanted_in_order():
    order, kept = packed(torch.tensor([[False, True, False, True], [True, False, False, False]]))
    assert order[0].tolist() == [1, 3]
    assert order[1, 0] == 0
    assert kept.tolist() == [[True, True], [True, False]]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"n": 1}, r"n \(cells a side\) = 1: give a whole number, at least 2"),
        ({"episode": 0}, r"episode \(steps\) = 0: give a whole number, at least 1"),
        ({"seed_size": 0}, "seed_size = 0: give a whole number, at least 1"),
        ({"n": 2.5}, r"n \(cells a side\) = 2.5"),
    ],
)
def test_impossible_grids_are_refused(bad, told):
    with pytest.raises(BadInput, match=told):
        GridWorld(**bad)
