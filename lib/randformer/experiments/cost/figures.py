"""The figures of 05_cost_of_randomness.ipynb."""

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from randformer.report.plots import LABELS, MARKERS, PALETTE, RUNS, curves, legend, logarithmic

TASKS = {"recall": "recall", "coloring": "colouring", "gridworld": "grid world"}
TASK_LOOK = {"recall": ("#0072B2", "o"), "coloring": ("#D55E00", "s"), "gridworld": ("#009E73", "^")}
WAYS = {"one pass": ("#D55E00", "s", "-"), "slices of 10": ("#0072B2", "o", "--"), "as trained": ("#009E73", "^", ":")}
SWEEPS = {  # of figure_others: title, what the x axis says
    "N": ("size of the input", "N, pairs or vertices"),
    "q": ("power of the norm", "q of the training objective"),
    "K": ("models side by side, per model", "K, models in one batch"),
    "cores": ("processes side by side, per step done", "processes, one per core"),
}
POLLS = {  # of figure_inference: looks
    "votes": "A_R-majority(30)",
    "votes on each bit or vertex": "A_R-parts(30)",
    "averaged probabilities": "A_R-probabilities(30)",
}
SUCCESS = "right [% of seeds]"


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
    """Seconds and memory of a step against N, q, models side by side and processes; a row of scaling.csv a point.

    Seconds are multiples of the first point's, for each model and process; memory is that of all of them.
    """
    figure, axes = plt.subplots(2, len(SWEEPS), figsize=(3.5 * len(SWEEPS), 5.6), sharex="col", layout="constrained")
    for (time, memory), (sweep, (title, x)) in zip(axes.T, SWEEPS.items(), strict=True):
        table = measured[measured["sweep"] == sweep]
        for task, of in table.groupby("task", sort=False):
            look = dict(zip(("color", "marker"), TASK_LOOK[task], strict=True)) | {"label": TASKS[task]}
            each = of["wall_seconds"] / (of["x"] if sweep in ("K", "cores") else 1)
            time.plot(of["x"], each / each.iloc[0], **look)
            memory.plot(of["x"], of["peak_bytes"] * of["processes"] / 2**20, **look)
        time.set(title=title, ylim=(0, 1.08 * max(line.get_ydata().max() for line in time.lines)))
        memory.set(xlabel=x, ylim=(0, None))
        if sweep in ("q", "K", "cores"):
            logarithmic(memory, table["x"])
    axes[0, 0].set_ylabel("time of a step / first point's")
    axes[1, 0].set_ylabel("memory of a step [MiB]")
    axes[0, -1].legend()
    return figure


def figure_quality(table: pd.DataFrame, x: str, measure: str) -> Figure:
    """A measure of success against m or q, a panel for each task and size; table: experiment, and tables.tidy's."""
    answers = ["A_r0", "A_R", "A_R-majority(30)"]
    panels = list(dict.fromkeys(zip(table["experiment"], table["N"], strict=True)))
    figure, axes = plt.subplots(1, len(panels), figsize=(3.6 * len(panels), 3.6), sharey=True, layout="constrained")
    for axis, (experiment, n) in zip(axes, panels, strict=True):
        of = table[(table["experiment"] == experiment) & (table["N"] == n) & (table["measure"] == measure)]
        curves(axis, of, [answer for answer in answers if answer in set(of["answer"])], {}, x)
        axis.set(title=f"{TASKS[experiment]}, N = {n}", ylabel=f"{measure}: {SUCCESS}", ylim=(-4, 104))
        logarithmic(axis, of[x])
    legend(figure, [answer for answer in answers if answer in set(table["answer"])], paper=False)
    return figure


def figure_inference(table: pd.DataFrame) -> Figure:
    """Success against the cost of an answer: votes of one network, and larger ones that need none.

    table: experiment, N, and findings.inference's. A row of panels for each measure, a column for each task.
    """
    tasks = list(dict.fromkeys(zip(table["experiment"], table["N"], strict=True)))
    measures = list(dict.fromkeys(table["measure"]))
    figure, axes = plt.subplots(
        len(measures), len(tasks), figsize=(4.8 * len(tasks), 3 * len(measures)), sharex="col", squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for row, measure in zip(axes, measures, strict=True):
        for axis, (experiment, n) in zip(row, tasks, strict=True):
            of = table[(table["experiment"] == experiment) & (table["N"] == n) & (table["measure"] == measure)]
            for way, answer in POLLS.items():
                look = {
                    "color": PALETTE[answer],
                    "marker": MARKERS[answer],
                    "legend": False,
                    "err_kws": {"alpha": 0.12},
                }
                sns.lineplot(of[of["way"] == way], x="cost", y="value", ax=axis, errorbar=RUNS, **look)
            others = of[~of["way"].isin(POLLS)]
            axis.scatter(others["cost"], others["value"], color=PALETTE["A_r0"], marker="s", alpha=0.35)
            means = others.groupby("cost")["value"].mean()
            axis.plot(means.index, means, "s-", color=PALETTE["A_r0"])
            axis.set(
                title=f"{TASKS[experiment]}, N = {n}: {measure}",
                ylabel="",
                ylim=(-4, 104),
                xscale="log",
                xlim=(0.8, 1500),
            )
            axis.set_xlabel("cost of an answer [passes]")
        row[0].set_ylabel("right answers [%]")
    line = matplotlib.lines.Line2D
    handles = [
        *(line([], [], color=PALETTE[a], marker=MARKERS[a], label=f"k {way}: k passes") for way, a in POLLS.items()),
        line([], [], color=PALETTE["A_r0"], marker="s", label=LABELS["A_r0"] + ", larger networks"),
    ]
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=3)
    return figure
