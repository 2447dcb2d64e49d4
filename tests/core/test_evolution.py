import math
from dataclasses import dataclass, replace

import cma
import numpy as np
import pytest
import torch
from torch import Tensor

from helpers import tiny_gridworld
from randformer.core import evolution
from randformer.core.evolution import PGPE, ranks
from randformer.core.training import State, begin
from randformer.harness.checks import BadInput

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Quadratic:
    """A "task" whose loss is the squared distance of the parameters from 1, each coordinate weighted, plus noise.

    What the network would compute is not asked for: the loss is a function of the parameters alone.
    """

    weights: tuple[float, ...]
    noise: float = 0.0

    def draw_seeds(self, m: int, batch: int, generator: torch.Generator) -> Tensor:
        return torch.randn(m, 1, generator=generator)

    def draw_inputs(self, batch: int, generator: torch.Generator) -> Tensor:
        return torch.zeros(1)

    def losses(self, network, parameters: Tensor, inputs: Tensor, seeds: Tensor) -> Tensor:
        """The noise is of the seed and of the parameters: symmetric candidates do not share it."""
        value = ((parameters - 1).square() * torch.tensor(self.weights)).sum(1).view(-1, 1, 1)
        return value + self.noise * (1 + (1e3 * (seeds + parameters.sum(1).view(-1, 1, 1))).sin())


def minimise(task: Quadratic, training: PGPE, runs: int = 1) -> State:
    """The state after training.steps generations from 0."""
    run = replace(tiny_gridworld(), task=task, training=training)
    start = torch.zeros(runs, len(task.weights))
    generators = [torch.Generator().manual_seed(i) for i in range(runs)]
    history = torch.zeros(runs, 0, 4)
    state = State(0, start, *torch.zeros(2, *start.shape), training.first_std(start), start, generators, history)
    for _ in range(training.steps):
        training.step(run, torch.ones(runs), state)
    return state


@pytest.mark.parametrize("weights", [(1.0,) * 5, (0.1, 1.0, 10.0, 100.0)])
def test_a_quadratic_is_minimised(weights):
    state = minimise(Quadratic(weights), PGPE(600, 32, std=0.1))
    assert (state.parameters - 1).abs().max() < 0.05


def test_noise_on_the_loss_is_averaged_out():
    """Twenty parameters, and noise as large as the loss of a candidate one deviation off."""
    state = minimise(Quadratic((1.0,) * 20, noise=0.2), PGPE(600, 64, std=0.1), runs=3)
    assert (state.parameters - 1).square().sum(1).max() < 0.5  # of 20 at the start


def test_it_ends_where_another_evolution_strategy_does():
    """CMA-ES of the package index on the same noisy quadratic with as many evaluations."""
    weights = np.array([0.3, 1.0, 3.0, 1.0, 0.3, 1.0])
    noise = np.random.default_rng(0)

    def loss(x) -> float:
        return float(((x - 1) ** 2 * weights).sum() + 0.01 * noise.random())

    options = {"verbose": -9, "seed": 1, "popsize": 32, "maxiter": 400, "tolfun": 0, "tolx": 0, "tolflatfitness": 10**9}
    theirs = cma.fmin(loss, np.zeros(6), 0.1, options)[5]
    ours = minimise(Quadratic(tuple(weights), noise=0.01), PGPE(400, 32, std=0.1)).parameters[0].numpy()
    found = [float(((x - 1) ** 2 * weights).sum()) for x in (theirs, ours)]
    assert max(found) < 0.02


def test_a_move_is_the_papers_formula_written_out():
    """PGPE's update, parameter by parameter and pair by pair, without Adam's memory."""
    generator = np.random.default_rng(0)
    noise, goodness = generator.normal(size=(3, 2)) * 0.5, generator.normal(size=6)
    expected_std, uphill = [], []
    for i in range(2):
        along = sum((goodness[j] - goodness[j + 3]) / 2 * noise[j, i] for j in range(3)) / 3
        out = sum((goodness[j] + goodness[j + 3]) / 2 * (noise[j, i] ** 2 - 0.5**2) / 0.5 for j in range(3)) / 3
        uphill.append(along)
        expected_std.append(0.5 + 0.1 * out)
    state = minimise(Quadratic((1.0, 1.0)), PGPE(1, 8))
    state.step, state.std = 0, torch.full((1, 2), 0.5)
    tensors = [torch.tensor(x, dtype=torch.float32).unsqueeze(0) for x in (noise, goodness)]
    PGPE(1, 6, std_learning_rate=0.1, beta1=0.0, beta2=0.0).move(state, *tensors)
    assert state.exp_avg[0].tolist() == pytest.approx([-x for x in uphill], rel=1e-5)
    assert state.std[0].tolist() == pytest.approx(expected_std, rel=1e-5)


def test_the_centre_moves_along_the_gradient():
    """Of a linear loss, whose candidates' ranks are known: E[rank difference * noise] is along the slope, over many."""
    slope = torch.tensor([3.0, -4.0])
    state = State(0, torch.zeros(1, 2), *torch.zeros(2, 1, 2), torch.ones(1, 2), torch.zeros(1), [], torch.zeros(1, 0))
    noise = torch.randn(1, 20_000, 2, generator=torch.Generator().manual_seed(0))
    losses = torch.cat([noise @ slope, -noise @ slope], 1)
    # a uniform rank u of a normal projection: E[(u - 1/2) z] = 1 / (2 sqrt(pi)) along it, nothing across
    evolved = PGPE(1, 40_000, std=1.0, beta1=0.0, beta2=0.0)
    goodness = torch.argsort(torch.argsort(-losses)).float() / (losses.shape[1] - 1) - 0.5
    evolved.move(state, noise, goodness)
    uphill = state.exp_avg[0] * -1
    torch.testing.assert_close(uphill, -slope / 5 / (2 * math.sqrt(math.pi)), atol=0.01, rtol=0)


@pytest.mark.parametrize(("best", "grows"), [("far", True), ("near", False)])
def test_deviations_grow_where_the_better_candidates_lie_far_out(best, grows):
    noise = torch.randn(1, 5_000, 3, generator=torch.Generator().manual_seed(0))
    far = noise[..., :1].abs().squeeze(-1).repeat(1, 2)
    state = State(0, torch.zeros(1, 3), *torch.zeros(2, 1, 3), torch.ones(1, 3), torch.zeros(1), [], torch.zeros(1, 0))
    PGPE(1, 10_000, std_learning_rate=0.1).move(state, noise, ranks_of(far if best == "far" else -far))
    assert (state.std[0, 0] > 1) == grows
    assert abs(state.std[0, 0] - 1) > 20 * (state.std[0, 1:] - 1).abs().max()


def ranks_of(goodness: Tensor) -> Tensor:
    return torch.argsort(torch.argsort(goodness)).float() / (goodness.shape[1] - 1) - 0.5


def test_permuting_the_population_changes_nothing():
    generator = torch.Generator().manual_seed(0)
    noise, goodness = torch.randn(2, 8, 5, generator=generator), ranks(torch.randn(2, 16, generator=generator))
    order = torch.randperm(8, generator=generator)
    ends = []
    for pairs in (torch.arange(8), order):
        zeros = torch.zeros(2, 2, 5)
        state = State(0, torch.zeros(2, 5), *zeros, torch.ones(2, 5), torch.zeros(2), [], torch.zeros(2, 0))
        PGPE(1, 16).move(state, noise[:, pairs], goodness[:, torch.cat([pairs, pairs + 8])])
        ends.append(torch.cat([state.parameters, state.std], 1))
    torch.testing.assert_close(*ends)


def test_ranks_are_even_and_equal_losses_rank_alike():
    assert ranks(torch.tensor([[3.0, 1.0, 2.0]])).tolist() == [[-0.5, 0.5, 0.0]]
    assert ranks(torch.tensor([[1.0, 1.0, 5.0]])).tolist() == [[0.25, 0.25, -0.5]]
    assert ranks(torch.randn(4, 10)).sum(1) == pytest.approx(np.zeros(4), abs=1e-6)


def test_every_candidate_of_a_generation_sees_the_same_seeds(monkeypatch):
    run = tiny_gridworld()
    seen = []
    losses = type(run.task).losses
    monkeypatch.setattr(type(run.task), "losses", lambda *given: seen.append(given[-1]) or losses(*given))
    state = begin(run, CPU)
    run.training.step(run, torch.ones(1), state)
    (seeds,) = seen
    assert seeds.shape == (run.training.batch, run.objective.m, 1, run.task.seed_size)
    assert torch.equal(seeds, seeds[:1].expand_as(seeds))


def test_what_is_watched_is_chosen_on_other_seeds_than_it_is_scored_on(monkeypatch):
    """24 inputs. On the first half of the seeds input 3 is worst and 5 next, on the second half they cost least."""
    run, seeds = tiny_gridworld(), evolution.WATCHED_SEEDS
    losses = torch.full((1, 2 * seeds, 24), 0.5)
    losses[:, :seeds, 3], losses[:, :seeds, 5], losses[:, seeds:, 3], losses[:, seeds:, 5] = 1.0, 0.9, 0.1, 0.2
    monkeypatch.setattr(type(run.task), "draw_inputs", lambda *given: torch.arange(24))
    monkeypatch.setattr(type(run.task), "losses", lambda *given: losses)
    average, percentile95, worst = run.training.watch(run, begin(run, CPU))[0].tolist()
    assert average == pytest.approx((22 * 0.5 + 0.3) / 24)
    assert [percentile95, worst] == pytest.approx([0.2, 0.1])


def test_a_centre_that_is_not_finite_any_more_is_told():
    task = Quadratic((1.0, 1.0))
    run = replace(tiny_gridworld(), task=task, training=PGPE(1, 8))
    state = minimise(task, run.training, runs=2)
    state.parameters[1] = math.nan
    assert run.training.step(run, torch.ones(2), state)[1].tolist() == [True, False]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"generations": 0}, r"generations = 0: give a whole number, at least 1"),
        ({"population": 0}, "population = 0: give a whole number, at least 2"),
        ({"population": 7}, "population = 7: candidates come in pairs, give an even number"),
        ({"std": -1.0}, r"std = -1.0: give a number, at least 0"),
        ({"std": 0}, "std = 0: candidates must differ, give a number above 0"),
        ({"beta2": 1.0}, "beta2 = 1.0: give a number, at least 0 and at most 0.999999"),
    ],
)
def test_impossible_evolutions_are_refused(bad, told):
    with pytest.raises(BadInput, match=told):
        PGPE(**({"generations": 1} | bad))
