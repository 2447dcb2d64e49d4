"""How long trainings will take, from the seconds that stand in the records of those most like them."""

import math
from functools import cache

from randformer.contract import Run
from randformer.harness import records
from randformer.harness.files import ROOT
from randformer.harness.records import RecordError

LENGTH = ("training.steps", "training.batch", "model.m")  # what time is in proportion to
NO_MATTER = ("number", "model.q")  # and what it does not depend on


def told(runs: list[Run], reused: int, cores: int | None, left: float = 1.0) -> str:
    """What training those runs means: "256 runs to train, about 2 h 20 min on 2 cores (0 reused)".

    cores: None where the work is none of cores', whose time is known; left: the share of the work that is not begun.
    """
    count = "1 run" if len(runs) == 1 else f"{len(runs) or 'no'} runs"
    seconds = expected(runs) if runs and cores else None
    where = f" on {cores} {'core' if cores == 1 else 'cores'}"
    known = f", about {duration(left * seconds / min(cores, len(runs)))}{where}" if seconds else ""
    return f"{count} to train{known} ({reused} reused)"


def expected(runs: list[Run]) -> float | None:
    """Seconds of one core that training the runs takes; None where no training like one of them was recorded."""
    found = [seconds(flat(run.config), measured(run.problem)) for run in runs]
    return None if None in found else sum(found)


def seconds(config: dict, known: list[tuple[dict, float]]) -> float | None:
    """Seconds of one core for a flat config: those of the nearest known one of about its length, in proportion."""
    if not known:
        return None

    def far(other: tuple[dict, float]) -> tuple[int, float]:
        return len(differences(other[0], config, LENGTH + NO_MATTER)), abs(math.log(longer(config, other[0])))

    nearest = min(known, key=far)
    return nearest[1] * longer(config, nearest[0])


def longer(config: dict, other: dict) -> float:
    """How many times as long as another's a config's training is."""
    return math.prod(config[name] / other[name] for name in LENGTH if name in config and name in other)


@cache
def measured(problem: str) -> list[tuple[dict, float]]:
    """(flat config, seconds of one core) of every training of a problem that has a record, in whatever profile."""
    found = []
    for folder in sorted((ROOT / "results").glob(f"*/{problem}/*/")):
        try:
            spent = records.read_json(folder / "provenance.json")["cpu_seconds"]
            found.append((flat(records.read_json(folder / "run.json")["config"]), spent))
        except (RecordError, KeyError):  # damaged, or not of ours: others will do
            continue
    return found


def differences(old: dict, new: dict, but: tuple[str, ...] = ()) -> list[str]:
    """Which entries differ between two flat configs, as "training.steps (100, now 200)"."""
    names = sorted((old.keys() | new.keys()) - set(but))
    return [f"{name} ({old.get(name)}, now {new.get(name)})" for name in names if old.get(name) != new.get(name)]


def flat(config: dict, prefix: str = "") -> dict:
    """A config without nesting: {"training.steps": 100, ...}."""
    found = {}
    for name, value in config.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def duration(seconds: float) -> str:
    """In words: 40 s, 3 min, 2 h 20 min."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
