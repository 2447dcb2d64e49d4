"""Builds the website from what is stored, in site/, without network; run_all.sh --site calls it.

    python -m randformer.site [--check]

--check looks at it in a headless Chromium afterwards (tests/site/test_browser.py). Exit status: 0 done, 1 something
failed, 2 bad input.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from string import Template

import nbformat

from randformer.__main__ import Parser
from randformer.experiments import registry
from randformer.harness.checks import BadInput
from randformer.harness.files import CACHE, ROOT, discard, needs_clone, replace_folder
from randformer.harness.records import RecordError
from randformer.report import claims, readme
from randformer.site import cases, networks, pages

SOURCE = ROOT / "docs" / "site"
PYTHON = ROOT / ".venv-site" / "bin" / "python"
WORK = CACHE / "site"  # what Sphinx reads and writes, and what Chromium is asked
SITE = ROOT / "site"


def main(arguments: list[str] | None = None) -> int:
    parser = Parser(prog="run_all.sh --site", description="Build the website in site/.", allow_abbrev=False)
    parser.add_argument("--check", action="store_true", help="look at it in a headless Chromium afterwards")
    began = time.monotonic()
    try:
        asked = parser.parse_args(arguments)
        needs_clone()
        subprocess.run([sys.executable, ROOT / "make_venv.py", "--site"], check=True)
        gather(WORK / "source")
        build(WORK / "source", SITE)
        print(
            f"site/ is built ({time.monotonic() - began:.0f} s): open site/index.html, or python -m http.server -d site"
        )
        return check() if asked.check else 0
    except (BadInput, RecordError) as error:
        print(f"randformer: {error}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        return error.returncode


def gather(folder: Path) -> None:
    """Write all that Sphinx needs into a folder, whose old content goes."""
    discard(folder)
    shutil.copytree(SOURCE, folder)
    (folder / "static" / "networks.js").write_text(networks.script(), encoding="utf-8")
    for name in ("docs", "benchmarks"):
        (folder / name).mkdir()
        for page in (ROOT / name).glob("*.*"):
            shutil.copy(page, folder / name)
    for where in (folder / "extra", folder):
        shutil.copytree(ROOT / pages.FIGURES, where / pages.FIGURES)

    own = [each for each in registry.experiments().values() if each.path.parent == ROOT / "notebooks"]
    judged = readme.Judged(own, {profile: claims.read(profile) for profile in readme.SIZES})
    drawn, coded = [], []
    for name in ("notebooks", "code"):
        (folder / name).mkdir()
    for experiment in own:
        content, here = pages.notebook(experiment)
        nbformat.write(content, folder / "notebooks" / experiment.notebook)
        drawn += here
        if here:
            module = Path(experiment.part("figures").__file__)
            (folder / "code" / f"{experiment.name}.md").write_text(pages.code(experiment, module), encoding="utf-8")
            coded.append(f"code/{experiment.name}")
    (folder / "figures.md").write_text(pages.gallery(drawn), encoding="utf-8")
    (folder / "claims.md").write_text(pages.claims(judged), encoding="utf-8")
    listed = "\n".join(f"notebooks/{each.notebook.removesuffix('.ipynb')}" for each in own)
    index = Template((folder / "index.md").read_text(encoding="utf-8"))
    text = index.substitute(summary=judged.summary(), notebooks=listed, code="\n".join(coded))
    (folder / "index.md").write_text(text, encoding="utf-8")


def build(source: Path, site: Path) -> None:
    """Let Sphinx make the site of a folder; what it warns of is an error. An old site stays until the new one is."""
    building = WORK / "building"
    discard(building)
    quiet = ["-q", "-j", "auto", "-W", "--keep-going", "-d", WORK / "doctrees"]
    subprocess.run([PYTHON, "-m", "sphinx", "-b", "html", *quiet, source, building], check=True)
    replace_folder(building, site)


def check() -> int:
    """Have the site looked at in Chromium: pytest's exit status."""
    discard(WORK / "failed")
    (WORK / "cases.json").write_text(json.dumps(cases.cases()), encoding="utf-8")
    environment = os.environ | {"RANDFORMER_SITE": str(SITE), "RANDFORMER_CASES": str(WORK / "cases.json")}
    tests = [ROOT / "tests" / "site" / "test_browser.py", "--noconftest", "-rs", "-p", "no:cacheprovider"]
    return subprocess.run([PYTHON, "-m", "pytest", *tests], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
