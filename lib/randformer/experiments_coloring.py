"""The runs behind 03_graph_coloring.ipynb; sizes per profile. To change what is trained, change it here."""

from dataclasses import dataclass, replace

from .checks import at_least, one_of
from .gradient import Training
from .objective import Model
from .runs import PROFILES, TABLES, Run, changed
from .sizes import sized
from .tasks.coloring import Coloring
from .transformer import Network


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
SIZES = {
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
    "paper": Sizes(TABLES["coloring"][2], m=10, qs=tuple(range(1, 11)), runs=5, claim_runs=5, calibration_runs=8, n=10),
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
NETWORK = CANDIDATES["linear"]  # by the calibration table of 03_graph_coloring.ipynb, and by it alone

# Of A_R^q at the largest q, {name: {part of the run: fields}}: what equation 5 and table 2 leave open ...
ABLATIONS = {
    "one float per cycle": {"task": {"noise": "graph"}},
    "fresh seeds per input": {"task": {"seeds_per": "input"}},
    "self-loop": {"task": {"self_loop": True}},
    "peak learning rate 2e-3": {"training": {"peak": 2e-3}},  # ... and whether fewer steps than the paper's suffice
}


@sized
def coloring(profile: str, vertices: int | None = None, m: int | None = None) -> dict[str, list[Run]]:
    """The runs behind 03_graph_coloring.ipynb: {"sweep": [...], "calibration": [...], "ablation": [...]}.

    vertices and m replace the profile's. Raises BadInput for an unknown profile or impossible sizes.
    """
    one_of("profile", profile, PROFILES)
    sizes = SIZES[profile]
    n = sizes.n if vertices is None else vertices
    m = sizes.m if m is None else m
    task, chosen = Coloring(n), NETWORK
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
    training = replace(SIZES[profile].training, steps=40 if profile == "smoke" else 3_000)
    training = replace(training, batch=min(training.batch, 64))  # as large as a minute on one core allows
    models = (Model(q, 1, fixed_seed=True), Model(q, m))
    return [Run("coloring", Coloring(vertices), NETWORK, model, training, 0) for model in models]
