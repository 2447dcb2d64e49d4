"""What PyTorch answers to random questions: tests/site/test_browser.py holds the explorer page against it.

In doubles: what differs is then the page's own error, not that of 32-bit sums.
"""

import torch
from torch import Tensor

from randformer.core.adversary import judge
from randformer.core.transformer import forward
from randformer.model import Model
from randformer.problems.coloring.task import COLORS
from randformer.problems.gridworld.task import FOUND, STEP
from randformer.site.networks import PROBLEMS, models

COUNT = 200  # for each problem
GENERATOR_SEED = 7


def cases() -> dict[str, list]:
    """{problem: [{kind, index, x, seed, logits}]}: which of the exported models, asked what, and what it says.

    And "failing cycles" of each model of colouring with a fixed seed.
    logits: recall (n, bits) of all keys; coloring (n, 3) along the walk; gridworld (steps, 4), and its two walks.
    """
    generator = torch.Generator().manual_seed(GENERATOR_SEED)
    asked = {problem: of_problem(problem, COUNT, generator) for problem in PROBLEMS}
    return asked | {"failing cycles": [failing(model) for model in models("coloring")["fixed"]]}


def failing(model: Model) -> int:
    """How many of all cycles a model with a fixed seed colours wrongly."""
    evaluation_set, _ = judge(model.run)
    said = evaluation_set.probabilities(model.parameters, model.fixed_seed)
    return int((~evaluation_set.right(evaluation_set.answers(said))).sum())


def of_problem(problem: str, count: int, generator: torch.Generator) -> list[dict]:
    """So many cases of one problem, of all its models in turn."""
    listed = [(kind, index, model) for kind, alike in models(problem).items() for index, model in enumerate(alike)]
    found = []
    for i in range(count):
        kind, index, model = listed[i % len(listed)]
        seed = model.fixed_seed
        if seed is None:
            seed = model.run.task.draw_seeds(1, 1, generator)
        x, said = ANSWERS[problem](model, seed.double(), generator)
        found.append({"kind": kind, "index": index, "x": x, "seed": seed.flatten().tolist(), **said})
    return found


def recalled(model: Model, seed: Tensor, generator: torch.Generator) -> tuple[list[int], dict]:
    """Random values, and logits of the value of every key."""
    task = model.run.task
    values = torch.randint(2**task.bits, (1, 1, task.n), generator=generator)
    logits = task.logits(model.run.network, model.parameters.double(), values, seed.unsqueeze(0))
    return values.flatten().tolist(), {"logits": logits[0, 0, 0].tolist()}


def colored(model: Model, seed: Tensor, generator: torch.Generator) -> tuple[list[int], dict]:
    """A random cycle, and logits along the walk."""
    task, cycle = model.run.task, model.run.task.draw_inputs(1, generator).unsqueeze(0)
    tokens = task.tokens(cycle, seed.unsqueeze(0))
    logits = forward(model.run.network, model.parameters.double(), tokens, task.mask(cycle), COLORS)
    return cycle.flatten().tolist(), {"logits": logits[0, 0, 0, cycle.flatten()].tolist()}


def searched(model: Model, seed: Tensor, generator: torch.Generator) -> tuple[int, dict]:
    """A random treasure, both walks, and logits at each step of theirs: of all tokens at once, by the plain network."""
    task = model.run.task
    treasure = int(torch.randint(1, task.cells, (1,), generator=generator))
    (walks,) = task.answers_of(model.run.network, model.parameters.double(), torch.tensor([treasure]), seed)
    tokens, acting = [seed.new_zeros(task.token_size)], []
    tokens[0][: task.seed_size] = seed.flatten()
    for walk in walks:
        for step, cell in enumerate(walk):
            token = seed.new_zeros(task.token_size)
            token[task.seed_size + cell // task.n] = token[task.seed_size + task.n + cell % task.n] = 1
            if step:
                token[task.seed_size + 2 * task.n] = FOUND if cell == treasure else STEP
            if step < len(walk) - 1:
                acting.append(len(tokens))
            tokens.append(token)
    tokens = torch.stack(tokens[: task.places])
    tokens[:, task.seed_size + 2 * task.n + 1 :] = torch.eye(task.places, dtype=seed.dtype)[: len(tokens)]
    sees = torch.ones(1, 1, len(tokens), len(tokens), dtype=torch.bool).tril()
    logits = forward(model.run.network, model.parameters.double(), tokens.view(1, 1, *tokens.shape), sees, task.outputs)
    return treasure, {"logits": logits[0, 0, acting].tolist(), "walks": list(walks)}


ANSWERS = {"recall": recalled, "coloring": colored, "gridworld": searched}
