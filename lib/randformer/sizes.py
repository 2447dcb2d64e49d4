"""Whether a run can be: the memory and the time that it takes at least, by arithmetic, before anything is allocated.

Counted is only what grows with what a person may ask for. So these are lower bounds, and a run that passes may still
be too large; but what cannot be is refused in one line, and takes no machine down.
"""

import os
from collections.abc import Callable, Iterable
from functools import wraps
from inspect import signature
from pathlib import Path

from . import evaluation, evaluation_search
from .checks import BadInput
from .tasks import recall

GIB = 2**30
MOST_SEQUENCES = 10**13  # of a training: months at a million a second, which a core does at best
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container


def check(runs: Iterable, name: Callable = str, train: bool = True) -> None:
    """Raise BadInput for the first run that cannot be; name(run) says what to give fewer of.

    train is false where its training is done elsewhere, on a GPU or another machine, or was.
    """
    there = memory()
    for run in runs:
        needed = max(training(run) if train else 0, evaluating(run))
        if needed > there:
            raise BadInput(
                f"{name(run)}: a model of that size would take about {needed / GIB:.0f} GiB, "
                f"this machine has {there / GIB:.0f} GiB: give fewer"
            )
        if train and run.cost > MOST_SEQUENCES:
            raise BadInput(
                f"{name(run)}: the training would take {run.cost:.1e} sequences through the network, at a million a "
                f"second {run.cost / 1e6 / 86400 / 365:.1f} years: give fewer"
            )


def sized(declare: Callable) -> Callable:
    """declare(profile, ...), but refusing what a person gave in place of a profile's sizes where it cannot be.

    A profile's own sizes may have been trained on another machine, and are checked before they are trained.
    """

    @wraps(declare)
    def checked(profile: str, *values, **given) -> dict:
        parts = declare(profile, *values, **given)
        if (values or given) and parts != declare(profile):
            named = signature(declare).bind(profile, *values, **given).arguments
            defaults = {name: parameter.default for name, parameter in signature(declare).parameters.items()}
            changed = [f"{n} = {value}" for n, value in named.items() if n != "profile" and value != defaults[n]]
            check((run for runs in parts.values() for run in runs), lambda run: ", ".join(changed))
        return parts

    return checked


def memory() -> int:
    """Bytes that this machine has, or that the container may use which this process is in."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in map(Path, LIMITS):
        text = path.read_text(encoding="utf-8").strip() if path.exists() else ""
        found += [int(text)] if text.isdecimal() else []
    return min(found)


def training(run) -> int:
    """Bytes that a step of training takes at least."""
    task, model, batch = run.task, run.model, run.training.batch
    if run.experiment == "gridworld":
        candidates = 2 * run.parameters * batch + batch**2 // 2  # their noise; who is better than whom, in bytes
        return 4 * candidates + walking(run, batch * model.m)
    tokens = batch if getattr(task, "queries", "") == "all" else batch * task.n
    seeds = model.m * task.n if run.experiment == "coloring" else model.m * task.seed_bits
    if getattr(task, "seeds_per", "batch") == "input":
        seeds *= batch
    network = run.network
    kept = tokens * network.layers * 3 * network.heads * network.key_size  # keys, values and queries under one seed
    return 4 * (6 * run.parameters + seeds + kept)


def evaluating(run) -> int:
    """Bytes that the evaluation takes at least, of what was trained."""
    if run.experiment == "gridworld":
        seeds = 1 if run.model.fixed_seed else evaluation_search.SEEDS
        return 4 * run.parameters + walking(run, seeds)
    if run.experiment == "coloring":
        return 0  # of ten vertices at most, which every machine can hold
    inputs = recall.BASES * 2**run.task.bits * run.task.n
    answers = 1 if run.model.fixed_seed else 2 * evaluation.SEEDS
    return 4 * run.parameters + inputs * (8 + 4 * answers + 4 * 8 * run.task.bits)


def walking(run, sequences: int) -> int:
    """Bytes of what so many agents keep of their second episode, for each cell: keys, values, where they went."""
    network, task = run.network, run.task
    kept = 4 * 2 * network.layers * network.heads * network.key_size + 8
    return sequences * task.cells * task.episode * kept
