"""Every task and every run keeps to contract.py: those of the library, and the example's."""

import json
import pickle
from dataclasses import MISSING, fields, replace

import numpy as np
import pytest
import torch

from coin.sweep import runs as coin
from randformer.contract import EvaluationSet, Run, Task, Trained
from randformer.core.evolution import PGPE
from randformer.core.gradient import GradientTraining
from randformer.core.runs import NetworkRun
from randformer.core.training import begin
from randformer.core.transformer import Network, initialize
from randformer.experiments.registry import declared
from randformer.harness.records import canonical, key

K, M, BATCH = 3, 4, 6  # models, seeds, inputs asked for


def smallest() -> dict[type, NetworkRun]:
    """{task's type: its smallest declared run}, one with random seeds."""
    found = {}
    runs = [run for run in (*declared("smoke"), *coin("smoke")["models"]) if isinstance(run, NetworkRun)]
    for run in sorted(runs, key=lambda run: (run.task.n, run.objective.fixed_seed, run.cost)):
        found.setdefault(type(run.task), run)
    return found


RUNS = smallest()
every_task = pytest.mark.parametrize("run", RUNS.values(), ids=[kind.__name__ for kind in RUNS])


def drawn(run: NetworkRun, device="cpu") -> tuple[torch.Tensor, ...]:
    """Parameters (K, P), inputs (K, B, ...) and seeds (K, m, 1 or B, ...), each model's own."""
    task, parts = run.task, []
    for k in range(K):
        g = torch.Generator(device).manual_seed(k)
        row = initialize(run.network, task.token_size, task.outputs, g)
        parts.append((row, task.draw_inputs(BATCH, g), task.draw_seeds(M, BATCH, g)))
    return tuple(torch.stack(part) for part in zip(*parts, strict=True))


def check_names(task: Task) -> None:
    """What a task says of itself."""
    assert isinstance(task, Task)
    for name, kind in {"NUMERICS": int, "EVALUATION": int, "name": str, "n": int}.items():
        assert type(getattr(task, name)) is kind, name
    for name in ("token_size", "outputs", "sequences_per_seed"):
        assert type(getattr(task, name)) is int, name
        assert getattr(task, name) >= 1, name
    for field in fields(task):
        assert field.default is not MISSING or field.default_factory is not MISSING, field.name
    assert type(task)() == type(task)()
    assert hash(task) == hash(replace(task))
    standard = task.standard()
    assert [isinstance(part, kind) for part, kind in zip(standard, (type(task), Network, object), strict=True)]
    assert isinstance(standard[2], (GradientTraining, PGPE))


def batch(task: Task) -> int:
    """Inputs of a step: as many as asked for, or all there are."""
    one, two = (len(task.draw_inputs(size, torch.Generator())) for size in (BATCH, 2 * BATCH))
    return BATCH if one < two else one


def check_drawn(task: Task, inputs: torch.Tensor, seeds: torch.Tensor) -> None:
    """A step's inputs and seeds."""
    assert len(inputs) == K
    assert BATCH % inputs.shape[1] == 0 or batch(task) == inputs.shape[1]
    assert not inputs.is_floating_point()
    assert seeds.shape[:2] == (K, M)
    assert seeds.shape[2] in (1, BATCH)
    assert seeds.is_floating_point()


def check_losses(run: NetworkRun, parameters: torch.Tensor, inputs: torch.Tensor, seeds: torch.Tensor) -> None:
    """Their shape and range, that no model knows of the others, and the gradient where training takes it."""
    by_gradient = isinstance(run.training, GradientTraining)
    parameters = parameters.requires_grad_(by_gradient)
    losses = run.task.losses(run.network, parameters, inputs, seeds)
    assert losses.shape == (K, M, batch(run.task)), "losses are (K, m, B)"
    assert losses.isfinite().all()
    assert (losses >= 0).all()
    for k in range(K):
        alone = run.task.losses(run.network, *(part[k : k + 1] for part in (parameters, inputs, seeds)))
        assert torch.equal(alone[0], losses[k]), "a model's losses depend on the other models"
    if by_gradient:
        (gradient,) = torch.autograd.grad(losses.sum(), parameters)
        assert gradient.isfinite().all()
        assert (gradient != 0).any(1).all()


def check_evaluation_set(run: NetworkRun) -> None:
    """What is read of an untrained model's answers."""
    parameters, _, _ = (part[:1] for part in drawn(run))
    seeds = run.task.draw_seeds(M, 1, torch.Generator().manual_seed(0))
    judged = run.task.evaluation_set(run.network, torch.Generator().manual_seed(0))
    assert isinstance(judged, EvaluationSet)
    x = judged.inputs
    assert type(x) is int
    assert type(judged.wrong_answers) is int
    probabilities = judged.probabilities(parameters, seeds)
    assert len(probabilities) == M
    assert not probabilities.requires_grad
    together = judged.answers(probabilities)
    losses = []
    for seed in range(M):
        one = judged.probabilities(parameters, seeds[seed : seed + 1])
        (answers,) = judged.answers(one)
        assert answers.shape == (x,)
        assert np.issubdtype(answers.dtype, np.integer)
        assert np.array_equal(answers, together[seed])
        right = judged.right(answers)
        assert right.shape == (x,)
        assert right.dtype == bool
        losses.append(judged.loss(one))
        for values, most in ((losses[-1], np.inf), (judged.sampled(one[0]), 1 + 1e-6)):
            assert values.shape == (x,)
            assert ((values >= 0) & (values <= most)).all()
        for index in (0, x // 2, x - 1):
            there = judged.decided(judged.probabilities_to(index, parameters, seeds))
            assert there.shape == (M,)
            assert there.dtype == answers.dtype
            assert there[seed] == answers[index]
            assert judged.right(there, index)[seed] == right[index]
    assert judged.loss(probabilities) == pytest.approx(np.mean(losses, 0), rel=1e-4, abs=1e-6)
    assert judged.groups is None or judged.groups.shape == (x,)
    if judged.seeds is not None:
        assert judged.seeds[0].shape == seeds[0].shape
        assert len(judged.seeds.unique(dim=0)) == len(judged.seeds)


def check_run(run: Run) -> None:
    """What the harness asks of a run, on an untrained model."""
    assert isinstance(run, Run)
    assert run.problem == run.task.name
    assert run.key == key(run.config)
    assert run.config == json.loads(canonical(run.config))
    assert run.config["version"] == run.kind.NUMERICS
    assert pickle.loads(pickle.dumps(run)) == run
    assert hash(run.group) == hash(replace(run, run_index=7).group)
    assert 0 < run.width <= run.cost
    trained = run.trained(begin(run, torch.device("cpu")))
    assert isinstance(trained, Trained)
    result = run.evaluate(run.restore(trained.tensors))
    assert isinstance(result, dict)
    canonical(result)  # as JSON, without infinities
    missing = dict(list(trained.tensors.items())[1:])
    with pytest.raises((KeyError, ValueError)):
        run.restore(missing)


def check(run: NetworkRun) -> None:
    """All of it."""
    parameters, inputs, seeds = drawn(run)
    check_names(run.task)
    check_drawn(run.task, inputs, seeds)
    check_losses(run, parameters, inputs, seeds)
    if hasattr(run.task, "evaluation_set"):
        check_evaluation_set(run)
    check_run(run)


@every_task
def test_it_keeps_to_the_contract(run):
    check(run)


@every_task
def test_a_fixed_seed_is_stored_and_restored(run):
    fixed = replace(run, objective=replace(run.objective, m=1, fixed_seed=True))
    trained = fixed.trained(begin(fixed, torch.device("cpu")))
    assert torch.equal(fixed.restore(trained.tensors)["seed"], trained.tensors["seed"])
    assert run.restore(run.trained(begin(run, torch.device("cpu"))).tensors)["seed"] is None


COIN = next(run for run in coin("smoke")["models"] if not run.objective.fixed_seed)
KIND = type(COIN.task)


@pytest.mark.parametrize(
    ("name", "bad", "told"),
    [
        ("losses", lambda losses: lambda *of: losses(*of).mean(1), r"losses are \(K, m, B\)"),
        ("losses", lambda losses: lambda *of: losses(*of) / len(of[2]), "a model's losses depend on the other models"),
        ("losses", lambda losses: lambda *of: losses(*of).log(), None),
        ("draw_seeds", lambda draw: lambda *of: draw(*of).squeeze(1), None),
        ("sequences_per_seed", lambda one: 0.5, "sequences_per_seed"),
    ],
)
def test_a_task_that_breaks_it_is_told(monkeypatch, name, bad, told):
    monkeypatch.setattr(KIND, name, bad(getattr(KIND, name)))
    with pytest.raises((AssertionError, RuntimeError, IndexError, TypeError), match=told):
        check(COIN)


def test_a_field_without_a_default_is_told(monkeypatch):
    monkeypatch.setattr(KIND.__dataclass_fields__["n"], "default", MISSING)
    with pytest.raises(AssertionError, match="n"):
        check(COIN)
