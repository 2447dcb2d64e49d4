"""Make .venv from requirements.txt, once, also when two commands start at once. Needs the standard library only."""

import fcntl
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)


def main() -> int:
    if sys.version_info < OLDEST:
        print(f"run_all.sh: Python {sys.version.split()[0]} is too old, 3.11 or newer is needed", file=sys.stderr)
        return 2
    environment, done = ROOT / ".venv", ROOT / ".venv" / "made-from-requirements.txt"
    wanted = f"{ROOT}\n" + (ROOT / "requirements.txt").read_text()  # a moved clone needs a new one
    with open(ROOT / "requirements.txt") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second command waits here until the first has made the environment
        if done.exists() and done.read_text() == wanted:
            return 0
        print("making .venv from requirements.txt (about a minute) ...", flush=True)
        try:
            venv.create(environment, with_pip=True, clear=True)
            pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "-r", ROOT / "requirements.txt", "-e", ROOT], check=True)
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"run_all.sh: could not make .venv: {error}", file=sys.stderr)
            return 1
        done.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
