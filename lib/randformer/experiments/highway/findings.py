"""What 13_highway_backpropagation.ipynb reads off its runs, and the check that all iterations are backpropagation."""

import pandas as pd
import torch
from torch import Tensor, nn

from randformer.core.highway import GRU, LSTM, Added, Highway, depth
from randformer.experiments.highway.claims import NEEDED, Evidence
from randformer.harness import records, workers
from randformer.problems.highway.run import StackRun
from randformer.report import tables

CHECKED = (8, 5, 4, 3)  # layers, batch, width and numbers seen at once of the stacks that are checked

# Exactness


def stacks(generator: torch.Generator) -> dict[str, tuple[object, Tensor, Tensor | None]]:
    """{architecture: blocks, first state, inputs}, in double precision, of torch's own layers and cells."""
    layers, batch, width, seen = CHECKED

    def residual() -> nn.Module:
        return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def transformer() -> nn.Module:
        return Added(nn.TransformerEncoderLayer(width, 2, 8, dropout=0.0, batch_first=True, norm_first=True))

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    found = {
        "residual MLP": (nn.ModuleList(residual() for _ in range(layers)), normal(batch, width), None),
        "pre-norm transformer": (nn.ModuleList(transformer() for _ in range(layers)), normal(batch, 6, width), None),
        "GRU": (GRU(nn.GRUCell(seen, width)), normal(batch, width), normal(layers, batch, seen)),
        "LSTM": (LSTM(nn.LSTMCell(seen, width)), normal(batch, 2 * width), normal(layers, batch, seen)),
    }
    for blocks, _, _ in found.values():
        blocks.double()
        for parameter in blocks.parameters():
            parameter.data.normal_(0, 0.5, generator=generator)
    return found


def errors() -> dict[str, list[float]]:
    """{architecture: largest difference from backpropagation at k = 0, 1, ... L}, of a loss on all states."""
    found = {}
    for name, (blocks, x, inputs) in stacks(torch.Generator().manual_seed(0)).items():

        def gradient(k: int | None, blocks=blocks, x=x, inputs=inputs) -> Tensor:
            stack = Highway(blocks, k)
            states = stack(x) if inputs is None else stack(x, inputs)
            parts = torch.autograd.grad(states.sin().sum(), list(stack.parameters()))
            return torch.cat([part.flatten() for part in parts])

        exact = gradient(None)
        found[name] = [float((gradient(k) - exact).abs().max()) for k in range(CHECKED[0] + 1)]
    return found


def told_errors(found: dict[str, list[float]]) -> pd.DataFrame:
    """errors, a column per k, in powers of ten; 0 is below 1e-10."""
    told = {name: ["0" if each <= 1e-10 else f"{each:.0e}" for each in of] for name, of in found.items()}
    return pd.DataFrame(told, range(CHECKED[0] + 1)).T.rename_axis(columns="k")


# Trainings


def columns(run: StackRun) -> dict:
    """What identifies a row."""
    return {"task": run.data, "way": run.way, "k": run.k, "run": run.run_index}


def scores(runs: list[StackRun], evaluations: list[dict]) -> pd.DataFrame:
    """task, way, k, run, accuracy [%], loss on test samples."""
    pairs = zip(runs, evaluations, strict=True)
    return pd.DataFrame([columns(run) | {m: seen[m] for m in ("accuracy", "loss")} for run, seen in pairs])


def cosines(runs: list[StackRun], evaluations: list[dict]) -> pd.DataFrame:
    """Of each network: task, way, trained with (k), run, when, k, L, cosine, fixed point (the latter's cosine)."""
    rows = []
    for run, seen in zip(runs, evaluations, strict=True):
        own = {"task": run.data, "way": run.way, "trained with": run.k, "run": run.run_index, "L": run.layers}
        for when, found in seen["cosines"].items():
            for k, cosine, other in zip(found["k"], found["whole"], found["fixed point"], strict=True):
                rows.append(own | {"when": when, "k": k, "cosine": cosine, "fixed point": other})
    return pd.DataFrame(rows)


def by_layer(runs: list[StackRun], evaluations: list[dict]) -> pd.DataFrame:
    """Networks trained by backpropagation: task, when, k, layer (1 ... L), cosine, means over runs."""
    rows = []
    for run, seen in zip(runs, evaluations, strict=True):
        for when, found in seen["cosines"].items() if run.way == "backpropagation" else ():
            for k, layers in zip(found["k"], found["layers"], strict=True):
                own = {"task": run.data, "when": when, "k": k}
                rows += [own | {"layer": i, "cosine": cosine} for i, cosine in enumerate(layers, 1)]
    return pd.DataFrame(rows).groupby(["task", "when", "k", "layer"], sort=False, as_index=False)["cosine"].mean()


def told_scores(table: pd.DataFrame) -> pd.DataFrame:
    """scores: mean over n runs with interval, a row per task, way and k."""
    long = table.melt(["task", "way", "k", "run"], ["accuracy", "loss"], "measure", "value")
    long["measure"] = long["measure"].map({"accuracy": "right [%]", "loss": "1000 x loss"})
    long.loc[long["measure"] == "1000 x loss", "value"] *= 1000
    return tables.summary(long, ["task", "way", "k"], spans={"1000 x loss": (0.0, float("inf"))})


def told_cosines(table: pd.DataFrame) -> pd.DataFrame:
    """cosines of networks trained by backpropagation: mean with interval, a row per task and k."""
    exact = table[table["way"] == "backpropagation"]
    parts = [
        exact.assign(measure=f"{name}, {when} training", value=exact[column])[exact["when"] == when]
        for column, name in (("cosine", "highway"), ("fixed point", "fixed point"))
        for when in ("before", "after")
    ]
    long = pd.concat(parts)
    spans = dict.fromkeys(long["measure"], (-1.0, 1.0))
    return tables.summary(long, ["task", "k"], digits=3, spans=spans)


def cost(profile: str, runs: list[StackRun]) -> pd.DataFrame:
    """What a step took: a row per task, way and k; one after another (passes, scan steps), and ms on one core."""
    rows = []
    for run in runs:
        spent = records.read_json(workers.folder(profile, run) / "provenance.json")["cpu_seconds"]
        exact = run.way == "backpropagation"
        own = {"task": run.data, "way": run.way, "k": run.k, "layers": run.layers}
        own["one after another"] = depth(run.layers, None if exact else run.k)
        rows.append(own | {"ms a step": 1000 * spent / run.steps})
    return pd.DataFrame(rows).groupby(list(own), sort=False, as_index=False)["ms a step"].mean().round(1)


def depths(runs: dict[str, list[StackRun]]) -> dict[str, float]:
    """{task: sequential depth of the claims' k over backpropagation's}."""
    return {task: depth(runs[task][0].layers, k) / runs[task][0].layers for task, k in NEEDED.items()}


def evidence(found: dict[str, list[float]], table: pd.DataFrame, angles: pd.DataFrame, runs: dict) -> Evidence:
    """What the claims look at, of errors, scores and cosines of all tasks."""
    return Evidence([of[-1] for of in found.values()], table, angles, depths(runs))
