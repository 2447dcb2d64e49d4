import subprocess
from types import SimpleNamespace

import nbformat
import pytest

from clones import ROOT
from randformer.experiments import registry
from randformer.harness.checks import BadInput
from randformer.site import __main__ as site


def test_all_that_the_site_is_made_of_is_gathered(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "of an older build.md").touch()
    site.gather(folder)
    assert not (folder / "of an older build.md").exists()
    index = (folder / "index.md").read_text(encoding="utf-8")
    assert "claims hold**" in index
    assert "$q = 1$" in index
    listed = [line for line in index.splitlines() if line.startswith(("notebooks/", "code/", "docs/", "benchmarks/"))]
    for page in listed:
        assert (folder / f"{page}.md").exists() or (folder / f"{page}.ipynb").exists(), page
    for page in ("docs", "notebooks"):
        there = [path for path in (ROOT / page).glob("*.*") if path.suffix in (".md", ".ipynb")]
        assert {f"{page}/{path.stem}" for path in there} <= set(listed)
    for each in registry.experiments().values():
        nbformat.validate(nbformat.read(folder / "notebooks" / each.notebook, as_version=4))
    assert (folder / "static" / "networks.js").stat().st_size < 1e6
    assert (folder / "extra" / "figures" / "laptop" / "figure_1b.csv").exists()


@pytest.fixture
def built(monkeypatch):
    """Commands that are run instead of run, each with success, and what is gathered instead of anything."""
    commands = []
    monkeypatch.setattr(site, "gather", lambda folder: None)
    monkeypatch.setattr(site, "replace_folder", lambda new, old: commands.append([new, old]))
    monkeypatch.setattr(site.cases, "cases", dict)
    run = lambda command, **how: commands.append(command) or SimpleNamespace(returncode=3)  # noqa: E731
    monkeypatch.setattr(site, "subprocess", SimpleNamespace(**vars(subprocess) | {"run": run}))
    return commands


def test_the_environment_is_made_the_site_built_and_put_in_place(built, capsys):
    assert site.main([]) == 0
    made, sphinx, placed = built
    assert made[1:] == [ROOT / "make_venv.py", "--site"]
    assert sphinx[:3] == [site.PYTHON, "-m", "sphinx"]
    assert "-W" in sphinx
    assert placed == [sphinx[-1], ROOT / "site"]
    assert capsys.readouterr().out.startswith("site/ is built (")


def test_a_check_ends_as_its_tests_do(built, monkeypatch, tmp_path):
    monkeypatch.setattr(site, "WORK", tmp_path)
    assert site.main(["--check"]) == 3
    assert built[-1][:3] == [site.PYTHON, "-m", "pytest"]


def test_what_sphinx_refuses_leaves_the_old_site(built, monkeypatch):
    def fails(command, **how):
        raise subprocess.CalledProcessError(2, command)

    monkeypatch.setattr(site.subprocess, "run", fails)
    assert site.main([]) == 2
    assert built == []


def test_what_is_wrong_is_told_in_a_line(built, monkeypatch, capsys):
    assert site.main(["--chek"]) == 2
    told = "randformer: unrecognized arguments: --chek; --help lists what is allowed\n"
    assert capsys.readouterr().err == told

    def refuses(folder):
        raise BadInput("claims.csv is damaged")

    monkeypatch.setattr(site, "gather", refuses)
    assert site.main([]) == 2
    assert capsys.readouterr().err == "randformer: claims.csv is damaged\n"
