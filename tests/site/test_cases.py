import pytest
import torch

from randformer.problems.gridworld.task import lookup
from randformer.site import cases
from randformer.site.networks import PROBLEMS, models


def asked(problem: str) -> list[dict]:
    return cases.of_problem(problem, 12, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_model_is_asked_in_turn_under_its_own_seed_or_a_drawn_one(problem):
    of = models(problem)
    found = asked(problem)
    assert [(case["kind"], case["index"]) for case in found[: sum(map(len, of.values()))]] == [
        (kind, index) for kind, alike in of.items() for index in range(len(alike))
    ]
    for case in found:
        own = of[case["kind"]][case["index"]].fixed_seed
        assert own is None or own.flatten().tolist() == case["seed"]
    drawn = [tuple(case["seed"]) for case in found if case["kind"] == "random"]
    assert len(set(drawn)) == len(drawn)


def test_logits_of_recall_and_colouring_are_those_of_the_models_own_answers():
    for case in asked("recall"):
        model = models("recall")[case["kind"]][case["index"]]
        for key in (0, 19):
            said = model.probabilities((case["x"], key), [case["seed"]] if case["kind"] == "random" else 1)[0]
            assert torch.tensor(case["logits"][key]).sigmoid().tolist() == pytest.approx(said.tolist(), abs=1e-4)
    for case in asked("coloring"):
        model = models("coloring")[case["kind"]][case["index"]]
        said = model.probabilities(case["x"], [case["seed"]] if case["kind"] == "random" else 1)[0]
        assert torch.tensor(case["logits"]).softmax(-1).numpy() == pytest.approx(said, abs=1e-3)


def test_logits_of_the_grid_lead_along_its_walks():
    _, onwards = lookup(5, torch.device("cpu"))
    for case in asked("gridworld"):
        steps = [pair for walk in case["walks"] for pair in zip(walk, walk[1:])]  # noqa: B905, RUF007
        assert len(case["logits"]) == len(steps)
        for (here, then), logits in zip(steps, case["logits"], strict=True):
            assert onwards[here, torch.tensor(logits).argmax()] == then


def test_cycles_that_fail_are_counted():
    model = models("coloring")["fixed"][0]
    count = cases.failing(model)
    generator = torch.Generator().manual_seed(0)
    drawn = [model.run.task.draw_inputs(1, generator)[0].tolist() for _ in range(400)]
    wrong = [any(a == b for a, b in zip(c, c[1:] + c[:1], strict=True)) for c in (model(cycle) for cycle in drawn)]
    assert sum(wrong) / 400 == pytest.approx(count / 181_440, abs=0.06)
