import itertools

import pytest
from matplotlib import pyplot as plt

from conftest import tiny
from randformer import plots, tables
from randformer.evaluation import evaluate
from randformer.gradient import begin


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(plots, "ROOT", tmp_path)
    plots.style()
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def sweep():
    """Runs with evaluations of untrained models."""
    runs = [tiny(k, q=q, fixed=fixed) for k in range(2) for q in (1, 10) for fixed in (False, True)]
    seen = []
    for run in runs:
        state = begin(run, "cpu")
        seen.append(evaluate(run, state.parameters * 3, state.seed[0] if run.model.fixed_seed else None))
    return runs, seen


def test_a_figure_is_stored_with_its_numbers_and_has_the_same_bytes_when_drawn_again(sweep, tmp_path):
    table = tables.tidy(*sweep)
    stored = []
    for _ in range(2):
        plots.save(plots.figure_5a(table), table, "figure_5a", "smoke")
        stored.append({path.name: path.read_bytes() for path in (tmp_path / "figures" / "smoke").iterdir()})
    assert set(stored[0]) == {"figure_5a.png", "figure_5a.svg", "figure_5a.csv"}
    assert stored[0] == stored[1]


def test_curves_show_means_over_runs(sweep):
    table = tables.tidy(*sweep)
    average = table[(table["measure"] == "average") & (table["answer"] == "A_R")]
    axis = plots.figure_5a(table).axes[0]
    means = average.groupby("q")["value"].mean().to_list()
    assert any(line.get_ydata().tolist() == pytest.approx(means) for line in axis.lines if len(line.get_ydata()) == 2)


def test_the_bars_of_a_histogram_add_up_to_all_inputs(sweep):
    figure = plots.figure_5c(tables.histogram(*sweep), (1, 10))
    for axis in figure.axes[:2]:
        assert sum(bar.get_height() for bar in axis.patches) == pytest.approx(200)  # two models, 100 % each


def test_losses_and_votes_are_drawn(sweep):
    runs, seen = sweep
    assert len(plots.figure_5b(tables.tidy(runs, seen)).axes) == 2
    assert plots.figure_votes(tables.votes(runs, seen, 10, 100)).axes[0].get_xscale() == "log"


def test_a_ring_says_whether_its_colouring_is_valid():
    axis = plt.figure().add_subplot()
    assert plots.ring(axis, [0, 1, 2, 3], [0, 1, 0, 2])
    assert not plots.ring(axis, [0, 1, 2, 3], [0, 1, 2, 0])  # the edge that closes the ring
    figure = plots.figure_4c([0, 1, 2], [[0, 1, 2], [0, 0, 1]] * 4, 0.5, 10)
    assert [axis.get_title() for axis in figure.axes] == ["valid", "fails"] * 4


def test_every_way_of_answering_has_its_own_colour_and_marker():
    assert len(set(plots.PALETTE.values())) == len(set(plots.MARKERS.values())) == len(plots.PALETTE)
    assert set(plots.PALETTE) == set(plots.MARKERS) == set(plots.LABELS)


def test_lines_and_bars_are_told_apart_without_colour():
    assert len({(plots.MARKERS[answer], plots.DASHES[answer]) for answer in plots.PALETTE}) == len(plots.PALETTE)
    assert len(set(plots.HATCHES.values())) == len(plots.HATCHES)


def lightness(color: str) -> float:
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_colours_of_vertices_are_apart_in_grey():
    values = sorted(lightness(color) for color in plots.COLORING_COLORS)
    assert min(b - a for a, b in itertools.pairwise(values)) > 0.02
