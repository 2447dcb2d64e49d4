"""Make .venv from requirements.txt, once, also when two commands start at once. Needs the standard library only.

python3 make_venv.py            make it, or make it anew where it does not serve
python make_venv.py --check     say in one line why the Python that runs this does not serve; status 1 then

With --site the same of .venv-site, from docs/site/requirements.txt: what builds the website and looks at it.
"""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
TRAINING = ".venv"
SITE = ".venv-site"
REQUIREMENTS = {TRAINING: ROOT / "requirements.txt", SITE: ROOT / "docs" / "site" / "requirements.txt"}
OURS = {TRAINING: ["-e", ROOT], SITE: []}  # installed besides
IMPORTED = {  # what may be there and broken
    TRAINING: ("torch", "pandas", "matplotlib", "randformer.__main__", "randformer.report.notebooks"),
    SITE: ("sphinx", "myst_nb", "furo", "playwright.sync_api"),
}


def lacking(which: str = TRAINING) -> str | None:
    """What the Python that runs this lacks, in a few words; None where it has all that our commands need."""
    if sys.version_info < OLDEST:
        return f"Python {sys.version.split()[0]} is too old, 3.11 or newer is needed"
    names = [line.split("==")[0] for line in REQUIREMENTS[which].read_text(encoding="utf-8").split()]
    there = {distribution.name.lower().replace("_", "-") for distribution in importlib.metadata.distributions()}
    if absent := [name for name in names if name.lower().replace("_", "-") not in there]:
        return f"it lacks {', '.join(absent[:3])}" + (f" and {len(absent) - 3} more" if len(absent) > 3 else "")
    sys.path.insert(0, str(ROOT / "lib"))
    for name in IMPORTED[which]:
        try:
            importlib.import_module(name)
        except Exception as error:  # of a library of the system that is not there, for one
            why = str(error).strip() or type(error).__name__
            return f"{name} cannot be imported in it ({why.splitlines()[-1]})"
    return None


def refused(python: Path, which: str = TRAINING) -> str | None:
    """What another Python lacks; None where it serves."""
    asked = ["--check", "--site"] if which == SITE else ["--check"]
    try:
        done = subprocess.run([python, __file__, *asked], capture_output=True, check=False)
    except OSError as error:
        return f"{python} cannot be run ({error.strerror})"
    said = done.stdout.decode("utf-8", "replace").strip().splitlines()
    return None if done.returncode == 0 else (said or [f"{python} ends with status {done.returncode}"])[-1]


def main(which: str = TRAINING) -> int:
    if sys.version_info < OLDEST:
        return told(2, lacking(which))
    sys.path.insert(0, str(ROOT / "lib"))
    from randformer.harness.locks import lock

    requirements, environment = REQUIREMENTS[which], ROOT / which
    done, source = environment / "made-from-requirements.txt", requirements.relative_to(ROOT)
    wanted = f"{ROOT}\n" + requirements.read_text(encoding="utf-8")  # a moved clone needs a new one
    with open(requirements, encoding="utf-8") as file:
        lock(file, lambda: f"another command is making {which}; waiting for it to end")
        if done.exists() and done.read_text(encoding="utf-8", errors="replace") == wanted:
            why = refused(environment / "bin" / "python", which)
            if why is None:
                return 0
            print(f"{which} does not serve: {why}", flush=True)
        if importlib.util.find_spec("ensurepip") is None:
            return told(2, "this Python cannot make environments: install ensurepip (Debian: apt install python3-venv)")
        print(f"making {which} from {source} (about a minute) ...", flush=True)
        try:
            venv.create(environment, with_pip=True, clear=True)
            pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            apart = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # where pip sees ours
            subprocess.run([*pip, "-r", requirements, *OURS[which]], check=True, env=apart)
        except (subprocess.CalledProcessError, OSError, ValueError) as error:
            return told(1, f"could not make {which}: {error}")
        if why := refused(environment / "bin" / "python", which):
            return told(2, f"{which} was made and does not serve: {why}")
        done.write_text(wanted, encoding="utf-8")
    return 0


def told(status: int, what: str) -> int:
    print(f"run_all.sh: {what}", file=sys.stderr)
    return status


if __name__ == "__main__":
    which = SITE if "--site" in sys.argv[1:] else TRAINING
    if "--check" in sys.argv[1:]:
        lacks = lacking(which)
        print(lacks or "", end="")
        sys.exit(bool(lacks))
    sys.exit(main(which))
