import io
import math

import numpy as np
import pandas as pd
import pytest
from PIL.GifImagePlugin import GifImageFile

from randformer.experiments.gridworld import figures

pytestmark = pytest.mark.usefixtures("drawn")


def progress() -> pd.DataFrame:
    points = [(q, run, generation, measure) for q in (1, math.inf) for run in (0, 1) for generation in (10, 20)
              for measure in figures.MEASURES]  # fmt: skip
    table = pd.DataFrame(points, columns=["q", "run", "generation", "measure"])
    return table.assign(answer="A_R", N=5, m=10, value=40 - table["generation"] + table["run"])


def test_curves_are_means_over_runs_and_the_paper_stands_at_their_end():
    axes = figures.figure_7a(progress(), 50, figures.PAPER["7A"]).axes[:3]
    for axis in axes:
        curves = [line for line in axis.lines if len(line.get_xdata()) == 2]
        assert [line.get_ydata().tolist() for line in curves] == [[30.5, 20.5]] * 2
        assert [line.get_linestyle() for line in curves] == ["--", "-"]
    ends = [[line.get_ydata()[0] for line in axis.lines if len(line.get_xdata()) == 1] for axis in axes]
    assert ends == [[19, 20], [39, 28], []]


def test_every_m_has_a_curve_and_an_end():
    table = pd.concat([progress().assign(m=m, value=v) for m, v in ((1, 35), (10, 20))])
    ends = pd.DataFrame({"m": [1, 1, 10, 10], "value": [34, 36, 20, 20], "generation": figures.AFTER})
    averages = pd.concat([table[table["measure"] == "average"], ends])
    left, right = figures.figure_7b(averages, 50, figures.PAPER["7B"]).axes[:2]
    assert any(line.get_ydata().tolist() == [35, 24, 20, 20] for line in right.lines)
    assert [line.get_ydata().tolist() for line in left.lines] == [[35, 35], [20, 20]]
    assert any(line.get_ydata().tolist() == [35, 20] for line in right.lines)


def test_every_cell_has_its_first_visit():
    visits = pd.DataFrame({"cell": range(4), "a": [0, 1, 2, 25.0], "b": [0, 3, 4, 5.0]})
    figure = figures.figure_7c(2, visits, 25)
    assert [[text.get_text() for text in axis.texts] for axis in figure.axes[:2]] == [
        ["0.0", "1.0", "2.0", "25.0"], ["0.0", "3.0", "4.0", "5.0"]
    ]  # fmt: skip
    assert "25: not visited" in figure.axes[2].get_ylabel()


def test_walks_stand_above_each_other_with_their_steps():
    shown = {0: ([0, 1, 3], [0, 2, 3]), 4: ([0, 0, 1, 3], [0, 1, 3])}
    figure = figures.figure_6c(2, shown, 3, 8)
    labels = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert labels == ["seed 0\n2 steps", "seed 4\n3 steps", "2 steps", "2 steps"]


def test_a_search_is_animated_both_episodes_step_by_step():
    shown = {0: ([0, 1, 3], [0, 2, 3]), 4: ([0, 0, 1, 3], [0, 1, 3])}
    first, again = (figures.animation(2, shown, 3, 8) for _ in range(2))
    assert first == again  # the same bytes
    assert GifImageFile(io.BytesIO(first)).n_frames == 4 + 3  # cells of the longer walk of each episode


def test_models_stand_against_the_lines_of_the_game():
    table = progress().assign(value=20)
    figure = figures.figure_values(table, {5: {"best mixture": 17.5, "best walk": 26.0}})
    (axis,) = figure.axes
    assert {17.5, 26.0} <= {line.get_ydata()[0] for line in axis.lines}
    assert [label.get_text() for label in axis.get_xticklabels()] == [
        "$A_R$\non the\naverage",
        "$A_R$\non the\nworst cell",
    ]


def test_walks_cover_more_and_more_beside_the_best_mixture():
    (axis,) = figures.figure_walks({("A_R", 1): np.array([0.5, 0.3, 0.2])}, np.array([0.6, 0.4])).axes
    assert [line.get_ydata() for line in axis.lines] == [pytest.approx([50, 80, 100]), pytest.approx([60, 100])]


def test_curves_of_any_grid_lie_inside_their_axes():
    table = progress().assign(value=lambda table: table["value"] / 3)
    for axis in figures.figure_7a(table, 14, {}).axes:
        low, high = axis.get_ylim()
        assert all(low < y < high for line in axis.lines for y in line.get_ydata())
