"""Make .venv from requirements.txt, once, also when two commands start at once. Needs the standard library only.

python3 make_venv.py            make it, or make it anew where it does not serve
python make_venv.py --check     say in one line why the Python that runs this does not serve; status 1 then
"""

import importlib.metadata
import importlib.util
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
IMPORTED = (
    "torch",
    "pandas",
    "matplotlib",
    "randformer.__main__",
    "randformer.report.notebooks",
)  # what may be there and broken


def lacking() -> str | None:
    """What the Python that runs this lacks, in a few words; None where it has all that our commands need."""
    if sys.version_info < OLDEST:
        return f"Python {sys.version.split()[0]} is too old, 3.11 or newer is needed"
    names = [line.split("==")[0] for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").split()]
    there = {distribution.name.lower().replace("_", "-") for distribution in importlib.metadata.distributions()}
    if absent := [name for name in names if name.lower().replace("_", "-") not in there]:
        return f"it lacks {', '.join(absent[:3])}" + (f" and {len(absent) - 3} more" if len(absent) > 3 else "")
    sys.path.insert(0, str(ROOT / "lib"))
    for name in IMPORTED:
        try:
            importlib.import_module(name)
        except Exception as error:  # of a library of the system that is not there, for one
            why = str(error).strip() or type(error).__name__
            return f"{name} cannot be imported in it ({why.splitlines()[-1]})"
    return None


def refused(python: Path) -> str | None:
    """What another Python lacks; None where it serves."""
    try:
        done = subprocess.run([python, __file__, "--check"], capture_output=True, check=False)
    except OSError as error:
        return f"{python} cannot be run ({error.strerror})"
    said = done.stdout.decode("utf-8", "replace").strip().splitlines()
    return None if done.returncode == 0 else (said or [f"{python} ends with status {done.returncode}"])[-1]


def main() -> int:
    if sys.version_info < OLDEST:
        return told(2, lacking())
    sys.path.insert(0, str(ROOT / "lib"))
    from randformer.harness.locks import lock

    environment, done = ROOT / ".venv", ROOT / ".venv" / "made-from-requirements.txt"
    wanted = f"{ROOT}\n" + (ROOT / "requirements.txt").read_text(encoding="utf-8")  # a moved clone needs a new one
    with open(ROOT / "requirements.txt", encoding="utf-8") as file:
        lock(file, lambda: "another command is making .venv; waiting for it to end")
        if done.exists() and done.read_text(encoding="utf-8", errors="replace") == wanted:
            why = refused(environment / "bin" / "python")
            if why is None:
                return 0
            print(f".venv does not serve: {why}", flush=True)
        if importlib.util.find_spec("ensurepip") is None:
            return told(2, "this Python cannot make environments: install ensurepip (Debian: apt install python3-venv)")
        print("making .venv from requirements.txt (about a minute) ...", flush=True)
        try:
            venv.create(environment, with_pip=True, clear=True)
            pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "-r", ROOT / "requirements.txt", "-e", ROOT], check=True)
        except (subprocess.CalledProcessError, OSError, ValueError) as error:
            return told(1, f"could not make .venv: {error}")
        if why := refused(environment / "bin" / "python"):
            return told(2, f".venv was made and does not serve: {why}")
        done.write_text(wanted, encoding="utf-8")
    return 0


def told(status: int, what: str) -> int:
    print(f"run_all.sh: {what}", file=sys.stderr)
    return status


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        lacks = lacking()
        print(lacks or "", end="")
        sys.exit(bool(lacks))
    sys.exit(main())
