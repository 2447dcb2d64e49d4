"""Every run of every figure, by notebook; what they are is declared in experiments_<notebook>.py.

smoke shows nothing, it only walks the whole way; laptop is the default; paper has the sizes of the paper's tables.
"""

from .checks import one_of
from .experiments_coloring import coloring
from .experiments_cost import cost
from .experiments_gridworld import gridworld
from .experiments_recall import recall
from .experiments_theory import theory
from .profiles import PROFILES
from .runs import NetworkRun

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
