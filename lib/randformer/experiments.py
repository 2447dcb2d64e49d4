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
from .tasks.recall import Recall
from .transformer import Network, shapes

PROFILES = ("smoke", "laptop", "paper")
VERSIONS = {
    "recall": 1,
    "coloring": 1,
}  # raised when an experiment's numerics change on purpose: its records are made anew


@dataclass(frozen=True)
class Run:
    """One training from one set of initial weights; everything that determines its numbers."""

    experiment: str
    task: Recall | Coloring
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


def table_1(steps: int, batch: int, warmup: int = 2000) -> Training:
    """Table 1's optimizer; the number of steps is public code's (10,000, where a comment says 30,000)."""
    return Training(steps, batch, warmup, peak=3e-3, final=3e-4, beta1=0.9, beta2=0.95, eps=1e-5, weight_decay=0.0)


TABLE_1 = table_1(30_000, 512)


@dataclass(frozen=True)
class RecallSizes:
    """How large associative recall is in a profile; the defaults are table 1 and the points of the paper's figures."""

    training: Training = TABLE_1
    long: Training = TABLE_1  # of at least long_from pairs, where randomness emerges late
    long_from: int = 18
    calibration: Training = TABLE_1
    queries: str = "one"  # "all": the batch is of memories, each of which makes n inputs
    m: int = 30
    ns: tuple[int, ...] = (10, 11, 12, 14, 16, 18, 20)  # pairs, figures 1 and 3
    n: int = 15  # pairs of the sweeps over q and m, figures 2, 3C and 8
    qs: tuple[float, ...] = (1, 2, 4, 8, 16, 32, 64, 100, 500)
    ms: tuple[int, ...] = (1, 5, 10, 20, 30, 50)
    calibration_ns: tuple[int, ...] = (10, 11, 12, 14, 16, 20)
    runs: int = 5  # per point
    claim_runs: int = 5  # per point that carries a claim
    calibration_runs: int = 5


RECALL = {
    "smoke": RecallSizes(
        *(table_1(40, 2, 10), table_1(60, 2, 10), 4, table_1(40, 2, 10)),
        **{"queries": "all", "m": 3, "ns": (3, 4), "n": 3, "qs": (1, 100), "ms": (1, 3), "calibration_ns": (3, 4)},
        **{"runs": 2, "claim_runs": 2, "calibration_runs": 1},
    ),
    "laptop": RecallSizes(
        *(table_1(12_000, 16), table_1(20_000, 32), 18, table_1(4_000, 16)),
        **{"queries": "all", "runs": 2, "claim_runs": 3, "calibration_runs": 2},
    ),
    "paper": RecallSizes(),
}
RECALL_Q = 100.0  # of the models "trained on the q-norm", table 1
CLAIM_NS = (12, 20)  # pairs at which R1 to R4 and R7 look
CLAIM_RECALL_QS = (1, 2, 4, 32, 64, 100, 500)  # R5
CLAIM_MS = (1, 20)  # R6


def recall_networks(task: Recall) -> dict[str, Network]:
    """Blocks that the text allows, tried with q = 1 and a fixed seed to match capacity: {name: network}."""
    found = {}
    for before, width in (("raw token", 0), ("embedding of 15", 15), ("embedding of 40", 40)):
        network = Network(width or task.token_size, layers=2, heads=1, key_size=5, embedding=2 if width else 0)
        found |= {
            before: network,
            f"{before}, LayerNorm": replace(network, layer_norm=True),
            f"{before}, MLP": replace(network, mlp=True),
            f"{before}, MLP, LayerNorm": replace(network, mlp=True, layer_norm=True),
        }
    return found


RECALL_NETWORK = recall_networks(Recall())["embedding of 40"]  # by the table in 02_associative_recall.ipynb alone


def recall(
    profile: str,
    pairs: int | None = None,
    memory: int | None = None,
    bits: int = 5,
    seed_bits: int = 10,
    q: float = RECALL_Q,
    m: int | None = None,
) -> dict[str, list[Run]]:
    """The runs behind 02_associative_recall.ipynb: {"size": over N, "q": ..., "m": ..., "calibration": ...}.

    pairs (of the sweeps over q and m), memory (key size) and m replace the profile's; q is that of the trained q-norm.
    Raises BadInput for an unknown profile or impossible sizes.
    """
    one_of("profile", profile, PROFILES)
    if memory is not None:
        at_least("memory (key size)", memory, 1)
    sizes = RECALL[profile]
    network = RECALL_NETWORK if memory is None else replace(RECALL_NETWORK, key_size=memory)
    m = sizes.m if m is None else m
    expected, worst = Model(1, m), Model(q, m)
    fixed = [Model(model.q, 1, fixed_seed=True) for model in (expected, worst)]

    def runs(n: int, models: list[Model], count: int, network: Network = network, training: Training | None = None):
        task = Recall(n, bits, seed_bits, sizes.queries)
        training = training or (sizes.long if n >= sizes.long_from else sizes.training)
        training = replace(training, batch=training.batch * (n if sizes.queries == "all" else 1))
        return [Run("recall", task, network, model, training, number) for model in models for number in range(count)]

    def count(carries_claim: bool) -> int:
        return sizes.claim_runs if carries_claim else sizes.runs

    size, over_q, over_m, calibration = [], [], [], []
    for n in sizes.ns:
        size += runs(n, [*fixed, expected, worst], count(n in CLAIM_NS))
    n = sizes.n if pairs is None else pairs
    for power in sizes.qs:
        models = [Model(power, 1, fixed_seed=True), Model(power, m)]
        over_q += runs(n, models, count(power in CLAIM_RECALL_QS))
    for seeds in sizes.ms if m == sizes.m else (*sizes.ms, m):
        over_m += runs(n, [Model(q, seeds)], count(seeds in (*CLAIM_MS, m)))
    over_m += runs(n, [fixed[1]], count(True))
    for n in sizes.calibration_ns:
        for other in recall_networks(Recall(n, bits, seed_bits)).values():
            other = replace(other, key_size=network.key_size)
            calibration += runs(n, fixed[:1], sizes.calibration_runs, other, sizes.calibration)
    return {"size": size, "q": over_q, "m": over_m, "calibration": calibration}


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


EXPERIMENTS = {"recall": recall, "coloring": coloring}


def declared(profile: str, only: str | None = None) -> list[Run]:
    """Every run of a profile once, of one experiment or of all. Raises BadInput for unknown names."""
    one_of("profile", profile, PROFILES)
    if only is not None:
        one_of("only", only, EXPERIMENTS)
    parts = [EXPERIMENTS[name](profile) for name in EXPERIMENTS if only in (None, name)]
    return list(dict.fromkeys(run for part in parts for runs in part.values() for run in runs))
