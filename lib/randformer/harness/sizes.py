"""Whether a run can be: the memory and the time that it takes at least, by arithmetic, before anything is allocated.

Counted is only what grows with what a person may ask for. So these are lower bounds, and a run that passes may still
be too large; but what cannot be is refused in one line, and takes no machine down.
"""

import os
from collections.abc import Callable, Iterable
from functools import wraps
from inspect import signature
from pathlib import Path

from randformer.contract import Run
from randformer.harness.checks import BadInput, one_of
from randformer.harness.profiles import PROFILES

GIB = 2**30
MOST_SEQUENCES = 10**13  # of a training: months at a million a second, which a core does at best
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # of a container


def check(runs: Iterable[Run], name: Callable = str, train: bool = True) -> None:
    """Raise BadInput for the first run that cannot be; name(run) says what to give fewer of.

    train is false where its training is done elsewhere, on a GPU or another machine, or was.
    """
    there = memory()
    for run in runs:
        needed = run.memory(train)
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
    """declare(profile, ...), but refusing an unknown profile, and what a person gave for its sizes if it cannot be.

    A profile's own sizes may have been trained on another machine, and are checked before they are trained.
    """

    @wraps(declare)
    def checked(profile: str, *values, **given) -> dict:
        one_of("profile", profile, PROFILES)
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
