import pandas as pd
import pytest

from randformer.experiments.highway import figures, findings

pytestmark = pytest.mark.usefixtures("drawn")


def tables(trained):
    runs, seen = ([each for pair in trained.values() for each in pair[i]] for i in range(2))
    return findings.scores(runs, seen), findings.cosines(runs, seen), findings.by_layer(runs, seen)


def test_cosines_are_means_over_runs(trained):
    _, angles, _ = tables(trained)
    figure = figures.figure_cosines(angles)
    assert [axis.get_title() for axis in figure.axes] == list(figures.TITLES.values())
    exact = angles[(angles["way"] == "backpropagation") & (angles["task"] == "digits") & (angles["when"] == "after")]
    means = exact.groupby("k")["cosine"].mean().to_list()
    assert any(line.get_ydata().tolist() == pytest.approx(means) for line in figure.axes[0].lines)


def test_layers_have_a_panel_for_each_task_before_and_after(trained):
    _, _, layers = tables(trained)
    figure = figures.figure_layers(layers)
    images = [axis.images[0].get_array() for axis in figure.axes if axis.images]
    assert [image.shape for image in images] == [(4, 4), (5, 8), (8, 64)] * 2
    assert images[0][-1].tolist() == [1] * 4


def test_accuracy_shows_every_run_and_the_means():
    rows = [("digits", "backpropagation", 4, run, 90 + run) for run in range(2)]
    rows += [("digits", way, k, run, 10 * k + run) for way in figures.LOOKS for k in (1, 2) for run in range(2)]
    table = pd.DataFrame(rows, columns=["task", "way", "k", "run", "accuracy"])
    (axis,) = figures.figure_accuracy(table).axes
    points, means = (axis.lines[i].get_ydata().tolist() for i in (1, 2))
    assert points == [10, 11, 20, 21]
    assert means == [10.5, 20.5]
    assert axis.lines[0].get_ydata()[0] == 90.5
