"""The trained models that 01_when_randomness_helps.ipynb holds against theory: those of the other notebooks."""

from .experiments_coloring import coloring
from .experiments_recall import recall
from .runs import Run


def theory(profile: str) -> dict[str, list[Run]]:
    """{"recall": models over N, "q": over q, "coloring": over q}, with random seeds all. Raises BadInput."""
    memories = recall(profile)
    parts = {"recall": memories["size"], "q": memories["q"], "coloring": coloring(profile)["sweep"]}
    return {name: [run for run in runs if not run.model.fixed_seed] for name, runs in parts.items()}
