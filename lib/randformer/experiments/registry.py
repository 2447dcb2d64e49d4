"""Every run of every figure, by notebook; what they are is declared in experiments_<notebook>.py.

smoke shows nothing, it only walks the whole way; laptop is the default; paper has the sizes of the paper's tables.
"""

from randformer.core.runs import NetworkRun
from randformer.experiments.coloring.sweep import coloring
from randformer.experiments.cost.sweep import cost
from randformer.experiments.gridworld.sweep import gridworld
from randformer.experiments.recall.sweep import recall
from randformer.experiments.theory.sweep import theory
from randformer.harness.checks import one_of
from randformer.harness.profiles import PROFILES

NOTEBOOKS = {  # what --only means
    "start": "00_start_here.ipynb",
    "theory": "01_when_randomness_helps.ipynb",
    "recall": "02_associative_recall.ipynb",
    "coloring": "03_graph_coloring.ipynb",
    "gridworld": "04_grid_world.ipynb",
    "cost": "05_cost_of_randomness.ipynb",
}
EXPERIMENTS = {"recall": recall, "coloring": coloring, "gridworld": gridworld, "theory": theory, "cost": cost}


def declared(profile: str, only: str | None = None) -> list[NetworkRun]:
    """Every run of a profile once, of one notebook or of all. Raises BadInput for unknown names."""
    one_of("profile", profile, PROFILES)
    if only is not None:
        one_of("only", only, EXPERIMENTS)
    parts = [EXPERIMENTS[name](profile) for name in EXPERIMENTS if only in (None, name)]
    return list(dict.fromkeys(run for part in parts for runs in part.values() for run in runs))
