import pandas as pd
import pytest

from randformer.experiments.coloring import figures as plots_coloring
from randformer.report import plots, tables

pytestmark = pytest.mark.usefixtures("drawn")


def test_a_figure_is_stored_with_its_numbers_and_has_the_same_bytes_when_drawn_again(sweep, tmp_path):
    table = tables.tidy(*sweep)
    stored = []
    for _ in range(2):
        plots.save(plots_coloring.figure_5a(table), table, "figure_5a", "smoke")
        stored.append({path.name: path.read_bytes() for path in (tmp_path / "figures" / "smoke").iterdir()})
    assert set(stored[0]) == {"figure_5a.png", "figure_5a.svg", "figure_5a.csv"}
    assert stored[0] == stored[1]


def test_a_table_is_stored_without_its_index_in_six_digits(tmp_path):
    plots.write_table(pd.DataFrame({"q": [1.0, 2.5], "value": [1 / 3, 2]}, index=["a", "b"]), "few", "smoke")
    assert (tmp_path / "figures" / "smoke" / "few.csv").read_text() == "q,value\n1,0.333333\n2.5,2\n"


def test_every_way_of_answering_has_its_own_colour_and_marker():
    assert len(set(plots.PALETTE.values())) == len(set(plots.MARKERS.values())) == len(plots.PALETTE)
    assert set(plots.PALETTE) == set(plots.MARKERS) == set(plots.LABELS)


def test_lines_and_bars_are_told_apart_without_colour():
    assert len({(plots.MARKERS[answer], plots.DASHES[answer]) for answer in plots.PALETTE}) == len(plots.PALETTE)
    assert len(set(plots.HATCHES.values())) == len(plots.HATCHES)
