"""Every run of every figure, declared; sizes per profile. To change what is trained, change it here.

smoke shows nothing, it only walks the whole way; laptop is the default; paper has the sizes of paper's tables.
"""

from dataclasses import MISSING, asdict, dataclass, fields, replace
from functools import cached_property
from math import prod

from .checks import at_least, one_of
from .gradient import Training
from .objective import Model
from .records import key
from .tasks.coloring import Coloring
from .transformer import Network, shapes

PROFILES = ("smoke", "laptop", "paper")
VERSIONS = {"coloring": 1}  # raised when an experiment's numerics change on purpose: its records are made anew


@dataclass(frozen=True)
class Run:
    """One training from one set of initial weights; everything that determines its numbers."""

    experiment: str
    task: Coloring
    network: Network
    model: Model
    training: Training
    number: int  # 0, 1, 2 ...: repetitions, and the state the run's generator starts from

    @cached_property
    def config(self) -> dict:
        return asdict(self) | {"version": VERSIONS[self.experiment]}

    @cached_property
    def key(self) -> str:
        return key(self.config)

    @property
    def group(self) -> "Run":
        """What runs trained side by side must have in common: all but q and number."""
        return replace(self, model=replace(self.model, q=1.0), number=0)

    @property
    def parameters(self) -> int:
        """Numbers that training learns."""
        return sum(prod(s) for s in shapes(self.network, self.task.token_size, self.task.outputs).values())

    @property
    def cost(self) -> int:
        """Sequences through the network in the whole training."""
        return self.training.steps * self.training.batch * self.model.m

    def __str__(self) -> str:
        parts = [(part, f) for part in (self.task, self.network, self.training) for f in fields(part)]
        variant = [f"{f.name}={getattr(p, f.name)}" for p, f in parts if f.default not in (MISSING, getattr(p, f.name))]
        return " ".join([self.experiment, self.model.name, f"q={self.model.q:g}", *variant, f"run={self.number}"])


@dataclass(frozen=True)
class Sizes:
    """How large an experiment is in a profile."""

    training: Training
    m: int
    qs: tuple[float, ...]  # the sweep
    runs: int  # per point of the sweep and ablation
    claim_runs: int  # per point that carries a claim
    calibration_runs: int  # per candidate network; they differ much from run to run
    n: int  # vertices


# Table 2, with the steps and the batch of the profile.
COLORING = {
    "smoke": Sizes(
        Training(steps=40, batch=16, warmup=10), m=3, qs=(1, 10), runs=2, claim_runs=2, calibration_runs=2, n=6
    ),
    "laptop": Sizes(
        Training(steps=16_000, batch=64),
        m=10,
        qs=(1, 2, 3, 4, 6, 8, 10),
        runs=3,
        claim_runs=5,
        calibration_runs=8,
        n=10,
    ),
    "paper": Sizes(
        Training(steps=300_000, batch=256), m=10, qs=tuple(range(1, 11)), runs=5, claim_runs=5, calibration_runs=8, n=10
    ),
}
CLAIM_QS = (1, 10)  # the points of the colouring's sweep that C1 to C4 speak of

# Blocks: the text says softmax and MLP, public code neither. Tried with q = 1 and a fixed seed, to match capacity.
CANDIDATES = {
    "linear": Network(),
    "linear, no embedding": Network(embedding=0),
    "linear, LayerNorm": Network(layer_norm=True),
    "linear, MLP": Network(mlp=True),
    "linear, MLP, LayerNorm": Network(mlp=True, layer_norm=True),
    "softmax": Network(attention="softmax"),
    "softmax, LayerNorm": Network(attention="softmax", layer_norm=True),
    "softmax, MLP": Network(attention="softmax", mlp=True),
    "softmax, MLP, LayerNorm": Network(attention="softmax", mlp=True, layer_norm=True),
}
COLORING_NETWORK = CANDIDATES["linear"]  # by the calibration table of 03_graph_coloring.ipynb, and by it alone

# Of A_R^q at the largest q, {name: {part of the run: fields}}: what equation 5 and table 2 leave open ...
ABLATIONS = {
    "one float per cycle": {"task": {"noise": "graph"}},
    "fresh seeds per input": {"task": {"seeds_per": "input"}},
    "self-loop": {"task": {"self_loop": True}},
    "peak learning rate 2e-3": {"training": {"peak": 2e-3}},  # ... and whether fewer steps than the paper's suffice
}


def coloring(profile: str, vertices: int | None = None, m: int | None = None) -> dict[str, list[Run]]:
    """The runs behind 03_graph_coloring.ipynb: {"sweep": [...], "calibration": [...], "ablation": [...]}.

    vertices and m replace the profile's. Raises BadInput for an unknown profile or impossible sizes.
    """
    one_of("profile", profile, PROFILES)
    sizes = COLORING[profile]
    n = sizes.n if vertices is None else vertices
    m = sizes.m if m is None else m
    task, chosen = Coloring(n), COLORING_NETWORK
    at_least("m", m, 1)

    def runs(task, network, model, count):
        return [Run("coloring", task, network, model, sizes.training, number) for number in range(count)]

    sweep = []
    for q in sizes.qs:
        count = sizes.claim_runs if q in CLAIM_QS else sizes.runs
        sweep += runs(task, chosen, Model(q, 1, fixed_seed=True), count) + runs(task, chosen, Model(q, m), count)
    expected = Model(1, 1, fixed_seed=True)
    calibration = [run for net in CANDIDATES.values() for run in runs(task, net, expected, sizes.calibration_runs)]
    randomized = [run for run in sweep if run.model == Model(max(sizes.qs), m)]
    ablation = []
    for change in ABLATIONS.values():
        count = sizes.claim_runs if "training" in change else sizes.runs
        ablation += [changed(run, change) for run in randomized[:count]]
    return {"sweep": sweep, "calibration": calibration, "ablation": ablation}


def start(profile: str, vertices: int, q: float, m: int) -> list[Run]:
    """The two models that 00_start_here.ipynb trains live: a fixed seed and random seeds, all else alike."""
    one_of("profile", profile, PROFILES)
    training = replace(COLORING[profile].training, steps=40 if profile == "smoke" else 3_000)
    training = replace(training, batch=min(training.batch, 64))  # as large as a minute on one core allows
    models = (Model(q, 1, fixed_seed=True), Model(q, m))
    return [Run("coloring", Coloring(vertices), COLORING_NETWORK, model, training, 0) for model in models]


def changed(run: Run, change: dict[str, dict]) -> Run:
    """The run with some fields of some of its parts replaced."""
    return replace(run, **{part: replace(getattr(run, part), **fields) for part, fields in change.items()})


EXPERIMENTS = {"coloring": coloring}


def declared(profile: str, only: str | None = None) -> list[Run]:
    """Every run of a profile once, of one experiment or of all. Raises BadInput for unknown names."""
    one_of("profile", profile, PROFILES)
    if only is not None:
        one_of("only", only, EXPERIMENTS)
    parts = [EXPERIMENTS[name](profile) for name in EXPERIMENTS if only in (None, name)]
    return list(dict.fromkeys(run for part in parts for runs in part.values() for run in runs))
