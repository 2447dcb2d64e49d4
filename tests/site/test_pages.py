import re
from dataclasses import replace
from pathlib import Path

import pytest

from clones import ROOT
from randformer.experiments import registry
from randformer.harness.checks import BadInput
from randformer.report import claims as stored
from randformer.report.readme import SIZES, Judged
from randformer.site import pages

OWN = [each for each in registry.experiments().values() if each.path.parent == ROOT / "notebooks"]


def test_what_a_cell_saves_and_what_drew_it():
    source = """
shown = findings.success(size)
figure = figures.figure_1c(shown, larger)
plots.save(figure, shown, "one", folder)
plots.save(figures.figure_2(shown), shown, "two", folder)
"""
    assert list(pages.figures_of(source)) == [("one", "figure_1c"), ("two", "figure_2")]


@pytest.mark.parametrize("drawn", ["figure", "plt.gcf()", "findings.figure(shown)"])
def test_a_figure_of_which_nobody_knows_who_drew_it_is_told(drawn):
    with pytest.raises(BadInput, match="the site cannot say what draws this"):
        list(pages.figures_of(f'plots.save({drawn}, shown, "one", folder)'))


@pytest.mark.parametrize("experiment", OWN, ids=lambda each: each.name)
def test_every_figure_of_a_notebook_has_its_files_and_its_function(experiment):
    content, drawn = pages.notebook(experiment)
    saved = re.findall(r"plots\.save\(", "\n".join(cell.source for cell in content.cells))
    assert len(drawn) == len(saved)
    for figure in drawn:
        for kind in (*pages.KINDS, "png"):
            assert (ROOT / pages.FIGURES / f"{figure.name}.{kind}").exists()
        assert callable(getattr(experiment.part("figures"), figure.function))
    for cell, after in zip(content.cells, content.cells[1:], strict=False):
        if cell.cell_type == "code" and "plots.save(" in cell.source:
            assert after.cell_type == "markdown"
            assert "drawn by" in after.source
    if drawn:
        code = pages.code(experiment, Path(experiment.part("figures").__file__))
        headings = {pages.anchor(line.removeprefix("## ")) for line in code.splitlines() if line.startswith("## ")}
        assert {pages.anchor(figure.function) for figure in drawn} <= headings


def test_where_there_are_sliders_a_line_leads_to_the_page_that_needs_no_kernel():
    content, _ = pages.notebook(registry.experiments()["explore"])
    assert sum(cell.source == pages.PLAYED for cell in content.cells) == 3
    assert not any("VBox" in str(cell.get("outputs")) for cell in content.cells)


def test_the_gallery_names_a_notebook_once():
    drawn = [figure for experiment in OWN for figure in pages.notebook(experiment)[1]]
    text = pages.gallery(drawn)
    assert text.count("<img") == len(drawn)
    assert text.count("\n## ") == len({figure.notebook for figure in drawn})


def test_every_claim_has_a_row_for_each_size_at_which_it_was_judged():
    judged = Judged(OWN, {profile: stored.read(profile) for profile in SIZES})
    text = pages.claims(judged)
    assert text.count("<tr data-") == sum(map(len, judged.rows.values()))
    assert judged.summary() in text
    row = pages.row(judged, judged.claims[0], "laptop")
    assert row.count("<td") == len(pages.COLUMNS)
    assert 'data-verdict="✔ replicated"' in row


def test_what_a_claim_says_is_no_html():
    judged = Judged(OWN, {profile: stored.read(profile) for profile in SIZES})
    assert "<i>" not in pages.row(judged, replace(judged.claims[0], claim="<i>no</i>"), "laptop")


def test_a_claim_that_was_not_judged_has_no_row():
    judged = Judged(OWN, {profile: stored.read(profile).iloc[:0] for profile in SIZES})
    assert pages.row(judged, judged.claims[0], "laptop") == ""


def test_a_filter_offers_all_there_are():
    assert pages.choice("size", ["a", "b & c"], "trained at") == (
        '<label>trained at <select data-filter="size"><option value="">all</option>'
        "<option>a</option><option>b &amp; c</option></select></label>"
    )
