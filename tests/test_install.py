"""The library where pip puts it, without the repository around it."""

import shutil
import subprocess
import sys

import pytest
import yaml

from clones import ROOT

ASKED = "import randformer; print(randformer.load('coloring'))"


@pytest.fixture
def installed(tmp_path):
    """Answer of Python, started in a folder, with the library in site-packages."""
    packages = tmp_path / "site-packages"
    shutil.copytree(ROOT / "lib" / "randformer", packages / "randformer", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {"PYTHONPATH": str(packages), "PATH": "/usr/bin:/bin"}

    def python(folder, *arguments):
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False)

    return python


def test_it_finds_the_records_of_the_clone_in_which_it_is_started(installed):
    done = installed(ROOT, "-c", ASKED)
    assert done.stdout == "coloring A_R^q n=10 q=10 m=10 steps=16000 batch=64 run=0, 2291 parameters\n", done.stderr


@pytest.mark.parametrize("command", [["-c", ASKED], ["-m", "randformer"], ["-m", "randformer.site"]])
def test_it_says_in_a_line_where_records_are(installed, tmp_path, command):
    (tmp_path / "elsewhere").mkdir()
    done = installed(tmp_path / "elsewhere", *command)
    assert done.returncode != 0
    told = f"no records in {tmp_path}/elsewhere: start Python in a clone of the repository, which has them in results/"
    assert done.stderr.strip().splitlines()[-1].endswith(told)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_whoever_cites_it_names_the_paper_too():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    (paper,) = citation["references"]
    assert paper["url"].endswith("2408.10818")
    assert len(paper["authors"]) == 4
