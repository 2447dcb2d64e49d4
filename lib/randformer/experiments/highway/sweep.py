"""Every training of 13_highway_backpropagation.ipynb: three tasks, each by backpropagation and by k iterations."""

from dataclasses import dataclass

from randformer.harness.sizes import sized
from randformer.problems.highway.run import StackRun


@dataclass(frozen=True)
class Sizes:
    """Of one task in one profile. highway, fixed_point: numbers of iterations k; runs of each."""

    runs: int
    layers: int
    units: int
    batch: int
    learning_rate: float
    steps: int
    highway: tuple[int, ...]
    fixed_point: tuple[int, ...]


SIZES = {
    "digits": Sizes(8, 16, 24, 64, 1e-3, 600, (0, 1, 2, 4), (4,)),
    "adding": Sizes(5, 64, 32, 32, 1e-2, 1500, (3,), (3,)),
    "pixels": Sizes(5, 64, 32, 64, 1e-2, 700, (10,), (10,)),
}
SMOKE = {
    "digits": Sizes(2, 4, 8, 8, 1e-3, 3, (1,), (1,)),
    "adding": Sizes(2, 8, 4, 4, 1e-2, 3, (3,), (3,)),
    "pixels": Sizes(2, 64, 4, 4, 1e-2, 2, (10,), (10,)),
}


@sized
def runs(profile: str) -> dict[str, list[StackRun]]:
    """{task: runs}, exact ones first. The paper profile has laptop's sizes: the paper's networks are out of reach."""
    sizes = SMOKE if profile == "smoke" else SIZES
    return {task: trainings(task, of) for task, of in sizes.items()}


def trainings(task: str, of: Sizes) -> list[StackRun]:
    """Each way to take the gradient, so many times."""
    ways = [("backpropagation", of.layers)]
    ways += [("highway", k) for k in of.highway] + [("fixed point", k) for k in of.fixed_point]
    return [
        StackRun(of.steps, i, task, of.layers, of.units, of.batch, of.learning_rate, way, k)
        for way, k in ways
        for i in range(of.runs)
    ]
