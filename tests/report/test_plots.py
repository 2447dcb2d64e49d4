import matplotlib
import pandas as pd
import pytest

from randformer.experiments.coloring import figures
from randformer.report import plots, tables

pytestmark = pytest.mark.usefixtures("drawn")


def test_a_figure_is_stored_with_its_numbers_and_has_the_same_bytes_when_drawn_again(sweep, tmp_path):
    table = tables.tidy(*sweep)
    stored = []
    for _ in range(2):
        plots.save(figures.figure_5a(table, table), table, "figure_5a", "smoke")
        stored.append({path.name: path.read_bytes() for path in (tmp_path / "figures" / "smoke").iterdir()})
    assert set(stored[0]) == {"figure_5a.png", "figure_5a.svg", "figure_5a.csv"}
    assert stored[0] == stored[1]


def test_a_table_is_stored_with_its_named_index_and_told_where(sweep, tmp_path):
    table = tables.summary(tables.tidy(*sweep), ["answer", "q"])
    told = plots.write_table(table, "success", "smoke")
    assert told == "figures/smoke/success.csv"
    stored = (tmp_path / told).read_text(encoding="utf-8").splitlines()
    assert stored[0].split(",")[:3] == ["answer", "q", "n"]
    assert len(stored) == 1 + len(table)
    plots.write_table(tables.tidy(*sweep), "tidy", "smoke")
    assert (tmp_path / "figures" / "smoke" / "tidy.csv").read_text(encoding="utf-8").startswith("model,N,")


def test_a_table_is_stored_without_its_index_and_with_four_digits(tmp_path):
    plots.write_table(pd.DataFrame({"k": [1, 20], "share": [1 / 3, 1.0]}, index=[7, 8]), "shares", "smoke")
    assert (tmp_path / "figures" / "smoke" / "shares.csv").read_bytes() == b"k,share\n1,0.3333\n20,1\n"


def test_what_is_zero_but_for_rounding_is_stored_as_zero():
    assert plots.csv(pd.DataFrame({"n": [1, 2], "value": [-2.2e-14, 1e-6]})) == b"n,value\n1,0\n2,1e-06\n"


def test_a_caption_says_the_profile_and_how_many_runs_a_point_has(sweep):
    runs, seen = sweep
    table = tables.tidy(runs, seen)
    assert plots.caption(table, "laptop", ()) == "laptop profile, n = 2 runs"
    fewer = table[(table["run"] == 0) | (table["q"] == 1)]
    assert plots.caption(fewer, "smoke", ()) == "smoke profile, n = 1 to 2 runs"
    assert plots.caption(table.drop(columns="run"), "laptop", runs[:1]) == "laptop profile, n = 1 run"
    assert plots.caption(table.drop(columns="run"), "laptop", ()) == "laptop profile"


def test_every_way_of_answering_has_its_own_colour_and_marker():
    assert len(set(plots.PALETTE.values())) == len(set(plots.MARKERS.values())) == len(plots.PALETTE)
    assert set(plots.PALETTE) == set(plots.MARKERS) == set(plots.LABELS)


def test_lines_and_bars_are_told_apart_without_colour():
    assert len({(plots.MARKERS[answer], plots.DASHES[answer]) for answer in plots.PALETTE}) == len(plots.PALETTE)
    assert len(set(plots.HATCHES.values())) == len(plots.HATCHES)


def test_what_was_set_before_changes_no_figure(sweep, tmp_path):
    """Neither a person's matplotlibrc nor the fonts on the machine: the one drawn with is the one matplotlib brings."""
    table, stored = tables.tidy(*sweep), []
    for before in ({}, {"lines.linewidth": 9, "figure.figsize": (2, 2), "font.size": 30, "axes.titlesize": 40}):
        matplotlib.rcParams.update(before)
        plots.style()
        plots.save(figures.figure_5a(table, table), table, "figure_5a", "smoke")
        stored.append((tmp_path / "figures" / "smoke" / "figure_5a.svg").read_bytes())
    assert stored[0] == stored[1]
    assert matplotlib.rcParams["font.family"] == ["DejaVu Sans"]


def test_an_animation_is_stored_and_shown(tmp_path):
    shown = plots.save_animation(b"GIF89a", "search", "smoke")
    assert (tmp_path / "figures" / "smoke" / "search.gif").read_bytes() == shown.data == b"GIF89a"
