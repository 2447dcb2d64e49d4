"""The figures of 02_associative_recall.ipynb."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from randformer.core.adversary import VOTES
from randformer.experiments.recall.findings import reference
from randformer.experiments.recall.paper import FIGURE_1C, FIGURE_2
from randformer.report.plots import HATCHES, PALETTE, curves, histograms, histograms_by_q, legend, logarithmic
from randformer.report.tables import chosen

SUCCESS = "values recalled [% of seeds]"
QS_2_RIGHT = (1, 8, 32, 100)


def figure_1b(table: pd.DataFrame) -> Figure:
    """Histograms of success over inputs, of one seed and of votes; table: answer, success, share [%]."""
    panels = {
        "one seed": (["A_r0", "A_R"], {"A_r0": {0: 77, 100: 23}}, {"A_R": 40}),
        "vote on whole answers": (
            ["A_R-majority(5)", "A_R-majority(30)"],
            {"A_R-majority(30)": {100: 97}},
            {"A_R-majority(5)": 80},
        ),
        "each bit by its own vote": (["A_R-parts(5)", "A_R-parts(30)"], {}, {}),
    }
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.6), sharey=True, layout="constrained")
    for axis, (title, (answers, heights, humps)) in zip(axes, panels.items(), strict=True):
        histograms(axis, table, answers)
        axis.set(title=title, xlabel=SUCCESS, ylim=(0, 102))
        draw_paper_1b(axis, heights, humps)
    axes[0].set_ylabel("inputs [%]")
    return figure


def draw_paper_1b(axis, heights: dict[str, dict[int, float]], humps: dict[str, float]) -> None:
    """The paper's values in a panel of figure 1B, and its legend.

    heights: {answer: {success [%]: inputs [%]}}; humps: {answer: success [%]}, where no height can be read off.
    """
    for answer, points in heights.items():
        at = [2.5 if success == 0 else 97.5 for success in points]
        axis.plot(at, list(points.values()), "s", ms=9, mfc="none", mec=PALETTE[answer], clip_on=False)
    for answer, success in humps.items():
        axis.axvline(success, color=PALETTE[answer], ls=":", lw=1.5)
    handles, _ = axis.get_legend_handles_labels()
    if heights:
        handles += [Line2D([], [], ls="none", marker="s", ms=9, mfc="none", mec="grey", label="paper (read off)")]
    if heights and humps:
        handles += [Line2D([], [], ls=":", color="grey", label="paper's hump")]
    axis.legend(handles=handles, loc="upper center", fontsize=9, frameon=True, framealpha=1)


def draw_reference(axis, ns: list[int], slots: int, bits: int) -> Line2D:
    """The line of reference, and its handle for the legend."""
    n = np.linspace(min(ns), max(ns), 100)
    label = f"{slots} random pairs kept, else a guess"
    (line,) = axis.plot(n, reference(n, slots, bits), color="#777777", lw=1.2, ls="-.", label=label)
    return line


def figure_1c(table: pd.DataFrame, slots: int, bits: int, larger: pd.DataFrame) -> Figure:
    """95th-percentile success against N at the large q: one seed and votes on whole answers, and two other votes.

    The paper's values for votes stand in both panels. larger: the same as table, at the paper's size of training.
    """
    voted = {f"A_R-parts({k})": FIGURE_1C[f"A_R-majority({k})"] for k in VOTES}
    panels = {
        "one seed, and votes on whole answers": (["A_r0", "A_R", "A_R-majority(5)", "A_R-majority(30)"], FIGURE_1C),
        "votes on each bit, and averages": (["A_R-parts(5)", "A_R-parts(30)", "A_R-probabilities(30)"], voted),
    }
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True, layout="constrained")
    for axis, (title, (answers, paper)) in zip(axes, panels.items(), strict=True):
        curves(axis, chosen(table, measure="95th percentile"), answers, paper, "N", larger)
        line = draw_reference(axis, sorted(table["N"].unique()), slots, bits)
        axis.set(ylabel=SUCCESS, ylim=(-4, 104), title=title)
    legend(figure, [answer for answers, _ in panels.values() for answer in answers], line, larger=True)
    return figure


def figure_2_left(table: pd.DataFrame) -> Figure:
    """Variance over seeds of the predicted probabilities against q."""
    figure, axis = plt.subplots(figsize=(6, 3.6), layout="constrained")
    curves(axis, chosen(table, measure="variance"), ["A_R"], FIGURE_2)
    axis.set(ylabel="variance over seeds of P(bit = 1)", ylim=(-0.002, None))
    logarithmic(axis, table["q"])
    legend(figure, ["A_R"])
    return figure


def figure_8(table: pd.DataFrame) -> Figure:
    """Histograms of success over inputs, one panel per q of the table; of the q of figure 2 right, that."""
    qs = tuple(sorted(table["q"].unique()))
    return histograms_by_q(chosen(table, answer=("A_r0", "A_R")), qs, SUCCESS, "inputs")


def figure_3ab(table: pd.DataFrame, paper: dict, larger: pd.DataFrame, slots: int = 0, bits: int = 0) -> Figure:
    """Success against N, averaged and at the 95th percentile of badness; slots: with the line of reference.

    larger: the same at the paper's size of training.
    """
    answers = ["A_r0", "A_r0-sampled", "A_R", "A_R-majority(5)", "A_R-majority(30)", "A_R-parts(30)"]
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    lines = []
    for axis, measure in zip(axes, ("average", "95th percentile"), strict=True):
        curves(axis, chosen(table, measure=measure), answers, paper[measure], "N", chosen(larger, measure=measure))
        axis.set(title=f"{measure} over inputs", ylabel=SUCCESS, ylim=(-4, 104))
        if slots:
            lines = [draw_reference(axis, sorted(table["N"].unique()), slots, bits)]
    legend(figure, answers, *lines, larger=True)
    return figure


def figure_3c(table: pd.DataFrame, x: str, paper: dict) -> Figure:
    """Loss per bit against q or m; an A_r0 that has no m is drawn as a band."""
    answers = ["A_r0", "A_R"]
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True, layout="constrained")
    for axis, measure in zip(axes, ("loss, average", "loss, 95th percentile"), strict=True):
        shown = chosen(table, measure=measure)
        if x == "m":  # one seed per step by nature: the same at every m
            fixed = chosen(shown, answer="A_r0")
            shown = pd.concat([chosen(shown, answer="A_R"), *(fixed.assign(m=m) for m in shown["m"].unique())])
        curves(axis, shown, answers, paper[measure], x)
        axis.set(title=f"{measure.removeprefix('loss, ')} over inputs", ylabel="loss per bit [nats]")
        logarithmic(axis, shown[x])
    axes[0].set_ylim(0, 1.08 * axes[0].get_ylim()[1])  # room for the markers at the top
    legend(figure, answers)
    return figure


def figure_held(maps: dict[str, np.ndarray], held: dict[str, list[int]], slots: int) -> Figure:
    """Which pairs models recall, seed by seed.

    maps: {title: share of memories recalled, (seeds, keys)}; held: {title: number of pairs held under each seed}.
    """
    figure, axes = plt.subplots(1, len(maps) + 1, figsize=(3.4 * len(maps) + 4, 4.2), layout="constrained")
    for axis, (title, recalled) in zip(axes, maps.items(), strict=False):
        image = axis.imshow(100 * recalled, cmap="Blues", vmin=0, vmax=100, aspect="auto", interpolation="nearest")
        axis.set(title=title, xlabel="key", ylabel="seed", xticks=range(0, recalled.shape[1], 2))
        axis.grid(False)
    figure.colorbar(image, ax=axes[len(maps) - 1], label="recalled [% of memories]")
    draw_counts(axes[-1], held, slots)
    return figure


def draw_counts(axis, held: dict[str, list[int]], slots: int) -> None:
    """Shares of seeds [%] by the number of pairs held, of a fixed seed and of random ones; held: as figure_held's."""
    counts = np.arange(max(slots, *(max(of) for of in held.values())) + 2)
    for (title, of), answer in zip(held.items(), ("A_r0", "A_R"), strict=False):
        shares = [100 * np.mean(np.array(of) == count) for count in counts]
        offset = -0.2 if answer == "A_r0" else 0.2
        axis.bar(counts + offset, shares, 0.4, color=PALETTE[answer], hatch=HATCHES[answer], ec="white", label=title)
    axis.axvline(slots, color="#777777", ls="-.", label=f"{slots} slots")
    axis.set(xlabel="pairs held under a seed", ylabel="seeds [%]", title="pairs held", xticks=counts[::2])
    axis.legend(fontsize=9)
