"""The runs behind 04_grid_world.ipynb; sizes per profile. To change what is trained, change it here."""

from dataclasses import dataclass, replace
from math import inf

from randformer.core.evolution import PGPE
from randformer.core.objective import Objective
from randformer.core.runs import NetworkRun, sketch
from randformer.core.transformer import Network
from randformer.harness.checks import BadInput, at_least, one_of
from randformer.harness.sizes import sized
from randformer.problems.gridworld.task import GridWorld

TABLE_3, NETWORK, EVOLUTION = GridWorld.standard()
SOFT_Q = 10.0  # a softer adversary than the paper's, as an addition


@dataclass(frozen=True)
class Sizes:
    """How large the grid world is in a profile; the defaults are table 3 and the points of the paper's figures."""

    task: GridWorld = TABLE_3
    small: int = 4  # cells a side of a grid whose game is solved within seconds
    network: Network = NETWORK
    training: PGPE = EVOLUTION
    m: int = 10
    ms: tuple[int, ...] = (1, 5, 10, 20)  # figure 7B
    runs: int = 5  # per point
    claim_runs: int = 5  # per point that carries a claim


SIZES = {
    "smoke": Sizes(
        task=GridWorld(3, 8, 4),
        small=2,
        network=replace(NETWORK, width=8, layers=1, heads=2, key_size=4),
        training=PGPE(12, 8),
        m=3,
        ms=(1, 3),
        runs=2,
        claim_runs=2,
    ),
    "laptop": Sizes(
        task=GridWorld(5, 25, 16),
        network=replace(NETWORK, width=16, layers=1, heads=2, key_size=4),
        training=PGPE(1_000, 64, learning_rate=0.02, std=0.06),
        runs=2,
    ),
    "paper": Sizes(),
}


@sized
def runs(
    profile: str,
    cells: int | None = None,
    episode: int | None = None,
    m: int | None = None,
    width: int | None = None,
    heads: int | None = None,
    population: int | None = None,
    generations: int | None = None,
    quick: bool = False,
) -> dict[str, list[NetworkRun]]:
    """The runs behind 04_grid_world.ipynb, as {part: runs}.

    "models": the four of section 3.1, and A_R with a softer adversary; "m": over seeds per generation, the exact
    adversary; "small": A_R on a smaller grid. What is given replaces the profile's: cells a side, steps of an episode,
    seeds and candidates a generation, width and heads of the network. quick: a run a point, and short trainings.
    Raises BadInput for an unknown profile or impossible sizes.
    """
    one_of("quick", quick, (False, True))
    sizes = SIZES[profile]
    task, network, training = sizes.task, sizes.network, sizes.training
    task = replace(task, n=task.n if cells is None else cells, episode=task.episode if episode is None else episode)
    network = resized(network, network.width if width is None else width, network.heads if heads is None else heads)
    training = replace(
        training,
        generations=training.generations if generations is None else generations,
        population=training.population if population is None else population,
    )
    m = sizes.m if m is None else m
    at_least("m", m, 1)

    def models_at(model: Objective, count: int, task: GridWorld = task) -> list[NetworkRun]:
        return [NetworkRun(task, network, model, training, number) for number in range(count)]

    expected, worst = Objective(1, m), Objective(inf, m)
    models = [run for model in (expected, worst) for run in models_at(model, sizes.claim_runs)]
    for model in (Objective(SOFT_Q, m), *(Objective(q, 1, fixed_seed=True) for q in (1, inf))):
        models += models_at(model, sizes.runs)
    over_m = []
    for seeds in dict.fromkeys((*sizes.ms, m)):
        over_m += models_at(Objective(inf, seeds), sizes.claim_runs if seeds in (min(sizes.ms), m) else sizes.runs)
    smaller = replace(task, n=sizes.small)
    small = [run for model in (expected, worst) for run in models_at(model, sizes.runs, smaller)]
    parts = {"models": models, "m": over_m, "small": small}
    return sketch(parts) if quick else parts


def resized(network: Network, width: int, heads: int) -> Network:
    """The network with another width and number of heads; the size of a key goes along. Raises BadInput."""
    at_least("width", width, 1)
    at_least("heads", heads, 1)
    if width % heads:
        raise BadInput(f"width = {width}: not divisible by heads = {heads}, give a multiple of it")
    key_size = max(1, network.key_size * network.heads * width // (network.width * heads))
    return replace(network, width=width, heads=heads, key_size=key_size)
