"""The figures of 13_highway_backpropagation.ipynb."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from randformer.report.plots import PALETTE, RUNS

COLORS = {"highway": PALETTE["A_R"], "fixed point": PALETTE["A_r0"], "backpropagation": "black"}
LOOKS = {"highway": "o", "fixed point": "s"}
TITLES = {
    "digits": "digits, residual MLP",
    "adding": "adding problem, GRU",
    "pixels": "digits pixel by pixel, GRU",
}


def iterations(axis, ks: pd.Series) -> None:
    """An axis of k, evenly in its logarithm but for 0."""
    axis.set_xscale("symlog", base=2, linthresh=1)
    ticks = sorted(ks.unique())
    axis.set_xticks(ticks, [f"{k:g}" for k in ticks])
    axis.minorticks_off()
    axis.set_xlabel("k, iterations")


def figure_cosines(table: pd.DataFrame) -> Figure:
    """Cosine to the gradient against k, a panel per task, before (dashed) and after training by backpropagation.

    table: findings.cosines'; bands hold all runs.
    """
    exact = table[table["way"] == "backpropagation"]
    tasks = list(dict.fromkeys(exact["task"]))
    figure, axes = plt.subplots(
        1, len(tasks), figsize=(4.3 * len(tasks), 3.6), sharey=True, squeeze=False, layout="constrained"
    )
    for axis, task in zip(axes[0], tasks, strict=True):
        for when, dashes in (("before", "--"), ("after", "-")):
            of = exact[(exact["task"] == task) & (exact["when"] == when)]
            for way, column in (("highway", "cosine"), ("fixed point", "fixed point")):
                sns.lineplot(
                    of, x="k", y=column, ax=axis, color=COLORS[way], ls=dashes, marker=LOOKS[way], errorbar=RUNS,
                    label=f"{way}, {when} training", legend=False, err_kws={"alpha": 0.12},
                )  # fmt: skip
        axis.axvline(exact.loc[exact["task"] == task, "L"].iloc[0] / 4, color="grey", ls=":", lw=1)
        iterations(axis, exact.loc[exact["task"] == task, "k"])
        axis.set(title=TITLES[task], ylabel="cosine to the gradient")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=4)
    return figure


def figure_layers(table: pd.DataFrame) -> Figure:
    """Cosine layer by layer, or step by step, a row of panels per moment and a column per task. table: by_layer's."""
    tasks, moments = list(dict.fromkeys(table["task"])), list(dict.fromkeys(table["when"]))
    figure, axes = plt.subplots(
        len(moments), len(tasks), figsize=(4.3 * len(tasks), 2.5 * len(moments)), squeeze=False, layout="constrained"
    )
    for row, when in zip(axes, moments, strict=True):
        for axis, task in zip(row, tasks, strict=True):
            of = table[(table["task"] == task) & (table["when"] == when)]
            wide = of.pivot(index="k", columns="layer", values="cosine")
            image = axis.imshow(wide, aspect="auto", cmap="viridis", vmin=0, vmax=1, origin="lower")
            axis.set_yticks(range(len(wide)), [f"{k:g}" for k in wide.index])
            last = wide.columns.max()
            axis.set_xticks([0, last // 2 - 1, last - 1], [1, last // 2, last])
            axis.grid(False)
            axis.set(title=f"{TITLES[task]}, {when}", xlabel="layer" if task == "digits" else "step", ylabel="k")
    figure.colorbar(image, ax=axes, label="cosine to the gradient")
    return figure


def figure_accuracy(table: pd.DataFrame) -> Figure:
    """Accuracy on test samples against k, a panel per task; the grey band holds backpropagation's runs.

    table: findings.scores'; each point is a run, lines join their means.
    """
    tasks = list(dict.fromkeys(table["task"]))
    figure, axes = plt.subplots(1, len(tasks), figsize=(4.3 * len(tasks), 3.6), squeeze=False, layout="constrained")
    for axis, task in zip(axes[0], tasks, strict=True):
        of = table[table["task"] == task]
        exact = of.loc[of["way"] == "backpropagation", "accuracy"]
        axis.axhspan(exact.min(), exact.max(), color="grey", alpha=0.25, lw=0, label="backpropagation, all runs")
        axis.axhline(exact.mean(), color=COLORS["backpropagation"], ls="--", lw=1.2, label="backpropagation, mean")
        for way, marker in LOOKS.items():
            own = of[of["way"] == way]
            axis.plot(own["k"], own["accuracy"], marker, color=COLORS[way], ms=5, alpha=0.5, mec="white", label=way)
            means = own.groupby("k")["accuracy"].mean()
            axis.plot(means.index, means, color=COLORS[way], lw=1.5)
        iterations(axis, of.loc[of["way"] != "backpropagation", "k"])
        axis.set(title=TITLES[task], ylabel="right on test samples [%]")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=4)
    return figure
