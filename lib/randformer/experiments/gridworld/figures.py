"""The figures of 04_grid_world.ipynb."""

import math
from pathlib import Path
from tempfile import NamedTemporaryFile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.figure import Figure

from randformer.experiments.theory.figures import draw_visits, draw_walk
from randformer.report.plots import AXES, PALETTE, logarithmic

SOFT = "#56B4E9"  # A_R with a softer adversary than the paper's
# The ends of the paper's curves in steps, read off: {figure: {(model, q): {measure: steps}}}; 7B: {m: average}
PAPER = {
    "7A": {
        ("A_R", 1): {"average": 19, "95th percentile": 39},
        ("A_R", math.inf): {"average": 20, "95th percentile": 28},
    },
    "7B": {1: 35, 5: 24, 10: 20, 20: 20},
    "10": {("A_r0", 1): {"average": 18, "95th percentile": 39}, ("A_r0", math.inf): {"average": 43}},
}
MEASURES = ("average", "95th percentile", "worst cell")
AFTER = "after training"  # in place of a generation


def color(model: str, q: float) -> str:
    return PALETTE[model] if q in (1, math.inf) else SOFT


def label(model: str, q: float) -> str:
    """A model as legends have it."""
    name = "A_R" if model == "A_R" else "A_{r_0}"
    return f"${name}$, trained " + (
        "on the average" if q == 1 else "on the worst cell" if q == math.inf else f"with q = {q:g}"
    )


def band(axis, table: pd.DataFrame, **look) -> None:
    """Steps against generations: mean over runs, in a band that holds them all."""
    curve = table.groupby("generation")["value"]
    axis.plot(curve.mean().index, curve.mean(), **look)
    axis.fill_between(curve.mean().index, curve.min(), curve.max(), color=look["color"], alpha=0.15, lw=0)


def papers_axis(axis) -> None:
    """The paper's own axis, minus the steps, at the right."""
    reward = axis.secondary_yaxis("right", functions=(np.negative, np.negative))
    reward.set_ylabel("reward, as the paper has it")


def training_curves(axis, table: pd.DataFrame, most: int, paper: dict) -> None:
    """Steps, of most, against generations, mean and all runs; paper: ends of its curves."""
    for (model, q), of in table.groupby(["answer", "q"], sort=False):
        band(axis, of, color=color(model, q), ls="--" if q == 1 else "-", label=label(model, q))
        if (end := paper.get((model, q), {}).get(of["measure"].iloc[0])) is not None:
            axis.plot(
                table["generation"].max() * 1.04, end, marker="s" if q == 1 else "o", ms=9, mfc="none",
                mec=color(model, q), ls="none", clip_on=False,
            )  # fmt: skip
    axis.set(xlabel="generation", ylim=(0, 1.02 * most))


def figure_7a(table: pd.DataFrame, most: int, paper: dict) -> Figure:
    """Steps of both episodes over training: average, 95th percentile and worst over cells. Figures 7A and 10."""
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), sharey=True, layout="constrained")
    for axis, measure in zip(axes, MEASURES, strict=True):
        training_curves(axis, table[table["measure"] == measure], most, paper)
        axis.set_title(f"{measure} over cells" if measure != "worst cell" else measure)
    axes[0].set_ylabel("steps of both episodes")
    papers_axis(axes[-1])
    handles, labels = axes[0].get_legend_handles_labels()
    if paper:
        handles += [plt.Line2D([], [], ls="none", marker=m, ms=9, mfc="none", mec="grey") for m in "so"]
        labels += ["paper's end, on the average (read off)", "paper's end, on the worst cell (read off)"]
    figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=3)
    return figure


def figure_7b(table: pd.DataFrame, most: int, paper: dict[int, float]) -> Figure:
    """The average steps, of most, for several m: over training, and (generation: AFTER) at its end.

    table: m, generation, value [steps]; paper: {m: steps at the end}.
    """
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True, layout="constrained")
    after = table["generation"] == AFTER
    draw_by_m(axes[0], table[~after].astype({"generation": int}))
    draw_ends(axes[1], table[after], paper)
    axes[0].set_ylim(0, 1.02 * most)
    papers_axis(axes[1])
    return figure


def draw_by_m(axis, table: pd.DataFrame) -> None:
    """The average steps through training, a curve per m. table: m, generation, value."""
    colors = dict(zip(sorted(table["m"].unique()), sns.color_palette("viridis", table["m"].nunique()), strict=True))
    for m, of in table.groupby("m"):
        band(axis, of, color=colors[m], label=f"m = {m}")
    axis.set(xlabel="generation", ylabel="average steps of both episodes")
    axis.legend()


def draw_ends(axis, table: pd.DataFrame, paper: dict[int, float]) -> None:
    """The average steps after training against m, beside the paper's. table: m, value."""
    ends = table.groupby("m")["value"]
    errors = ends.mean() - ends.min(), ends.max() - ends.mean()
    axis.errorbar(ends.mean().index, ends.mean(), errors, color=PALETTE["A_R"], marker="o", capsize=4)
    if paper:
        axis.plot(
            list(paper), list(paper.values()), "o", ms=10, mfc="none", mec=PALETTE["A_R"], alpha=0.55,
            label="paper (read off)",
        )  # fmt: skip
        axis.legend()
    axis.set(xlabel=AXES["m"].replace("training step", "generation"), xticks=sorted(table["m"].unique()))
    axis.set_title("after training")
    axis.margins(y=0.08)


def figure_7c(n: int, visits: pd.DataFrame, never: int) -> Figure:
    """Mean first visit [steps] of every cell, one panel per column but "cell"; never: what stands for no visit."""
    times = visits.drop(columns="cell")
    panels = len(times.columns)
    figure, axes = plt.subplots(1, panels, figsize=(3.3 * panels, 3.6), layout="constrained", squeeze=False)
    for axis, title in zip(axes[0], times, strict=True):
        image = draw_visits(axis, n, times[title].to_numpy(), 0, never)
        axis.plot(0, -0.32, "s", color=PALETTE["A_r0"], ms=7)
        axis.set(title=title, xlabel="start: lower left")
    figure.colorbar(image, ax=axes, label=f"mean first visit [steps]\n{never}: not visited")
    return figure


def figure_6c(n: int, episodes: dict[int, tuple[list, list]], treasure: int, last: int) -> Figure:
    """Walks of the first episode above those of the second: {seed: (first, second)}, with the treasure's cell."""
    figure, axes = plt.subplots(2, len(episodes), figsize=(2.4 * len(episodes) + 0.8, 5.2), layout="constrained")
    for i, (seed, walks) in enumerate(episodes.items()):
        for axis, walk in zip(axes[:, i], walks, strict=True):
            draw_walk(axis, n, walk, last)
            axis.plot(treasure % n, treasure // n, "*", color=PALETTE["A_r0"], ms=15, zorder=0)
            axis.set_title(f"{len(walk) - 1} steps", fontsize="small")
        axes[0, i].set_title(f"seed {seed}\n{len(walks[0]) - 1} steps", fontsize="small")
    axes[0, 0].set_ylabel("episode 1")
    axes[1, 0].set_ylabel("episode 2")
    scale = plt.cm.ScalarMappable(plt.Normalize(0, last), "viridis")
    figure.colorbar(scale, ax=axes, label="step", shrink=0.6)
    return figure


def animation(n: int, episodes: dict[int, tuple[list, list]], treasure: int, last: int) -> bytes:
    """The walks of figure 6C growing step by step, both episodes one after the other, as a gif."""
    figure, axes = plt.subplots(1, len(episodes), figsize=(2 * len(episodes), 2.3), layout="constrained", squeeze=False)
    frames = [(i, step) for i in (0, 1) for step in range(1, max(len(walks[i]) for walks in episodes.values()) + 1)]

    def draw(frame: tuple[int, int]) -> None:
        i, step = frame
        for axis, (seed, walks) in zip(axes[0], episodes.items(), strict=True):
            axis.clear()
            draw_walk(axis, n, walks[i][:step], last)
            axis.plot(treasure % n, treasure // n, "*", color=PALETTE["A_r0"], ms=12, zorder=0)
            axis.set_title(f"seed {seed}, episode {i + 1}\n{min(step, len(walks[i])) - 1} steps", fontsize="small")

    with NamedTemporaryFile(suffix=".gif") as file:  # a writer of animations wants a name
        FuncAnimation(figure, draw, frames).save(file.name, PillowWriter(fps=4), dpi=70)
        plt.close(figure)
        return Path(file.name).read_bytes()


def figure_values(table: pd.DataFrame, values: dict[int, dict[str, float]]) -> Figure:
    """Trained models against what walks can reach, one panel per grid; values: {cells a side: {line: steps}}."""
    figure, axes = plt.subplots(1, len(values), figsize=(6 * len(values), 4), layout="constrained", squeeze=False)
    for axis, (n, lines) in zip(axes[0], values.items(), strict=True):
        of = table[(table["N"] == n) & table["measure"].isin(MEASURES)]
        models = list(dict.fromkeys(zip(of["answer"], of["q"], strict=True)))
        for i, (model, q) in enumerate(models):
            for measure, marker in zip(MEASURES, "oDv", strict=True):
                chosen = (of["answer"] == model) & (of["q"] == q) & (of["measure"] == measure)
                axis.plot(
                    np.full(chosen.sum(), i) + 0.18 * (MEASURES.index(measure) - 1), of.loc[chosen, "value"], marker,
                    color=color(model, q), mec="white", ms=8, label=measure if i == 0 else None,
                )  # fmt: skip
        for (name, value), style in zip(lines.items(), ("-", "--", ":"), strict=False):
            axis.axhline(value, color="black", lw=1.2, ls=style, label=f"{name}: {value:g}")
        axis.set_xticks(
            range(len(models)), [label(*model).replace(", trained ", "\n").replace("the ", "the\n") for model in models]
        )
        axis.set(title=f"{n} x {n}", ylabel="steps of both episodes", ylim=(0, 1.05 * axis.get_ylim()[1]))
        axis.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def figure_walks(trained: dict[tuple[str, float], np.ndarray], mixture: np.ndarray | None) -> Figure:
    """What the most frequent walks of episode 1 cover: {(model, q): shares, sorted}, and of the best mixture."""
    figure, axis = plt.subplots(figsize=(6.5, 4), layout="constrained")
    lines = [(label(*model), color(*model), shares) for model, shares in trained.items()]
    lines += [("best mixture", "black", mixture)] if mixture is not None else []
    for (name, shade, shares), marker in zip(lines, "sovD^", strict=False):
        axis.plot(range(1, len(shares) + 1), 100 * np.cumsum(shares), marker=marker, ms=5, color=shade, label=name)
    axis.set(xlabel="distinct walks, the most frequent first", ylabel="covered [% of seeds]", ylim=(0, 103))
    longest = max(len(shares) for _, _, shares in lines)
    logarithmic(axis, pd.Series([k for k in (1, 2, 5, 10, 20, 50, 100, 200) if k < 2 * longest]))
    axis.legend(loc="lower right")
    return figure
