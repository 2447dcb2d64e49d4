"""House style, and what several figures are drawn with. A figure is drawn from a table, and stored with it.

Colours are of the Okabe-Ito palette; each model keeps its own in every figure, and for print in grey its own marker,
line style and hatch. Light open markers are the paper's values, read off its plots to about 2 points.
"""

import io
from collections import Counter
from collections.abc import Sequence

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.display import Image
from matplotlib.figure import Figure

from randformer.core.runs import NetworkRun
from randformer.harness.files import ROOT, write_bytes

PALETTE = {
    "A_r0": "#D55E00",
    "A_r0-sampled": "#E69F00",
    "A_R": "#0072B2",
    "A_R-majority(5)": "#56B4E9",
    "A_R-majority(30)": "#009E73",
    "A_R-parts(5)": "#CC79A7",
    "A_R-parts(30)": "#000000",
    "A_R-probabilities(30)": "#882255",  # not of that palette, which has no dark colour left
}
DASHES = {
    "A_r0": "",
    "A_r0-sampled": (1, 1),
    "A_R": "",
    "A_R-majority(5)": (1, 1),
    "A_R-majority(30)": (4, 2),
    "A_R-parts(5)": (1, 2),
    "A_R-parts(30)": (6, 1, 1, 1),
    "A_R-probabilities(30)": (3, 1),
}
HATCHES = {
    "A_r0": "////",
    "A_R": "",
    "A_R-majority(5)": "....",
    "A_R-majority(30)": "xxxx",
    "A_R-parts(5)": "oo",
    "A_R-parts(30)": "----",
}
MARKERS = {
    "A_r0": "s",
    "A_r0-sampled": "v",
    "A_R": "o",
    "A_R-majority(5)": "D",
    "A_R-majority(30)": "^",
    "A_R-parts(5)": "P",
    "A_R-parts(30)": "X",
    "A_R-probabilities(30)": "h",
}
RUNS = ("pi", 100)  # seaborn's band that holds all runs: intervals of a few runs fill a picture; they are in the tables
STAR = {"marker": "*", "ms": 11, "mec": "black"}  # of a model trained at the paper's size
AXES = {"q": "q of the training objective", "N": "N, pairs to remember", "m": "m, seeds per training step"}
LABELS = {
    "A_r0": r"$A_{r_0}$ (fixed seed)",
    "A_r0-sampled": r"$A_{r_0}$-sampled",
    "A_R": r"$A_R$ (random seeds)",
    "A_R-majority(5)": r"$A_R$-majority(5)",
    "A_R-majority(30)": r"$A_R$-majority(30)",
    "A_R-parts(5)": r"$A_R$, each bit by majority(5)",
    "A_R-parts(30)": r"$A_R$, each bit by majority(30)",
    "A_R-probabilities(30)": r"$A_R$, probabilities of 30 seeds averaged",
}


def style() -> None:
    """The house's defaults, whatever was set before; called once at the top of a notebook."""
    matplotlib.rcdefaults()
    sns.set_theme("notebook", "whitegrid", font="DejaVu Sans", font_scale=0.95)  # the font that matplotlib brings
    matplotlib.rcParams.update(
        {
            "figure.dpi": 100,
            "savefig.dpi": 200,
            "savefig.bbox": "tight",
            "svg.hashsalt": "randformer",  # the same ids, so the same bytes, at every drawing
            "svg.fonttype": "path",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "legend.frameon": False,
        }
    )


def save(figure: Figure, numbers: pd.DataFrame, name: str, profile: str, runs: Sequence[NetworkRun] = ()) -> None:
    """Store a figure as png and svg, and the numbers behind it as csv, in figures/<profile>/.

    A line above says the profile and how many runs a point has. runs: those shown, where the numbers do not tell.
    """
    folder = ROOT / "figures" / profile
    figure.text(0.005, 1.0, caption(numbers, profile, runs), va="bottom", fontsize="x-small", color="#555555")
    for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, metadata=metadata)
        write_bytes(folder / f"{name}.{kind}", buffer.getvalue())
    write_bytes(folder / f"{name}.csv", csv(numbers))


def save_animation(frames: bytes, name: str, profile: str) -> Image:
    """Store a gif as figures/<profile>/<name>.gif; returns it for a notebook to show."""
    write_bytes(ROOT / "figures" / profile / f"{name}.gif", frames)
    return Image(frames, format="gif")


def caption(numbers: pd.DataFrame, profile: str, runs: Sequence[NetworkRun]) -> str:
    """ "laptop profile, n = 3 to 5 runs"; without n where nothing that was trained is shown."""
    counts = Counter(run.point for run in runs).values()
    if "run" in numbers:
        point = [name for name in numbers if name not in ("run", "value")]
        counts = numbers.groupby(point, dropna=False)["run"].nunique() if point else [numbers["run"].nunique()]
    if not len(counts):
        return f"{profile} profile"
    n = " to ".join(f"{count}" for count in sorted({min(counts), max(counts)}))
    return f"{profile} profile, n = {n} {'run' if n == '1' else 'runs'}"


def write_table(table: pd.DataFrame, name: str, profile: str) -> str:
    """Store a table that is too long to print as figures/<profile>/<name>.csv; returns that, as a reader finds it.

    Levels of the index that have names, as summaries have them, are its first columns.
    """
    path = ROOT / "figures" / profile / f"{name}.csv"
    write_bytes(path, csv(table.reset_index() if any(table.index.names) else table))
    return path.relative_to(ROOT).as_posix()


def csv(table: pd.DataFrame) -> bytes:
    """The columns of a table, numbers to 4 digits: later ones, and 1e-14, change with the processor's instructions."""
    numbers = table.select_dtypes("float")
    table = table.assign(**numbers.mask(numbers.abs() < 1e-12, 0.0))
    return table.to_csv(index=False, float_format="%.4g", lineterminator="\n").encode()


def curves(
    axis,
    table: pd.DataFrame,
    answers: list[str],
    paper: dict,
    x: str = "q",
    larger: pd.DataFrame | None = None,
    bands: bool = True,
) -> None:
    """Mean against x of each way of answering, a band from the least to the largest run, and the paper's values.

    larger: the same of models trained at the paper's size, as far as they were trained: stars. bands: False where they
    would cover each other: each run is a thin line.
    """  # fmt: skip
    shown = table[table["answer"].isin(answers)]
    look = {"palette": PALETTE, "hue_order": answers, "legend": False, "ax": axis}
    sns.lineplot(
        shown, x=x, y="value", hue="answer", style="answer", style_order=answers, markers=MARKERS, dashes=DASHES,
        errorbar=RUNS if bands else None, err_kws={"alpha": 0.12}, **look,
    )  # fmt: skip
    if not bands:
        sns.lineplot(shown, x=x, y="value", hue="answer", units="run", estimator=None, lw=0.7, alpha=0.5, **look)
    for answer, values in paper.items():
        if answer in answers:
            axis.plot(
                list(values), list(values.values()), ls="none", marker=MARKERS[answer], ms=10, mfc="none",
                mec=PALETTE[answer], alpha=0.55,
            )  # fmt: skip
    if larger is not None:
        for (answer, at), of in larger[larger["answer"].isin(answers)].groupby(["answer", x])["value"]:
            ends = [[of.mean() - of.min()], [of.max() - of.mean()]]
            axis.errorbar([at], [of.mean()], ends, fmt=STAR["marker"], ms=STAR["ms"], mec=STAR["mec"], capsize=3,
                          mfc=PALETTE[answer], ecolor=PALETTE[answer], zorder=5)  # fmt: skip
    axis.set_xlabel(AXES[x])


def legend(figure: Figure, answers: list[str], *others, paper: bool = True, larger: bool = False) -> None:
    """One legend for all panels, under them.

    others: handles of other lines; paper, larger: with the markers of the paper and of models of its size explained.
    """
    line = matplotlib.lines.Line2D
    handles = [
        line([], [], color=PALETTE[a], marker=MARKERS[a], mec="white", dashes=DASHES[a] or (1, 0), label=LABELS[a])
        for a in answers
    ]
    handles += others
    handles.append(matplotlib.patches.Patch(color="grey", alpha=0.25, label="from the least to the largest run"))
    if paper:
        handles.append(line([], [], ls="none", marker="o", ms=10, mfc="none", mec="grey", label="paper (read off)"))
    if larger:
        handles.append(line([], [], ls="none", mfc="grey", label="trained at the paper's size, all runs", **STAR))
    figure.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=3)


def logarithmic(axis, points: pd.Series) -> None:
    """A logarithmic x axis that names the points of a sweep; of those closer than a factor of 1.45, the first."""
    named = [points.min()]
    for point in sorted(points.unique()):
        if point >= 1.45 * named[-1]:
            named.append(point)
    axis.set_xscale("log")
    axis.set_xticks(named, [f"{point:g}" for point in named])
    axis.minorticks_off()


def histograms(axis, table: pd.DataFrame, answers: list[str]) -> None:
    """Share of inputs by success rate, in bins of 5 points; bars of several models stand beside each other."""
    width = 5 / len(answers)
    for i, answer in enumerate(answers):
        of = table[table["answer"] == answer]
        shares = of.groupby(np.minimum(of["success"] // 5 * 5, 95))["share"].sum()
        look = {"color": PALETTE[answer], "hatch": HATCHES[answer], "edgecolor": "white", "linewidth": 0}
        axis.bar(shares.index + i * width, shares, width, align="edge", label=LABELS[answer], **look)
    axis.set(xlim=(0, 100))


def histograms_by_q(table: pd.DataFrame, qs: tuple[float, ...], success: str, inputs: str) -> Figure:
    """Histograms of the success rate over all inputs, one panel per q, and how to call success and inputs.

    table: q, answer, success [%], share [%].
    """
    columns = min(len(qs), 4)
    rows = -(-len(qs) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(2.7 * columns + 1.5, 2.5 * rows + 0.6), sharey=True, squeeze=False, layout="constrained"
    )
    answers = list(dict.fromkeys(table["answer"]))
    for axis, q in zip(axes.flat, qs, strict=False):
        histograms(axis, table[table["q"] == q], answers)
        axis.set(title=f"q = {q:g}", xlabel=success)
    for axis in axes[:, 0]:
        axis.set_ylabel(f"{inputs} [%]")
    for axis in axes.flat[len(qs) :]:
        axis.set_visible(False)
    figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=2)
    return figure
