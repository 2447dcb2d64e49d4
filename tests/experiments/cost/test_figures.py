import pandas as pd
import pytest

from clones import ROOT
from helpers import evaluations, tiny, tiny_recall
from randformer.experiments.cost import figures
from randformer.report import tables

pytestmark = pytest.mark.usefixtures("drawn")


@pytest.fixture(scope="module")
def measured():
    return pd.read_csv(ROOT / "benchmarks" / "scaling.csv")


def test_every_way_of_a_step_is_drawn_for_each_task(measured):
    figure = figures.figure_seeds(measured)
    for axis in figure.axes:
        assert [line.get_label() for line in axis.lines] == list(figures.WAYS)
        assert max(axis.lines[0].get_xdata()) == 1000
    assert figure.axes[0].get_legend() is not None


def test_each_sweep_begins_at_one(measured):
    """Times are multiples of the first point's; of models and processes side by side, for each of them."""
    axes = figures.figure_others(measured).axes
    for time, memory in zip(axes[: len(axes) // 2], axes[len(axes) // 2 :], strict=True):
        assert len(time.lines) == len(memory.lines) > 0
        assert all(line.get_ydata()[0] == 1 for line in time.lines)
        assert all(line.get_ydata().min() > 0 for line in memory.lines)


def test_a_panel_for_each_task_and_size():
    found = []
    for runs in (
        [tiny(k, q=q) for q in (1, 8) for k in range(2)],
        [tiny_recall(k, q=q) for q in (1, 8) for k in range(2)],
    ):
        table = tables.tidy(runs, evaluations(runs))
        found.append(table.assign(experiment=runs[0].problem))
    table = pd.concat(found)
    figure = figures.figure_quality(table, "q", "95th percentile")
    assert [axis.get_title() for axis in figure.axes] == ["colouring, N = 6", "recall, N = 4"]
    assert "paper (read off)" not in [text.get_text() for text in figure.legends[0].get_texts()]


def test_votes_and_larger_networks_share_the_axes_of_a_task():
    votes = pd.DataFrame({"cost": [1, 10, 1, 10], "run": [0, 0, 1, 1], "value": [10, 50, 20, 60]}).assign(way="votes")
    larger = pd.DataFrame({"way": ["small", "large"], "cost": [1.0, 1.4], "run": [0, 0], "value": [0, 100]})
    both = pd.concat([votes, larger]).assign(measure="worst input", N=4)
    figure = figures.figure_inference(pd.concat([both.assign(experiment=name) for name in ("recall", "coloring")]))
    assert [axis.get_title() for axis in figure.axes] == ["recall, N = 4: worst input", "colouring, N = 4: worst input"]
    for axis in figure.axes:
        lines = [line.get_ydata().tolist() for line in axis.lines]
        assert [15, 55] in lines
        assert [0, 100] in lines
