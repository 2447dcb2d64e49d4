import numpy as np
import pytest

from helpers import evaluations, tiny_recall
from randformer.experiments.recall import figures, paper
from randformer.report import tables

pytestmark = pytest.mark.usefixtures("drawn")

QS = (1, 8)


@pytest.fixture(scope="module")
def sweep():
    """Runs with evaluations of untrained models."""
    runs = [tiny_recall(k, q=q, fixed=fixed) for k in range(2) for q in QS for fixed in (False, True)]
    return runs, evaluations(runs)


@pytest.mark.parametrize("slots", [0, 2])
def test_success_is_drawn_against_n_with_the_papers_values(sweep, slots):
    table = tables.tidy(*sweep)
    figure = figures.figure_3ab(table, paper.FIGURE_3B, table, slots, 2)
    read_off = paper.FIGURE_3B["average"]["A_R"]
    drawn = [line for line in figure.axes[0].lines if line.get_xdata() == pytest.approx(list(read_off))]
    assert any(line.get_ydata() == pytest.approx(list(read_off.values())) for line in drawn)
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "paper (read off)" in told
    assert any("random pairs kept" in text for text in told) == bool(slots)
    assert len(figures.figure_1c(shown := table[table["measure"] == "95th percentile"], 2, 2, shown).axes) == 2


def test_histograms_of_seeds_and_votes_each_hold_all_inputs(sweep):
    table = tables.histogram(*sweep)
    figure = figures.figure_1b(table[table["q"] == 8])
    for axis in figure.axes:
        assert sum(bar.get_height() for bar in axis.patches) == pytest.approx(200)  # two answers, 100 % each
    assert len(figures.figure_8(table).axes) == len(QS)


def test_variance_and_losses_are_drawn(sweep):
    table = tables.tidy(*sweep)
    means = table[(table["answer"] == "A_R") & (table["measure"] == "variance")].groupby("q")["value"].mean()
    axis = figures.figure_2_left(table[table["measure"] == "variance"]).axes[0]
    assert any(line.get_ydata() == pytest.approx(means.to_list()) for line in axis.lines if len(line.get_ydata()) == 2)
    losses = table[table["measure"].str.startswith("loss")]
    for x, read_off in (("q", paper.FIGURE_3C_Q), ("m", paper.FIGURE_3C_M)):
        assert len(figures.figure_3c(losses, x, read_off).axes) == 2


def test_a_model_without_m_is_as_good_at_every_m(sweep):
    """Its line is drawn over all of the sweep."""
    losses = tables.tidy(*sweep)
    losses = losses[losses["measure"].str.startswith("loss") & (losses["q"] == 8)]
    more = losses[losses["answer"] == "A_R"].assign(m=5)
    axis = figures.figure_3c(tables.pd.concat([losses, more]), "m", paper.FIGURE_3C_M).axes[0]
    flat = [line for line in axis.lines if list(line.get_xdata()) == [1, 3, 5]]
    assert any(np.ptp(line.get_ydata()) == pytest.approx(0) for line in flat)


def test_the_map_of_pairs_shows_every_seed_and_key():
    maps = {"a": np.eye(4), "b": np.zeros((4, 4)), "c": np.ones((4, 4))}
    figure = figures.figure_held(maps, {"a": [1, 1], "c": [4, 4]}, slots=2)
    images = [axis.images[0].get_array() for axis in figure.axes[:3]]
    assert np.array_equal(images[0], 100 * np.eye(4))
    assert sum(bar.get_height() for bar in figure.axes[3].patches) == pytest.approx(200)
