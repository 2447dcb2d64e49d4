"""The trained models that 01_when_randomness_helps.ipynb holds against theory: those of the other notebooks."""

from randformer.core.runs import NetworkRun
from randformer.experiments.coloring.sweep import coloring
from randformer.experiments.cost.sweep import cost
from randformer.experiments.gridworld.sweep import gridworld
from randformer.experiments.recall.sweep import recall


def theory(profile: str) -> dict[str, list[NetworkRun]]:
    """{"recall", "coloring", "gridworld": all; "q": recall's sweep over q}, with random seeds. Raises BadInput."""
    memories = recall(profile)
    others = [memories, coloring(profile), gridworld(profile), cost(profile)]
    every = dict.fromkeys(run for parts in others for runs in parts.values() for run in runs)
    parts = {name: [run for run in every if run.problem == name] for name in ("recall", "coloring", "gridworld")}
    parts["q"] = list(memories["q"])
    return {name: [run for run in runs if not run.model.fixed_seed] for name, runs in parts.items()}
