"""The trained models that 01_when_randomness_helps.ipynb holds against theory: those of the other notebooks."""

import itertools

from .experiments_coloring import coloring
from .experiments_gridworld import gridworld
from .experiments_recall import recall
from .runs import Run


def theory(profile: str) -> dict[str, list[Run]]:
    """{"recall", "coloring", "gridworld": all; "q": recall's sweep over q}, with random seeds. Raises BadInput."""
    memories, cycles, grids = recall(profile), coloring(profile), gridworld(profile)
    parts = {"recall": memories.values(), "coloring": cycles.values(), "gridworld": grids.values()}
    parts["q"] = [memories["q"]]
    every = {name: dict.fromkeys(itertools.chain.from_iterable(runs)) for name, runs in parts.items()}
    return {name: [run for run in runs if not run.model.fixed_seed] for name, runs in every.items()}
