import itertools

import pytest
from matplotlib import pyplot as plt

from randformer.experiments.coloring import figures, findings
from randformer.report import tables

pytestmark = pytest.mark.usefixtures("drawn")


def test_curves_show_means_over_runs(sweep):
    table = tables.tidy(*sweep)
    average = table[(table["measure"] == "average") & (table["answer"] == "A_R")]
    larger = table[table["q"] == table["q"].max()].assign(value=50.0)
    axis = figures.figure_5a(table, larger).axes[0]
    stars = [line for line in axis.lines if line.get_marker() == "*"]
    assert [line.get_ydata() for line in stars] == [[50]] * 5  # as many as ways of answering are drawn
    means = average.groupby("q")["value"].mean().to_list()
    assert any(line.get_ydata().tolist() == pytest.approx(means) for line in axis.lines if len(line.get_ydata()) == 2)


def test_the_bars_of_a_histogram_add_up_to_all_inputs(sweep):
    figure = figures.figure_5c(tables.histogram(*sweep), (1, 10))
    for axis in figure.axes[:2]:
        assert sum(bar.get_height() for bar in axis.patches) == pytest.approx(200)  # two models, 100 % each


def test_losses_and_votes_are_drawn(sweep):
    runs, seen = sweep
    assert len(figures.figure_5b(tables.tidy(runs, seen)).axes) == 2
    assert figures.figure_votes(findings.votes(runs, seen, 10, 100)).axes[0].get_xscale() == "log"


def test_a_ring_says_whether_its_colouring_is_valid():
    axis = plt.figure().add_subplot()
    assert figures.ring(axis, [0, 1, 2, 3], [0, 1, 0, 2])
    assert not figures.ring(axis, [0, 1, 2, 3], [0, 1, 2, 0])  # the edge that closes the ring
    figure = figures.figure_4c([0, 1, 2], [[0, 1, 2], [0, 0, 1]] * 4, 0.5, 10)
    assert [axis.get_title() for axis in figure.axes] == ["valid", "fails"] * 4


def lightness(color: str) -> float:
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_colours_of_vertices_are_apart_in_grey():
    values = sorted(lightness(color) for color in figures.COLORING_COLORS)
    assert min(b - a for a, b in itertools.pairwise(values)) > 0.02
