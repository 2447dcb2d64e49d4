"""The runs behind 05_cost_of_randomness.ipynb; sizes per profile. To change what is trained, change it here.

Rules of thumb are read off the smaller size of each task and tried on the larger one.
"""

from dataclasses import dataclass, replace

from randformer.core.gradient import GradientTraining, RisingQ
from randformer.core.objective import Objective
from randformer.core.runs import NetworkRun
from randformer.core.transformer import Network
from randformer.experiments.coloring import sweep as coloring
from randformer.experiments.recall import sweep as recall
from randformer.harness.sizes import sized
from randformer.problems.coloring.task import Coloring
from randformer.problems.recall.task import Recall, table_1


@dataclass(frozen=True)
class Sizes:
    """How large the study of one task is in a profile."""

    ns: tuple[int, int]  # the size that rules are fitted on, and the one that they are tried on
    training: GradientTraining  # of every sweep but the one at equal compute
    m: int  # seeds of every sweep but that one
    qs: tuple[float, ...]  # the last is the one that all but the sweep over q train on
    seeds: int  # compute of a training: steps x m
    ms: tuple[int, ...]  # what it is spent on
    runs: int = 3  # per point


SIZES = {
    "smoke": {
        "recall": Sizes((3, 4), table_1(40, 2, 10), 3, (1, 100), 90, (1, 3), 2),
        "coloring": Sizes((5, 6), GradientTraining(40, 16, warmup=10), 3, (1, 10), 90, (1, 3), 2),
    },
    "laptop": {
        "recall": Sizes(
            (12, 15),
            table_1(12_000, 16),
            m=30,
            qs=(1, 4, 8, 16, 32, 100),
            seeds=240_000,
            ms=(3, 10, 30, 100),
        ),
        "coloring": Sizes(
            (8, 10),
            GradientTraining(16_000, 64),
            m=10,
            qs=(1, 2, 3, 6, 10),
            seeds=80_000,
            ms=(1, 3, 10, 30, 100),
        ),
    },
    "paper": {
        "recall": Sizes(
            (12, 20),
            Recall.standard()[2],
            m=30,
            qs=(1, 4, 8, 16, 32, 100),
            seeds=900_000,
            ms=(3, 10, 30, 100),
            runs=5,
        ),
        "coloring": Sizes(
            (8, 10),
            Coloring.standard()[2],
            m=10,
            qs=(1, 2, 3, 6, 10),
            seeds=900_000,
            ms=(1, 3, 10, 30, 100),
            runs=5,
        ),
    },
}
RISE = 0.5  # share of the steps on which q rises, where it does
KEYS = {"smoke": (1, 2), "laptop": (5, 6, 7, 8, 10), "paper": (5, 6, 7, 8, 10, 12)}  # memory for more pairs
BLOCKS = ("linear", "linear, MLP", "linear, MLP, LayerNorm")  # colouring needs no memory: more computation, then


@sized
def runs(profile: str) -> dict[str, list[NetworkRun]]:
    """The runs behind 05_cost_of_randomness.ipynb, as {part: runs}, of recall and colouring together.

    "compute": over m, fewer steps for more seeds; "q": over q, random and fixed seeds; "schedule": q as it is and
    rising to its value; "larger": fixed seed, expected loss, larger networks. Raises BadInput for an unknown profile.
    """
    parts: dict[str, list[NetworkRun]] = {"compute": [], "q": [], "schedule": [], "larger": []}
    for experiment, sizes in SIZES[profile].items():
        fixed, q = Objective(1, 1, fixed_seed=True), max(sizes.qs)
        for n in sizes.ns:
            base = standard(profile, experiment, sizes, n)
            for m in sizes.ms:
                steps = sizes.seeds // m
                training = replace(base.training, steps=steps, warmup=min(base.training.warmup, steps // 4))
                parts["compute"] += repeated(base, sizes.runs, objective=Objective(q, m), training=training)
            for power in sizes.qs:
                parts["q"] += repeated(base, sizes.runs, objective=Objective(power, sizes.m))
            parts["q"] += repeated(base, sizes.runs, objective=fixed)
            for training in (base.training, raised(base.training)):
                parts["schedule"] += repeated(base, sizes.runs, objective=Objective(q, sizes.m), training=training)
        for network in larger(profile)[experiment].values():
            parts["larger"] += repeated(base, sizes.runs, objective=fixed, network=network)
    return parts


def larger(profile: str) -> dict[str, dict[str, Network]]:
    """Networks by task and name, from small to large."""
    memories = {f"key size {size}": replace(recall.NETWORK, key_size=size) for size in KEYS[profile]}
    return {"recall": memories, "coloring": {name: coloring.CANDIDATES[name] for name in BLOCKS}}


def standard(profile: str, experiment: str, sizes: Sizes, n: int) -> NetworkRun:
    """A run of a task of size n as its own notebook has it, so that records are shared with it."""
    if experiment == "coloring":
        task, network, training = Coloring(n), coloring.NETWORK, sizes.training
    else:
        queries = recall.SIZES[profile].queries
        task, network = Recall(n, queries=queries), recall.NETWORK
        training = replace(sizes.training, batch=sizes.training.batch * (n if queries == "all" else 1))
    return NetworkRun(task, network, Objective(), training, 0)


def repeated(run: NetworkRun, count: int, **change) -> list[NetworkRun]:
    """That many runs, with some parts replaced."""
    return [replace(run, run_index=number, **change) for number in range(count)]


def raised(training: GradientTraining) -> RisingQ:
    """The same training, but q rises to its value."""
    return RisingQ(**vars(training), rise=RISE)
