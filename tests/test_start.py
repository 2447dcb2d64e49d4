"""run_all.sh and make_venv.py: it works, or says in one line what is wrong and what to do."""

import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from types import SimpleNamespace

import pytest

from clones import ROOT


@pytest.fixture
def start(clone):
    """A clone with what starts it, and a .venv that has this Python's packages."""
    for name in ("run_all.sh", "make_venv.py", "requirements.txt"):
        shutil.copy(ROOT / name, clone)
    scripts = clone / ".venv" / "bin"
    scripts.mkdir(parents=True)
    for name in ("python", "python3"):
        (scripts / name).write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
        (scripts / name).chmod(0o755)
    (scripts / "activate").write_text(f"PATH={scripts}:$PATH\n", encoding="utf-8")
    wanted = f"{clone.resolve()}\n" + (ROOT / "requirements.txt").read_text(encoding="utf-8")
    (clone / ".venv" / "made-from-requirements.txt").write_text(wanted, encoding="utf-8")
    return clone


def run_all(path, *arguments: str, cwd=None, **environment: str) -> subprocess.CompletedProcess:
    """run_all.sh with a system's usual folders in PATH, and of all settings only those given."""
    environment = {"PATH": f"{os.path.dirname(sys.executable)}:/usr/bin:/bin"} | environment
    return subprocess.run(
        [path, *arguments], env=environment, cwd=cwd, capture_output=True, encoding="utf-8", check=False
    )


def test_an_active_environment_without_the_packages_is_not_used(start, tmp_path):
    """As conda's base environment is none for us."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "empty"], check=True)
    path = f"{tmp_path}/empty/bin:/usr/bin:/bin"
    asked = ("--only", "start", "--explain")
    done = run_all(start / "run_all.sh", *asked, PATH=path, CONDA_PREFIX=str(tmp_path / "empty"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("no runs to train")
    told = "run_all.sh: the active environment is not used, .venv is: it lacks anyio, argon2-cffi, argon2-cffi-bindings"
    assert done.stderr.startswith(told)
    assert done.stderr.count("\n") == 1


def test_it_runs_through_a_link_from_anywhere(start, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "all").symlink_to(start / "run_all.sh")
    done = run_all(tmp_path / "elsewhere" / "all", "--only", "start", "--explain", cwd=tmp_path / "elsewhere")
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_asked_is_looked_at_before_the_environment(start):
    """A slip costs no minute in which an environment is made."""
    shutil.rmtree(start / ".venv")
    (start / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "run.sh", start / "tests")
    usage = "usage: run_all.sh"
    for arguments, status, told in (
        (["--help"], 0, usage),
        (["--test", "--help"], 0, usage + " --test\nEverything that must pass"),
        (["--test", "all"], 2, "run_all.sh: --test takes nothing else, not 'all'\n"),
        (["--job", "2"], 2, "randformer: unrecognized arguments: --job 2; --help lists what is allowed\n"),
    ):
        done = run_all(start / "run_all.sh", *arguments)
        assert done.returncode == status, arguments
        assert (done.stdout if status == 0 else done.stderr).startswith(told)
    assert not (start / ".venv").exists()


def test_a_colon_in_the_path_and_no_python_are_told(start, tmp_path):
    folder = tmp_path / "a:b"
    folder.mkdir()
    shutil.copy(start / "run_all.sh", folder)
    done = run_all(folder / "run_all.sh")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "a:b has a colon in its path" in done.stderr
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "dirname", "readlink"):
        (tools / name).symlink_to(shutil.which(name))
    done = run_all(start / "run_all.sh", PATH=str(tools))
    assert (done.returncode, done.stderr) == (2, "run_all.sh: python3 is not there: install Python 3.11 or newer\n")


@pytest.fixture
def made(start, monkeypatch):
    """make_venv.py of the clone, which builds nothing and notes what it would."""
    spec = importlib.util.spec_from_file_location("make_venv", start / "make_venv.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "path", list(sys.path))
    built = []
    fake = {"create": lambda folder, **_: built.append(folder)}
    monkeypatch.setattr(module, "venv", SimpleNamespace(**vars(venv) | fake))
    monkeypatch.setattr(module, "refused", lambda *asked, refused=module.refused: None if built else refused(*asked))
    run = subprocess.run
    only_checks = lambda command, **how: None if "pip" in map(str, command) else run(command, **how)  # noqa: E731
    monkeypatch.setattr(module, "subprocess", SimpleNamespace(**vars(subprocess) | {"run": only_checks}))
    return module, built


def test_an_environment_that_serves_is_not_made_again(made):
    module, built = made
    assert (module.main(), built) == (0, [])


@pytest.mark.parametrize("broken", ["dangling", "a package is missing", "torch cannot be imported"])
def test_an_environment_that_does_not_serve_is_made_anew(made, start, capsys, broken):
    module, built = made
    python = start / ".venv" / "bin" / "python"
    if broken == "dangling":
        python.unlink()
        python.symlink_to("/no/python")
        told = "cannot be run (No such file or directory)"
    elif broken == "a package is missing":
        for path in (start / "requirements.txt", start / ".venv" / "made-from-requirements.txt"):
            path.write_text(path.read_text(encoding="utf-8") + "nosuchpackage==1\n", encoding="utf-8")
        told = "it lacks nosuchpackage"
    else:
        (start / "lib" / "torch.py").write_text("raise OSError('libgomp.so.1 is not there')", encoding="utf-8")
        told = "torch cannot be imported in it (libgomp.so.1 is not there)"
    assert module.main() == 0
    assert built == [start / ".venv"]
    assert f".venv does not serve: {told}" in capsys.readouterr().out.replace(f"{python} ", "")


def test_a_python_that_cannot_make_environments_is_told(made, monkeypatch, capsys):
    module, built = made
    (module.ROOT / ".venv" / "made-from-requirements.txt").unlink()
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    assert (module.main(), built) == (2, [])
    told = "this Python cannot make environments: install ensurepip (Debian: apt install python3-venv)"
    assert capsys.readouterr().err == f"run_all.sh: {told}\n"


@pytest.mark.skipif(not (shutil.which("git") and (ROOT / ".git").exists()), reason="not a git checkout")
def test_a_clone_has_the_same_bytes_wherever_git_would_change_ends_of_lines(tmp_path):
    clone = ["git", "-c", "core.autocrlf=true", "clone", "--quiet", "--depth", "1", ROOT.as_uri(), tmp_path / "clone"]
    subprocess.run(clone, check=True)
    assert b"\r" not in (tmp_path / "clone" / "run_all.sh").read_bytes()
    record = next((tmp_path / "clone" / "results").rglob("run.json"))
    assert b"\r" not in record.read_bytes()
