"""What of the site's pages is generated: notebooks with what is behind their figures, figures, their code, claims."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from randformer.experiments.registry import Experiment
from randformer.harness.checks import BadInput
from randformer.report.claims import Claim
from randformer.report.readme import MARKS, SIZES, Judged, numbers, outcome

FIGURES = "figures/laptop"  # as in the repository; the site has the folder under the same name
PLAYED = (
    '<p class="drawn-by">Here JupyterLab has sliders and buttons. <a href="../explorer.html">Play without it</a>.</p>'
)
COLUMNS = ("", "claim and rule", "the paper", "ours, 95 % interval, runs", "trained at", "verdict")  # of the claims
KINDS = {"csv": "its numbers (csv)", "svg": "svg"}


@dataclass(frozen=True)
class Drawn:
    """A figure that a notebook stores."""

    name: str  # of its files, without the ending
    experiment: str
    notebook: str
    function: str  # of the experiment's figures.py

    def links(self, up: str) -> str:
        """HTML that leads to what is behind it, from a page that lies so far below the site's top ("", "../")."""
        files = [f'<a href="{up}{FIGURES}/{self.name}.{kind}">{told}</a>' for kind, told in KINDS.items()]
        code = f"{up}code/{self.experiment}.html#{anchor(self.function)}"
        drawn = f'<a href="{code}">{self.experiment}.figures.{self.function}</a>'
        return f'<p class="drawn-by">{self.name}: {", ".join(files)}; drawn by {drawn}</p>'


def anchor(function: str) -> str:
    """The id that a heading of that text gets."""
    return function.replace("_", "-").strip("-")


def figures_of(source: str) -> Iterator[tuple[str, str]]:
    """(name, function) of every figure that a cell saves by plots.save(figures.function(...), table, "name", ...)."""
    drawn = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            drawn[node.targets[0].id] = node.value
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "plots.save":
            figure, _, name, *_ = node.args
            call = drawn.get(figure.id) if isinstance(figure, ast.Name) else figure
            if not isinstance(call, ast.Call) or not ast.unparse(call.func).startswith("figures."):
                raise BadInput(
                    f"{ast.unparse(node)}: the site cannot say what draws this, save figures.<function>(...)"
                )
            yield ast.literal_eval(name), call.func.attr


def notebook(experiment: Experiment) -> tuple[NotebookNode, list[Drawn]]:
    """An experiment's notebook, with a line under each figure that says what is behind it, and these figures.

    A line stands in the place of sliders and buttons too, which need a kernel.
    """
    content, cells, drawn = nbformat.read(experiment.path, as_version=4), [], []
    for cell in content.cells:
        cells.append(cell)
        if any(output.get("data", {}).get("text/plain", "").startswith("VBox(") for output in cell.get("outputs", [])):
            cell.outputs = []
            cells.append(added(cell, PLAYED))
        if cell.cell_type == "code" and "plots.save(" in cell.source:
            here = [Drawn(name, experiment.name, experiment.notebook, of) for name, of in figures_of(cell.source)]
            cells.append(added(cell, "\n".join(figure.links("../") for figure in here)))
            drawn += here
    content.cells = cells
    return content, drawn


def added(cell: NotebookNode, text: str) -> NotebookNode:
    """A cell to stand behind another one."""
    return nbformat.v4.new_markdown_cell(text, id=f"{cell.id}-more")


def gallery(drawn: Iterable[Drawn]) -> str:
    """Page of all figures, in the order of the notebooks (markdown)."""
    lines, before = ["# Figures", ""], None
    for figure in drawn:
        if figure.notebook != before:
            lines += [f"## [{figure.notebook.removesuffix('.ipynb')}](notebooks/{figure.notebook})", ""]
        before = figure.notebook
        picture = f'<img src="{FIGURES}/{figure.name}.png" alt="{figure.name}" loading="lazy">'
        lines += [f'<div class="gallery">{picture}</div>', "", figure.links(""), ""]
    return "\n".join(lines)


def code(experiment: Experiment, module: Path) -> str:
    """Page of what draws an experiment's figures, function by function (markdown)."""
    source = module.read_text(encoding="utf-8")
    tree = ast.parse(source)
    lines = [f"# {experiment.name}.figures", "", ast.get_docstring(tree) or "", ""]
    lines += [f"From {module.relative_to(module.parents[4]).as_posix()}.", ""]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            lines += [f"## {node.name}", "", "```python", ast.get_source_segment(source, node), "```", ""]
    return "\n".join(lines)


def claims(judged: Judged) -> str:
    """Page of all claims, a row for each and each size of training (markdown, whose table is HTML)."""
    rows = [row(judged, claim, profile) for claim in judged.claims for profile in SIZES]
    head = "".join(f"<th>{column}</th>" for column in COLUMNS)
    filters = [
        choice("verdict", MARKS.values()),
        choice("size", SIZES.values(), "trained at"),
        choice("notebook", dict.fromkeys(claim.notebook for claim in judged.claims)),
        '<label>text <input type="search" data-filter="text"></label><output aria-live="polite"></output>',
    ]
    return "\n".join(
        [
            "---\nhide-toc: true\n---\n\n# Claims\n",
            judged.summary(),
            "\nEach claim has a rule, fixed before any run. [What the verdicts mean](docs/what_holds.md).\n",
            "```{raw} html",
            f'<form class="claims-filter">{"".join(filters)}</form>',
            f'<div class="table-wrapper"><table class="claims"><thead><tr>{head}</tr></thead><tbody>',
            *rows,
            '</tbody></table></div>\n<script src="_static/claims.js"></script>\n```\n',
        ]
    )


def row(judged: Judged, claim: Claim, profile: str) -> str:
    """HTML of a claim's row; none where it was not judged."""
    found = judged.rows[profile].get(claim.id)
    if not found:
        return ""
    added = f" (added {claim.added})" if claim.added else ""
    ours = escape(numbers(claim, str(found["ours"]).split("; ")))
    cells = [
        f'<a href="notebooks/{claim.notebook.removesuffix(".ipynb")}.html">{claim.id}</a>',
        f"<b>{escape(claim.claim)}</b><br>{escape(claim.rule)}{added}",
        escape(str(claim.paper)),
        f"<b>{ours}</b><br>{escape(outcome(found, '').split(' | ')[0])}",
        escape(SIZES[profile]),
        escape(MARKS[found["verdict"]]),
    ]
    data = {"verdict": MARKS[found["verdict"]], "size": SIZES[profile], "notebook": claim.notebook}
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    told = [f'<td data-column="{column}">{cell}</td>' for column, cell in zip(COLUMNS, cells, strict=True)]
    return f"<tr {attributes}>{''.join(told)}</tr>"


def choice(name: str, values: Iterable[str], told: str | None = None) -> str:
    """HTML of a filter of the table's rows by their data-<name>."""
    options = "".join(f"<option>{escape(value)}</option>" for value in values)
    return f'<label>{told or name} <select data-filter="{name}"><option value="">all</option>{options}</select></label>'
