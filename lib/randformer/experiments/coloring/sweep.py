"""The runs behind 03_graph_coloring.ipynb; sizes per profile. To change what is trained, change it here."""

from dataclasses import dataclass, replace

from randformer.core.gradient import GradientTraining
from randformer.core.objective import Objective
from randformer.core.runs import NetworkRun, changed
from randformer.core.transformer import Network
from randformer.harness.checks import at_least, one_of
from randformer.harness.profiles import PROFILES
from randformer.harness.sizes import sized
from randformer.problems.coloring.task import Coloring


@dataclass(frozen=True)
class Sizes:
    """How large an experiment is in a profile."""

    training: GradientTraining
    m: int
    qs: tuple[float, ...]  # the sweep
    runs: int  # per point of the sweep and ablation
    claim_runs: int  # per point that carries a claim
    calibration_runs: int  # per candidate network; they differ much from run to run
    n: int  # vertices
    open_training: GradientTraining  # of the models with a fixed seed that are trained otherwise


# Table 2, with the steps and the batch of the profile.
SIZES = {
    "smoke": Sizes(
        GradientTraining(steps=40, batch=16, warmup=10),
        m=3,
        qs=(1, 10),
        runs=2,
        claim_runs=2,
        calibration_runs=2,
        n=6,
        open_training=GradientTraining(steps=30, batch=16, warmup=10),
    ),
    "laptop": Sizes(
        GradientTraining(steps=16_000, batch=64),
        m=10,
        qs=(1, 2, 3, 4, 6, 8, 10),
        runs=3,
        claim_runs=5,
        calibration_runs=8,
        n=10,
        open_training=GradientTraining(steps=40_000, batch=256),
    ),
    "paper": Sizes(
        Coloring.standard()[2],
        m=10,
        qs=tuple(range(1, 11)),
        runs=5,
        claim_runs=5,
        calibration_runs=8,
        n=10,
        open_training=Coloring.standard()[2],
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
NETWORK = CANDIDATES["linear"]  # by the calibration table of 03_graph_coloring.ipynb, and by it alone

# Of A_R^q at the largest q, {name: {part of the run: fields}}: what equation 5 and table 2 leave open ...
ABLATIONS = {
    "one float per cycle": {"task": {"noise": "graph"}},
    "fresh seeds per input": {"task": {"seeds_per": "input"}},
    "self-loop": {"task": {"self_loop": True}},
    "peak learning rate 2e-3": {
        "training": {"learning_rate": 2e-3}
    },  # ... and whether fewer steps than the paper's suffice
}

# Of A_r0^q at the largest q, likewise: what might make as many cycles fail, and sampling as useless, as in the paper.
OPEN = {
    "as everywhere here": {},
    "weights half as large at first": {"network": {"initial_scale": 0.5}},
    "weights twice as large at first": {"network": {"initial_scale": 2.0}},
    "weights normal at first, not truncated": {"network": {"truncated": False}},
    "Adam's eps 1e-5, as in public code": {"training": {"eps": 1e-5}},
    "gradient of L_q, with its root": {"objective": {"root": True}},
}


@sized
def runs(profile: str, vertices: int | None = None, m: int | None = None) -> dict[str, list[NetworkRun]]:
    """The runs behind 03_graph_coloring.ipynb: {"sweep": ..., "calibration": ..., "ablation": ..., "open": ...}.

    vertices and m replace the profile's. Raises BadInput for an unknown profile or impossible sizes.
    """
    sizes = SIZES[profile]
    n = sizes.n if vertices is None else vertices
    m = sizes.m if m is None else m
    task, chosen = Coloring(n), NETWORK
    at_least("m", m, 1)

    def models_at(task: Coloring, network: Network, objective: Objective, count: int) -> list[NetworkRun]:
        return [NetworkRun(task, network, objective, sizes.training, number) for number in range(count)]

    sweep = []
    for q in sizes.qs:
        count = sizes.claim_runs if q in CLAIM_QS else sizes.runs
        sweep += models_at(task, chosen, Objective(q, 1, fixed_seed=True), count) + models_at(
            task, chosen, Objective(q, m), count
        )
    expected = Objective(1, 1, fixed_seed=True)
    calibration = [run for net in CANDIDATES.values() for run in models_at(task, net, expected, sizes.calibration_runs)]
    randomized = [run for run in sweep if run.objective == Objective(max(sizes.qs), m)]
    ablation = []
    for change in ABLATIONS.values():
        count = sizes.claim_runs if "training" in change else sizes.runs
        ablation += [changed(run, change) for run in randomized[:count]]
    fixed = models_at(task, chosen, Objective(max(sizes.qs), 1, fixed_seed=True), sizes.claim_runs)
    fixed = [replace(run, training=sizes.open_training) for run in fixed]
    otherwise = [changed(run, change) for change in OPEN.values() for run in fixed]
    return {"sweep": sweep, "calibration": calibration, "ablation": ablation, "open": otherwise}


def start(profile: str, vertices: int, q: float, m: int) -> list[NetworkRun]:
    """The two models that 00_start_here.ipynb trains live: a fixed seed and random seeds, all else alike."""
    one_of("profile", profile, PROFILES)
    training = replace(SIZES[profile].training, steps=40 if profile == "smoke" else 3_000)
    training = replace(training, batch=min(training.batch, 64))  # as large as a minute on one core allows
    models = (Objective(q, 1, fixed_seed=True), Objective(q, m))
    return [NetworkRun(Coloring(vertices), NETWORK, model, training, 0) for model in models]
