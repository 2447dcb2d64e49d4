"""The figures of 03_graph_coloring.ipynb."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from randformer.report.plots import curves, histograms_by_q, legend

COLORING_COLORS = ("#F0E442", "#CC79A7", "#0072B2")  # the three colours of a vertex: light, middle and dark in grey

VOTES = ("A_R-majority(5)", "A_R-majority(30)")  # on whole colourings, the only votes that help here

# Figure 5 of the paper, read off: {answer: {q: value}}
PAPER_5A = {
    "average": {
        "A_r0": {1: 89, 3: 96, 4: 91, 6: 87, 8: 87, 10: 87},
        "A_R": {1: 89, 3: 96, 4: 91, 6: 87, 8: 87, 10: 87},
        "A_R-majority(30)": {1: 89, 2: 98, 3: 100, 4: 100, 6: 100, 8: 100, 10: 100},
    },
    "95th percentile": {
        "A_r0": dict.fromkeys((1, 2, 3, 4, 6, 8, 10), 0),
        "A_r0-sampled": dict.fromkeys((1, 2, 3, 4, 6, 8, 10), 3),
        "A_R": {1: 0, 2: 28, 3: 73, 4: 63, 6: 70, 8: 70, 10: 70},
        "A_R-majority(30)": {1: 0, 2: 50, 3: 100, 4: 100, 6: 100, 8: 100, 10: 100},
    },
}
PAPER_5B = {
    "loss, average": {"A_R": {1: 0.0035, 3: 0.0015, 10: 0.0055}},
    "loss, 95th percentile": {
        "A_R": {1: 0.033, 2: 0.009, 3: 0.006, 10: 0.010},
        "A_r0": {1: 0.033, 3: 0.0105, 6: 0.03, 8: 0.03, 10: 0.03},
    },
}


def figure_5a(table: pd.DataFrame, larger: pd.DataFrame) -> Figure:
    """Success against q: the average cycle, the 95th percentile of badness, and how many cycles never succeed.

    larger: the same at the paper's size of training.
    """
    there = set(table["answer"])
    answers = [answer for answer in ("A_r0", "A_r0-sampled", "A_R", *VOTES) if answer in there]
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for axis, measure in zip(axes, ("average", "95th percentile", "inputs at 0"), strict=True):
        of = larger[larger["measure"] == measure]
        read_off = PAPER_5A.get(measure, {})
        bands = measure != "95th percentile"  # which is near 0 or near 100, run by run
        curves(axis, table[table["measure"] == measure], answers, read_off, larger=of, bands=bands)
        axis.set(title=f"{measure} over cycles", ylabel="valid colourings [% of seeds]")
    axes[0].set_ylim(-4, 104)
    axes[1].set_ylim(-4, 104)
    axes[2].set(title="cycles that never succeed", ylabel="share of cycles [%]")
    legend(figure, answers, Line2D([], [], color="grey", lw=0.7, label="single runs (middle)"), larger=True)
    return figure


def figure_5b(table: pd.DataFrame) -> Figure:
    """Loss against q, per edge and colour."""
    answers = ["A_r0", "A_R"]
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    for axis, measure in zip(axes, ("loss, average", "loss, 95th percentile"), strict=True):
        curves(axis, table[table["measure"] == measure], answers, PAPER_5B[measure])
        axis.set(title=f"{measure.removeprefix('loss, ')} over cycles", ylabel="loss per edge and colour")
        axis.set_ylim(bottom=0)
    legend(figure, answers)
    return figure


def figure_5c(table: pd.DataFrame, qs: tuple[float, ...]) -> Figure:
    """Histograms of the success rate over all cycles, one panel per q; table: q, answer, success, share [%]."""
    return histograms_by_q(table, qs, "valid colourings [% of seeds]", "cycles")


def ring(axis, walk: list[int], colors: list[int]) -> bool:
    """A cycle as a ring of coloured vertices, bad edges thick and dashed; returns whether the colouring is valid."""
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(walk)) / len(walk)
    x, y = np.cos(angles), np.sin(angles)
    bad = np.asarray(colors) == np.roll(colors, -1)
    for i in range(len(walk)):
        j = (i + 1) % len(walk)
        look = {"color": "#CC0000", "lw": 3, "ls": (0, (1, 0.6))} if bad[i] else {"color": "#999999", "lw": 1.2}
        axis.plot([x[i], x[j]], [y[i], y[j]], zorder=1, **look)
    axis.scatter(x, y, 190, [COLORING_COLORS[c] for c in colors], edgecolors="black", linewidths=0.8, zorder=2)
    for i, vertex in enumerate(walk):
        axis.text(x[i], y[i], str(vertex), ha="center", va="center", fontsize=8,
                  color="white" if colors[i] == 2 else "black", zorder=3)  # fmt: skip
    axis.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal")
    axis.axis("off")
    return not bad.any()


def figure_4c(walk: list[int], colorings: list[list[int]], success: float, seeds: int) -> Figure:
    """One cycle under eight seeds; walk: ids, colorings: the colours along it, success: share of that many seeds."""
    figure, axes = plt.subplots(2, 4, figsize=(9, 5), layout="constrained")
    for axis, colors in zip(axes.flat, colorings, strict=True):
        valid = ring(axis, walk, colors)
        axis.set_title("valid" if valid else "fails", color="black" if valid else "#CC0000", fontsize=11)
    figure.suptitle(f"One cycle, eight seeds; {100 * success:.0f} % of {seeds:,} seeds colour it validly", fontsize=12)
    return figure


def figure_votes(table: pd.DataFrame) -> Figure:
    """Success on the worst cycle against seeds spent, a thin line per run; table: way, k, run, value [%]."""
    looks = {
        "majority(k)": {"color": "#009E73", "marker": "^"},
        "retry until valid": {"color": "#0072B2", "marker": "o"},
        "bound of Proposition 2": {"color": "#404040", "linestyle": ":"},
    }
    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    for way, look in looks.items():
        runs = table[table["way"] == way].pivot(index="k", columns="run", values="value")
        axis.plot(runs, lw=0.8, alpha=0.5, **(look | {"marker": ""}))
        axis.plot(runs.mean(axis=1), lw=2.2, mec="white", label=f"{way}, mean of {runs.shape[1]} runs", **look)
    axis.set(xscale="log", xlabel="seeds spent on the cycle, k", ylabel="right on the worst cycle [%]", ylim=(-4, 104))
    figure.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=2)
    return figure
