"""Trained networks as the explorer page takes them: docs/site/static/*.js computes in a browser what they answer.

One script, not data that a script would fetch: a page that is opened from a file may not fetch.
"""

import base64
import json

import numpy as np

from randformer.contract import Task
from randformer.harness.checks import BadInput
from randformer.model import Model, load
from randformer.problems.gridworld import game

PROBLEMS = ("recall", "coloring", "gridworld")
PROFILE = "laptop"
EPISODES = 2  # of the grid's game whose best mixture is shown


def models(problem: str) -> dict[str, list[Model]]:
    """Every repetition of the leading models of a problem, those of randformer.load: {"fixed": A_r0, "random": A_R}."""
    found: dict[str, list[Model]] = {}
    for kind, fixed_seed in (("fixed", True), ("random", False)):
        alike = found[kind] = [load(problem, PROFILE, fixed_seed)]
        while True:
            try:
                alike.append(load(problem, PROFILE, fixed_seed, run=len(alike)))
            except BadInput:  # the last repetition was that before
                break
    return found


def exported() -> dict:
    """All that the page knows: {problem: {task, network, shapes, fixed, random}}, and the grid's best mixture."""
    page = {}
    for problem in PROBLEMS:
        kinds = models(problem)
        run = kinds["random"][0].run
        page[problem] = {
            "task": {"n": run.task.n, **sizes(run.task)},
            "network": vars(run.network),
            "shapes": run.shapes,
            **{kind: [one(model) for model in alike] for kind, alike in kinds.items()},
        }
    page["gridworld"]["mixture"] = mixture(page["gridworld"]["task"]["n"])
    return page


def sizes(task: Task) -> dict:
    """What else the page must know of a task."""
    return {name: getattr(task, name) for name in ("bits", "seed_bits", "episode", "seed_size") if hasattr(task, name)}


def one(model: Model) -> dict:
    """A model's name, weights as base64 of 32-bit floats in the order of its shapes, and its fixed seed or None."""
    weights = model.parameters[0].numpy().astype("<f4").tobytes()
    seed = None if model.fixed_seed is None else model.fixed_seed.flatten().tolist()
    return {"name": str(model.run), "weights": base64.b64encode(weights).decode(), "seed": seed}


def mixture(n: int) -> list[dict]:
    """Walks of the best mixture on a grid with n cells a side, each with its chance; the most probable first."""
    path = game.STORED / f"search_{n}x{n}_{EPISODES}.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        walks = list(zip(game.distribution(stored["mixture"], len(stored["walks"])), stored["walks"], strict=True))
        for _, walk in walks:
            game.steps_of(n, tuple(walk))
    except (OSError, LookupError, TypeError, ValueError) as error:
        raise BadInput(f"{path}: no solved game ({error}); ./run_all.sh --only theory makes it") from None
    walks.sort(key=lambda pair: -pair[0])
    return [{"chance": float(np.round(chance, 6)), "walk": walk} for chance, walk in walks]


def script() -> str:
    """networks.js."""
    return f"const NETWORKS = {json.dumps(exported(), separators=(',', ':'), allow_nan=False)};\n"
