"""The figures of 05_cost_of_randomness.ipynb."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from .evaluation import bootstrap
from .plots import LABELS, PALETTE, curves, legend, logarithmic

TASKS = {"recall": "recall", "coloring": "colouring", "gridworld": "grid world"}
TASK_LOOK = {"recall": ("#0072B2", "o"), "coloring": ("#D55E00", "s"), "gridworld": ("#009E73", "^")}
WAYS = {"one pass": ("#D55E00", "s", "-"), "slices of 10": ("#0072B2", "o", "--"), "as trained": ("#009E73", "^", ":")}
SWEEPS = {  # of figure_others: title, what the x axis says
    "N": ("size of the input", "N, pairs or vertices"),
    "q": ("power of the norm", "q of the training objective"),
    "K": ("models side by side, per model", "K, models in one batch"),
    "cores": ("processes side by side, per step done", "processes, one per core"),
}
SUCCESS = "right answers [% of seeds]"


def figure_seeds(measured: pd.DataFrame) -> Figure:
    """Seconds and memory of a gradient step against m, by way of taking the gradient; a row of scaling.csv a point."""
    table = measured[(measured["sweep"] == "m") & (measured["task"] != "gridworld")]
    tasks = list(dict.fromkeys(table["task"]))
    figure, axes = plt.subplots(2, len(tasks), figsize=(5 * len(tasks), 6.4), sharex=True, layout="constrained")
    for column, task in zip(axes.T, tasks, strict=True):
        for axis, (name, unit) in zip(column, (("wall_seconds", 1), ("peak_bytes", 2**20)), strict=True):
            for way, (color, marker, dashes) in WAYS.items():
                of = table[(table["task"] == task) & (table["way"] == way)]
                axis.plot(of["x"], of[name] / unit, dashes, marker=marker, color=color, label=way)
            axis.set(xscale="log", yscale="log")
        column[0].set_title(TASKS[task])
        column[1].set_xlabel("m, seeds per training step")
    axes[0, 0].set_ylabel("seconds per step")
    axes[1, 0].set_ylabel("memory of a step [MiB]")
    axes[0, 0].legend()
    return figure


def figure_others(measured: pd.DataFrame) -> Figure:
    """Seconds of a step against N, q, models side by side and processes, as multiples of the first point's."""
    figure, axes = plt.subplots(1, len(SWEEPS), figsize=(3.5 * len(SWEEPS), 3.4), layout="constrained")
    for axis, (sweep, (title, x)) in zip(axes, SWEEPS.items(), strict=True):
        table = measured[measured["sweep"] == sweep]
        for task, of in table.groupby("task", sort=False):
            color, marker = TASK_LOOK[task]
            each = of["wall_seconds"] / (of["x"] if sweep in ("K", "cores") else 1)
            axis.plot(of["x"], each / each.iloc[0], marker=marker, color=color, label=TASKS[task])
        axis.set(title=title, xlabel=x, ylim=(0, None))
        if sweep in ("q", "K", "cores"):
            logarithmic(axis, table["x"])
    axes[0].set_ylabel("time of a step / first point's")
    axes[-1].legend()
    return figure


def figure_quality(table: pd.DataFrame, x: str, measure: str) -> Figure:
    """A measure of success against m or q, a panel for each task and size; table: experiment, and tables.tidy's."""
    answers = ["A_r0", "A_R", "A_R-majority(30)"]
    panels = list(dict.fromkeys(zip(table["experiment"], table["N"], strict=True)))
    figure, axes = plt.subplots(1, len(panels), figsize=(3.6 * len(panels), 3.6), sharey=True, layout="constrained")
    for axis, (experiment, n) in zip(axes, panels, strict=True):
        of = table[(table["experiment"] == experiment) & (table["N"] == n) & (table["measure"] == measure)]
        curves(axis, of, [answer for answer in answers if answer in set(of["answer"])], {}, x)
        axis.set(title=f"{TASKS[experiment]}, N = {n}", ylabel=SUCCESS, ylim=(-4, 104))
        logarithmic(axis, of[x])
    legend(figure, [answer for answer in answers if answer in set(table["answer"])], paper=False)
    return figure


def figure_inference(votes: pd.DataFrame, larger: pd.DataFrame) -> Figure:
    """Success on the worst input against the cost of an answer: votes of one model, and larger ones that need none.

    votes: cost, run, value; larger: key size, cost, run, value. Costs in passes through the model that votes.
    """
    figure, axis = plt.subplots(figsize=(7, 4.2), layout="constrained")
    interval = {"errorbar": lambda values: bootstrap(values.to_list()), "ax": axis, "legend": False}
    sns.lineplot(
        votes, x="cost", y="value", color=PALETTE["A_R-majority(30)"], marker="^", err_kws={"alpha": 0.12}, **interval
    )
    axis.lines[-1].set_label(LABELS["A_R"] + ", majority of k: k passes")
    means = larger.groupby(["key size", "cost"], as_index=False)["value"].mean()
    axis.scatter(larger["cost"], larger["value"], color=PALETTE["A_r0"], marker="s", alpha=0.35)
    axis.plot(means["cost"], means["value"], "s-", color=PALETTE["A_r0"], label=LABELS["A_r0"] + ", more memory")
    for _, row in means.iterrows():
        axis.annotate(
            f"{row['key size']:g}", (row["cost"], row["value"]), textcoords="offset points", xytext=(0, 8), ha="center"
        )
    axis.set(
        ylabel="success on the worst input [%]",
        ylim=(-4, 109),
        xlabel="cost of an answer [passes through the model that votes]",
    )
    axis.set_xscale("log")
    axis.legend(loc="center right")
    return figure
