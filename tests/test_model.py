"""A loaded model gives what the evaluation saw, and says in one line what it cannot take."""

import sys
from itertools import pairwise

import numpy as np
import pytest
import torch

import randformer
from clones import ROOT, finish, python
from helpers import tiny, tiny_gridworld, tiny_recall
from randformer.contract import Playable
from randformer.core.adversary import judge
from randformer.harness.checks import BadInput
from randformer.harness.records import RecordError
from randformer.model import Model, chosen, having
from randformer.problems.coloring.task import all_cycles

TINY = {"recall": tiny_recall, "coloring": tiny, "gridworld": tiny_gridworld}
X = {"recall": ([3, 1, 0, 2], 2), "coloring": [3, 0, 4, 2, 1, 5], "gridworld": 7}


def untrained(problem: str, fixed: bool = False) -> Model:
    """A model with random weights, so large that seeds make a difference."""
    run = TINY[problem](fixed=fixed)
    generator = torch.Generator().manual_seed(0)
    parameters = torch.randn(1, run.parameters, generator=generator)
    return Model(run, parameters, run.task.draw_seeds(1, 1, generator) if fixed else None)


def tensor(seeds: list) -> torch.Tensor:
    return torch.tensor(seeds, dtype=torch.float32).unsqueeze(1)


@pytest.fixture(scope="module")
def recall() -> Model:
    return randformer.load("recall")


def test_the_library_is_imported_without_waiting_for_torch():
    said = "import randformer, sys; assert not {'torch', 'numpy'} & set(sys.modules); print(*dir(randformer)[-2:])"
    assert finish(python(ROOT, "-c", said)) == (0, "load model\n", "")
    helped = "import randformer; print(randformer.model.load is randformer.load, len(randformer.model.__doc__) > 1000)"
    assert finish(python(ROOT, "-c", helped)) == (0, "True True\n", "")
    assert sys.modules["randformer.model"].load is randformer.load
    with pytest.raises(AttributeError, match="module 'randformer' has no attribute 'lead'"):
        randformer.lead  # noqa: B018


@pytest.mark.parametrize("problem", TINY)
def test_every_task_can_be_asked_by_hand(problem):
    assert isinstance(TINY[problem]().task, Playable)


# Answers are those that are evaluated


def test_recall_answers_as_in_its_evaluation(recall):
    memories = judge(recall.run)[0]
    seeds = recall.seeds(70)
    for index in (7, 4_242, memories.inputs - 1):
        memory, key = memories.memories[index // 20], index % 20
        answers = recall.sample((memory, key), seeds)
        assert answers == memories.decided(memories.probabilities_to(index, recall.parameters, tensor(seeds))).tolist()
        assert answers[:3] == [recall((memory.tolist(), key), seed) for seed in seeds[:3]]
    chance = recall.probabilities((memory, key), seeds)
    assert chance.shape == (70, 5)
    assert [sum(2**i for i in range(5) if one[i] > 0.5) for one in chance] == answers


def test_coloring_answers_as_in_its_evaluation():
    model = untrained("coloring")
    cycles, seeds = judge(model.run)[0], model.seeds(20)
    walk = torch.tensor([0, 2, 1, 5, 3, 4])  # as all_cycles has it
    index = int((all_cycles(6) == walk).all(1).nonzero())
    expected = cycles.colors(cycles.decided(cycles.probabilities_to(index, model.parameters, tensor(seeds))))
    assert model.sample(walk, seeds) == expected.tolist()
    assert len({tuple(colors) for colors in expected.tolist()}) > 1
    turned = model.sample(np.roll(walk, 2), seeds)  # the same cycle, walked from elsewhere
    assert turned == np.roll(expected, 2, 1).tolist()
    assert model.probabilities(walk, seeds).argmax(-1).tolist() == expected.tolist()


def test_gridworld_walks_as_it_plays():
    model = randformer.load("gridworld")
    task, seeds = model.run.task, model.seeds(6)
    played = task.play(model.run.network, model.parameters, tensor(seeds).unsqueeze(0))
    ends = set()
    for cell in range(1, task.cells, 3):
        for i, (first, second) in enumerate(model.sample(cell, seeds)):
            assert len(first) + len(second) - 2 == played.steps[0, i, cell]
            assert first[0] == second[0] == 0
            assert (first[-1] == cell) == bool(played.found[0, i, cell])
            assert cell not in first[:-1] + second[:-1]
            assert all(task.n >= abs(a - b) for walk in (first, second) for a, b in pairwise(walk))
            ends.add((first[-1] == cell, second[-1] == cell))
    assert {(True, True), (True, False), (False, False)} <= ends
    with pytest.raises(BadInput, match=r"^gridworld: an agent gives walks, and no probabilities$"):
        model.probabilities(1, seeds)


# Seeds


@pytest.mark.parametrize("problem", TINY)
def test_a_fixed_seed_is_a_part_of_the_model(problem):
    model, x = untrained(problem, fixed=True), X[problem]
    answer = model(x)
    assert model.sample(x, 70) == [answer] * 70
    assert model.vote(x, 5) == answer
    own = model.fixed_seed[0, 0].tolist()
    assert Model(TINY[problem](), model.parameters, None)(x, own) == answer
    for refused in (lambda: model(x, own), lambda: model.sample(x, [own]), lambda: model.seeds(2)):
        with pytest.raises(BadInput, match=r"^seed: .* has a fixed one and answers under no other; give none$"):
            refused()


@pytest.mark.parametrize("problem", TINY)
def test_seeds_are_drawn_the_same_again_and_a_call_without_one_draws_afresh(problem, monkeypatch):
    model, x = untrained(problem), X[problem]
    assert model.seeds(4) == model.seeds(4) != model.seeds(4, generator_seed=1)
    assert model.sample(x, 4) == model.sample(x, model.seeds(4)) == model.sample(x, np.array(model.seeds(4)))
    drawn = iter(range(20))
    monkeypatch.setattr("randformer.model.secrets.randbits", lambda bits: next(drawn))
    assert [model(x) for _ in range(20)] == [model(x, *model.seeds(1, generator_seed=k)) for k in range(20)]


# Votes


@pytest.mark.parametrize("problem", TINY)
def test_a_vote_elects_the_most_frequent_whole_answer(problem):
    model, x = untrained(problem), X[problem]
    assert len(set(map(str, model.sample(x, 30)))) > 1
    for k in (1, 2, 5, 30):
        answers = model.sample(x, k)
        most = max(answers.count(answer) for answer in answers)
        assert model.vote(x, k) == next(answer for answer in answers if answers.count(answer) == most)


def test_recall_votes_on_each_bit_too():
    model, x = untrained("recall"), X["recall"]
    answers = model.sample(x, 15)
    bits = [sum(answer >> bit & 1 for answer in answers) > 7 for bit in range(2)]
    assert model.vote(x, 15, how="parts") == bits[0] + 2 * bits[1]
    with pytest.raises(BadInput, match=r"^how = 'best': give one of majority, parts, probabilities, logits$"):
        model.vote(x, 15, how="best")
    with pytest.raises(BadInput, match=r"^how = 'parts': give one of majority$"):
        untrained("gridworld").vote(X["gridworld"], 15, how="parts")


def test_averages_elect_what_the_mean_of_probabilities_or_logits_says():
    model, x = untrained("coloring"), X["coloring"]
    said = model.probabilities(x, 15).astype(float)
    assert model.vote(x, 15, how="probabilities") == said.mean(0).argmax(-1).tolist()
    assert model.vote(x, 15, how="logits") == np.log(said.clip(1e-6)).mean(0).argmax(-1).tolist()
    counts = (said.argmax(-1)[..., None] == np.arange(3)).sum(0)
    voted = model.vote(x, 15, how="parts")
    assert all(counts[vertex, color] == counts[vertex].max() for vertex, color in enumerate(voted))
    model, x = untrained("recall"), X["recall"]
    said = model.probabilities(x, 15).astype(float)
    logits = np.log(said.clip(1e-6)) - np.log((1 - said).clip(1e-6))
    means = {"probabilities": said.mean(0) - 0.5, "logits": logits.mean(0)}
    for how, mean in means.items():
        assert model.vote(x, 15, how=how) == sum(2**bit for bit in range(2) if mean[bit] > 0)


# What is impossible


@pytest.mark.parametrize(
    ("problem", "x", "told"),
    [
        ("recall", 3, r"x = 3: give \(values, key\), a list of 4 values and the key that is asked for"),
        ("recall", ([1, 2, 3], 0), "values: give a list of 4 numbers, 3 were given"),
        ("recall", ([1, 2, 3, 4], 0), r"values\[3\] = 4: give a whole number, at least 0 and at most 3"),
        ("recall", ([1, 2, 3, True], 0), r"values\[3\] = True: give a whole number, at least 0 and at most 3"),
        ("recall", ([1, 2, 3, 0], 4), "key = 4: give a whole number, at least 0 and at most 3"),
        ("recall", ([1, 2, 3, 0], True), "key = True: give a whole number, at least 0 and at most 3"),
        ("coloring", [0, 1, 2], r"x \(a cycle\): give a list of 6 numbers, 3 were given"),
        ("coloring", [0, 1, 2, 3, 4, 6], r"x \(a cycle\)\[5\] = 6: give a whole number, at least 0 and at most 5"),
        ("coloring", [0, 1, 2, 3, 4, 4], r"x \(a cycle\) = .*: give every vertex from 0 to 5 once"),
        ("gridworld", 0, "x .*0 is the start.* = 0: give a whole number, at least 1 and at most 8"),
        ("gridworld", 9, "x .* = 9: give a whole number, at least 1 and at most 8"),
        ("gridworld", True, "x .* = True: give a whole number, at least 1 and at most 8"),
    ],
)
def test_impossible_inputs_are_told_in_one_line(problem, x, told):
    model = untrained(problem)
    for asked in (model, lambda x: model.vote(x, 3)):
        with pytest.raises(BadInput, match=f"^{told}$"):
            asked(x)


@pytest.mark.parametrize(
    ("problem", "seed", "told"),
    [
        ("recall", [0, 1], "seed: give a list of 3 numbers, 2 were given"),
        ("recall", [0, 1, 0.5], r"seed = \[0, 1, 0.5\]: give 3 zeros and ones"),
        ("recall", [0, 1, 2], r"seed\[2\] = 2: give a number, at least 0 and at most 1"),
        ("recall", 1, "seed: give a list of 3 numbers, not 1"),
        ("coloring", [0.5] * 5, "seed: give a list of 6 numbers, 5 were given"),
        ("coloring", [0.5] * 5 + [-0.1], r"seed\[5\] = -0.1: give a number, at least 0 and at most 1"),
        ("gridworld", [0.0], "seed: give a list of 2 numbers, 1 were given"),
        ("gridworld", [0.0, float("nan")], r"seed\[1\] = nan: give a number, at least -100 and at most 100"),
    ],
)
def test_impossible_seeds_are_told_in_one_line(problem, seed, told):
    with pytest.raises(BadInput, match=f"^{told}$"):
        untrained(problem)(X[problem], seed)


@pytest.mark.parametrize("seeds", [0, 10_001, 2.5, True, None, []])
def test_seeds_are_a_list_or_their_number(seeds):
    with pytest.raises(BadInput, match=r"^(number of )?seeds = .*: give a whole number, at least 1 and at most 10000$"):
        untrained("recall").sample(X["recall"], seeds)


def test_one_number_for_the_whole_cycle_where_a_model_was_trained_so():
    model = untrained("coloring")
    shared = Model(randformer.load("coloring", noise="graph").run, model.parameters, None)
    with pytest.raises(BadInput, match=r": the vertices of this model share one number, give it 10 times$"):
        shared(list(range(10)), [0.1] * 9 + [0.2])


# Which model


def test_what_is_not_said_is_as_in_the_leading_figures(recall):
    assert repr(recall) == ("recall A_R^q n=20 q=100 m=30 queries=all steps=20000 batch=640 run=0, 4885 parameters")
    assert str(randformer.load("coloring", run=3).run) == "coloring A_R^q n=10 q=10 m=10 steps=16000 batch=64 run=3"
    assert str(randformer.load("gridworld").run).startswith("gridworld A_R^q n=5 q=inf m=10 ")
    fixed = randformer.load("recall", fixed_seed=True, q=1)
    assert str(fixed.run).startswith("recall A_r0^E n=20 q=1 queries=all steps=20000 ")
    assert fixed.fixed_seed.shape == (1, 1, 10)


def test_any_field_can_be_asked_for():
    longer = randformer.load("recall", steps=50_000)
    assert (longer.run.task.n, longer.run.training.steps) == (20, 50_000)
    assert randformer.load("coloring", self_loop=True).run.task.self_loop is True
    assert randformer.load("coloring", rise=0.5).run.training.rise == 0.5


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"problem": "recal"}, "problem = 'recal': give one of recall, coloring, gridworld"),
        ({"profile": "desk"}, "profile = 'desk': give one of smoke, laptop, paper"),
        ({"key_sise": 5}, "field = 'key_sise': give one of n, bits, seed_bits, .*"),
        ({"q": 7}, "q = 7: recall with n = 20 is trained on q = 1, 100"),
        ({"n": "20"}, "n = '20': recall is trained on n = 10, 11, 12, 14, 15, 16, 18, 20"),
        ({"n": [20]}, r"n = \[20\]: recall is trained on n = 10, .*"),
        ({"run": 5}, "run = 5: recall with n = 20 and q = 100 and m = 30 is trained on run = 0, 1, 2, 3, 4"),
        ({"run": True}, "run = True: recall with .* is trained on run = 0, 1, 2, 3, 4"),
        ({"fixed_seed": 1}, "fixed_seed = 1: recall is trained on fixed_seed = False, True"),
        (
            {"fixed_seed": True, "m": 30},
            "m = 30: recall with fixed_seed = True and n = 20 and q = 100 is trained on m = 1",
        ),
        ({"rise": 0.5}, "rise = 0.5: recall with n = 20 and q = 100 and m = 30 is trained on rise = nothing"),
    ],
)
def test_what_is_not_trained_is_told_with_what_is(asked, told):
    with pytest.raises(BadInput, match=f"^{told}$"):
        randformer.load(**{"problem": "recall"} | asked)


def test_the_readme_and_the_notebook_show_what_comes_out(recall):
    values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4]
    assert f"values = {values}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (recall.sample((values, 4), 5), recall.vote((values, 4), 30)) == ([5, 7, 5, 7, 5], 5)
    assert (recall.vote((values, 10), 30), recall.vote((values, 10), 30, how="parts")) == (21, 5)


def test_a_missing_record_is_told_with_how_to_make_it(monkeypatch, tmp_path):
    monkeypatch.setattr("randformer.harness.workers.ROOT", tmp_path)
    told = r"^recall A_R\^q n=20 .* run=0: no record; ./run_all.sh --profile laptop --only recall trains it$"
    with pytest.raises(RecordError, match=told):
        randformer.load("recall")


def test_among_trainings_that_fit_the_first_declared_is_taken():
    runs = [tiny(k, steps=steps) for steps in (20, 30) for k in range(2)]
    assert chosen(runs, {"n": 6}, 1) == runs[1]
    assert chosen(runs, {"n": 6, "steps": 30}, 0) == runs[2]
    assert having(runs, {}, "q", 3) == runs
