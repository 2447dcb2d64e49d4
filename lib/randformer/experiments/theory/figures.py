"""The figures of 01_when_randomness_helps.ipynb, and walks on a grid."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from randformer.report.plots import PALETTE, curves, logarithmic

GAMES = "colorblind"  # seaborn's palette, for what is not one of the four models
TIME = "viridis"  # of the steps of a walk, first to last


def figure_mixing(table: pd.DataFrame, learned: pd.DataFrame) -> Figure:
    """What the q-norm asks for in solved games, against q, and what trained networks made of it.

    table: game, q, excess (worst case over the game's value), saved (of the q-norm, by mixing) [%]; learned: tidy.
    """
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    look = {"hue": "game", "style": "game", "markers": True, "palette": GAMES, "errorbar": None}
    for axis, column in zip(axes, ("excess", "saved"), strict=False):
        sns.lineplot(table, x="q", y=column, ax=axis, legend=column == "excess", **look)
        logarithmic(axis, table["q"])
        axis.set_xlabel("q of the norm minimised")
    axes[0].set(title="worst case of the best mixture", ylabel="worst case / value of the game")
    axes[0].legend(title=None, fontsize="small")
    axes[1].set(title="what mixing saves", ylabel="saved, of the q-norm [%]")
    curves(axes[2], learned[learned["measure"] == "variance"], ["A_R"], {})
    logarithmic(axes[2], learned["q"])
    axes[2].set(title="trained recall networks (figure 2)", ylabel="variance over seeds of P(bit = 1)", ylim=(0, None))
    return figure


def figure_rows(table: pd.DataFrame) -> Figure:
    """Trained models as strategies: the q-norm of each, mean over runs, against q. table: trained with q, q, norm."""
    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    palette = sns.color_palette("crest", table["trained with q"].nunique())
    sns.lineplot(
        table, x="q", y="norm", hue="trained with q", style="trained with q", palette=palette, ax=axis, errorbar=None
    )
    logarithmic(axis, table["q"])
    axis.set(xlabel="q of the norm measured", ylabel="q-norm over inputs of the loss per bit")
    sns.move_legend(axis, "upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def figure_votes(table: pd.DataFrame) -> Figure:
    """Votes for a failure of at most 1 %, promised and needed. table: gap, wrong answers, promised, needed."""
    figure, axis = plt.subplots(figsize=(6.5, 4), layout="constrained")
    long = table.melt(["gap", "wrong answers"], var_name="votes", value_name="k")
    sns.lineplot(
        long, x="gap", y="k", hue="wrong answers", style="votes", markers=True, palette=GAMES, errorbar=None, ax=axis
    )
    axis.set(xscale="log", yscale="log", xlabel="gap D between the right and the best wrong answer", ylabel="votes")
    gaps = sorted(table["gap"].unique())
    axis.set_xticks(gaps, [f"{gap:g}" for gap in gaps])
    axis.minorticks_off()
    sns.move_legend(axis, "upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def figure_bias(over_m: pd.DataFrame, over_n: pd.DataFrame) -> Figure:
    """What equation 5 measures against m and n. over_m: m, q, strategy, estimate; over_n: n, q, estimate, limit."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    sns.lineplot(over_m, x="m", y="estimate", hue="q", style="strategy", palette=GAMES, ax=axes[0], errorbar=None)
    logarithmic(axes[0], over_m["m"])
    axes[0].set(xlabel="m, seeds per training step", ylabel="q-norm that equation 5 sees", ylim=(0, 1.04))
    axes[0].set_title("root of its expectation")
    sns.lineplot(
        over_n, x="n", y="estimate", hue="q", palette=GAMES, style="q", markers=True, ax=axes[1], errorbar=None
    )
    for color, (_, truth) in zip(sns.color_palette(GAMES), over_n.groupby("q")["limit"].first().items(), strict=False):
        axes[1].axhline(truth, color=color, lw=1, ls=":")
    logarithmic(axes[1], over_n["n"])
    axes[1].set(
        xlabel="n, inputs in the batch",
        ylabel="q-norm that equation 5 sees",
        title="mean over batches (dotted: as on the left)",
    )
    return figure


def draw_walk(axis, size: int, walk: list[int], last: int) -> None:
    """A walk on a grid as arrows, dark first and light last; last: the step that has the lightest colour.

    The start is the lower left corner. A cell entered again is passed a little aside, so that arrows stay apart.
    """
    rows, columns = np.divmod(np.array(walk), size)
    aside = np.linspace(-0.16, 0.16, len(walk))
    x, y = columns + aside, rows + aside
    colors = plt.get_cmap(TIME)(np.linspace(0, 1, last + 1))[: len(walk) - 1]
    axis.quiver(
        x[:-1], y[:-1], np.diff(x), np.diff(y), color=colors, angles="xy", scale_units="xy", scale=1, width=0.015
    )
    axis.plot(0, 0, "s", color=PALETTE["A_r0"], ms=7, zorder=0)
    axis.set(xlim=(-0.5, size - 0.5), ylim=(-0.5, size - 0.5), aspect="equal")
    axis.set_xticks(np.arange(size + 1) - 0.5, [])
    axis.set_yticks(np.arange(size + 1) - 0.5, [])
    axis.grid(True)


def draw_visits(axis, size: int, visits: np.ndarray, least: float, most: float) -> AxesImage:
    """Mean first-visit time of each cell, written into it. Returns the image, for a colour bar."""
    image = axis.imshow(visits.reshape(size, size), origin="lower", cmap="Blues", vmin=least, vmax=most)
    for cell, visit in enumerate(visits):
        dark = visit > (least + most) / 2
        axis.text(
            cell % size, cell // size, f"{visit:.1f}", ha="center", va="center", fontsize="small",
            color="white" if dark else "black",
        )  # fmt: skip
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(False)
    return image


def figure_gridworld(size: int, games: dict[str, tuple[list, np.ndarray, np.ndarray]]) -> Figure:
    """The most probable walks of optimal mixtures, one row per game, and the mean first-visit times.

    games: {title: (walks, mixture (walks,), mean first-visit times (cells,))}.
    """
    shown = 4
    figure, axes = plt.subplots(
        len(games), shown + 1, figsize=(13, 2.8 * len(games)), squeeze=False, layout="constrained"
    )
    most = max(visits.max() for _, _, visits in games.values())
    for row, (title, (walks, mixture, visits)) in zip(axes, games.items(), strict=True):
        for axis in row:
            axis.set_visible(False)
        likely = np.argsort(-mixture, kind="stable")[:shown]
        last = max(len(walks[i]) - 1 for i in likely)
        for axis, i in zip(row, likely, strict=False):
            axis.set_visible(True)
            draw_walk(axis, size, walks[i], last)
            axis.set_title(f"probability {mixture[i]:.2f}")
        row[0].set_ylabel(title)
        row[-1].set_visible(True)
        draw_visits(row[-1], size, visits, 0, most)
        row[-1].set_title("mean step of the first visit")
    return figure
