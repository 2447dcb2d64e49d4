"""The figure: seconds of every variant, a panel per workload."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from randformer.report.plots import style

COLORS = {  # Okabe-Ito; hatches tell them apart in grey
    "ours": "#0072B2",
    "plain PyTorch": "#D55E00",
    "plain PyTorch, cached": "#CC79A7",
    "torch.func vmap": "#E69F00",
    "JAX plain": "#009E73",
    "JAX ours": "#56B4E9",
}
HATCHES = {"plain PyTorch": "////", "plain PyTorch, cached": "xx", "torch.func vmap": "....", "JAX plain": "\\\\\\\\"}
HATCHES["JAX ours"] = "--"


def draw(table: pd.DataFrame, path: Path) -> None:
    """Bars of wall seconds on a logarithmic axis, each with its ratio to ours; lines are the spread."""
    style()
    workloads = list(dict.fromkeys(table["workload"]))
    rows = [int((table["workload"] == workload).sum()) for workload in workloads]
    figure, axes = plt.subplots(
        len(workloads), figsize=(8, 0.42 * sum(rows) + 1.1), height_ratios=rows, sharex=True, layout="constrained"
    )
    for axis, workload in zip(axes, workloads, strict=True):
        panel(axis, table[table["workload"] == workload])
        axis.set_title(workload, loc="left")
    low, high = table["wall_seconds_median"].min(), table["wall_seconds_median"].max()
    axes[-1].set(xscale="log", xlim=(low / 2, high * 12), xlabel="wall seconds of one step, one core (log scale)")
    figure.savefig(path, metadata={"Software": None})


def panel(axis, table: pd.DataFrame) -> None:
    """One workload's bars, ours on top."""
    for place, row in enumerate(table.itertuples()):
        seconds = row.wall_seconds_median
        look = {"color": COLORS[row.variant], "hatch": HATCHES.get(row.variant), "edgecolor": "white", "linewidth": 0}
        axis.barh(place, seconds, xerr=row.spread * seconds, error_kw={"lw": 1}, **look)
        ratio = f"{row.times_ours:.{0 if row.times_ours >= 10 else 1}f} x ours"
        text = f"{seconds:.2g} s" + ("" if row.variant == "ours" else f",  {ratio}")
        axis.annotate(text, (seconds * (1 + row.spread), place), (5, 0), textcoords="offset points", va="center")
    axis.set_yticks(range(len(table)), table["variant"])
    axis.invert_yaxis()
    axis.grid(visible=False)  # every bar has its number
