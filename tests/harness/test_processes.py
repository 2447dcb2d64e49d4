import ctypes
import multiprocessing
import os
import signal
import sys
import time

import pytest

from clones import finish, python
from randformer.harness.processes import UNWATCHED, Killed, each, progress


def square(job: int, tick) -> int:
    tick(1)
    if job < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if job == 13:
        raise ValueError("unlucky")
    return job**2


@pytest.mark.parametrize("count", [1, 2])
def test_every_job_is_done_once_and_progress_adds_up(count):
    ticks = []
    done = dict(each(square, [1, 2, 3, 4], count, ticks.append))
    assert done == {1: 1, 2: 4, 3: 9, 4: 16}
    assert sum(ticks) <= 4
    if count == 1:
        assert sum(ticks) == 4


def test_a_process_that_is_killed_is_told_as_its_jobs_result():
    done = dict(each(square, [2, -1], 2, lambda amount: None))
    assert isinstance(done[-1], Exception)


def deadly(job: tuple, tick) -> int:
    """A job of a number, a folder and how many of its tries are killed; counts them."""
    number, folder, deaths = job
    tick(10)
    tries = len(list(folder.glob(f"{number}-*")))
    (folder / f"{number}-{tries}").touch()
    if tries < deaths:
        while len(list(folder.iterdir())) < 2:  # the others are at work
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.02)
    return number


@pytest.mark.parametrize("deaths", [1, 2])
def test_only_the_job_whose_process_is_killed_is_tried_again_and_only_once(tmp_path, deaths):
    ticks, jobs = [], [(number, tmp_path, deaths if number == 1 else 0) for number in range(8)]
    done = dict(each(deadly, jobs, 2, ticks.append))
    assert len(done) == len(jobs)
    assert [job[0] for job, result in done.items() if isinstance(result, Killed)] == ([1] if deaths == 2 else [])
    assert all(job[0] == result for job, result in done.items() if not isinstance(result, Killed))
    tries = [len(list(tmp_path.glob(f"{number}-*"))) for number in range(8)]
    assert tries == [1, 2, 1, 1, 1, 1, 1, 1]
    assert sum(ticks) == 10 * (8 if deaths == 1 else 7)


def test_left_early_it_ends_its_processes():
    found = each(square, [1, 2, 3, 4], 2, lambda amount: None)
    next(found)
    found.close()
    assert multiprocessing.active_children() == []


def test_an_error_that_work_did_not_catch_is_raised():
    with pytest.raises(ValueError, match="unlucky"):
        list(each(square, [1, 13], 2, lambda amount: None))


def test_shared_memory_is_not_needed(monkeypatch):
    """Where /dev/shm cannot be written there are no semaphores."""

    def refused(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("_multiprocessing.SemLock", refused)
    assert dict(each(square, [1, 2], 2, lambda amount: None)) == {1: 1, 2: 4}


def test_a_script_without_main_guard_is_told(clone):
    """Its workers read it, and would train in their turn."""
    code = (
        "from randformer.harness import processes\nimport os\nlist(processes.each(os.fspath, ['a', 'b'], 2, print))\n"
    )
    (clone / "script.py").write_text(code, encoding="utf-8")
    status, _, err = finish(python(clone, "script.py"))
    assert status == 1
    assert err.count("Traceback") == 1
    assert err.splitlines()[-1].startswith(
        "randformer.harness.checks.BadInput: the worker processes ended before they began: "
    )
    assert "if __name__ == '__main__':" in err.splitlines()[-1]


def test_a_bar_says_when_only_evaluations_are_left(capsys):
    with progress(10, "step") as bar:
        bar.update(9)
        assert "evaluating" not in capsys.readouterr().err
        bar.update(1)
        assert "evaluating: 100%" in capsys.readouterr().err
    with progress(0, "step"):
        assert "evaluating" in capsys.readouterr().err


def test_a_notebooks_bar_moves_before_a_readers_eyes_and_seldom_where_a_program_executes_it(monkeypatch):
    monkeypatch.delenv(UNWATCHED, raising=False)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    with progress(10, "step") as bar:
        assert bar.mininterval == 60
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    with progress(10, "step") as bar:
        assert bar.mininterval == 0.5
    monkeypatch.setenv(UNWATCHED, "1")
    with progress(10, "step") as bar:
        assert bar.mininterval == 60


def test_progress_needs_no_standard_error(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    with progress(10, "step") as bar:
        bar.update(1)


def test_workers_end_with_their_parent(clone):
    """The runner is killed while two workers train for long: they notice and end."""
    code = (
        "from dataclasses import replace; from randformer.harness import workers\n"
        "from randformer.experiments.coloring.sweep import runs as coloring\n"
        "runs = coloring('smoke')['sweep']\n"
        "runs = [replace(run, training=replace(run.training, steps=10**6)) for run in runs]\n"
        "workers.ensure_records('smoke', runs, jobs=2)"
    )
    (clone / "long.py").write_text(f"if __name__ == '__main__':\n    exec({code!r})\n", encoding="utf-8")
    process = python(clone, "long.py")
    deadline = time.monotonic() + 60
    while len(children := descendants(process.pid)) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(6)  # they have imported torch and train
    os.kill(process.pid, signal.SIGKILL)
    finish(process)
    deadline = time.monotonic() + 60
    while any(alive(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(alive(pid) for pid in children)


def descendants(pid: int) -> list[int]:
    listed = os.popen(f"ps -o pid= --ppid {pid}").read().split()
    return [int(child) for child in listed] + [d for child in listed for d in descendants(int(child))]


def alive(pid: int) -> bool:
    state = os.popen(f"ps -o stat= -p {pid}").read().strip()
    return bool(state) and not state.startswith("Z")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="not glibc")
def test_a_process_that_trains_keeps_what_it_frees(clone):
    """Resident memory, in MiB, with 256 MiB in use and after they were freed."""
    code = """
import re, torch
from randformer.harness.processes import configure_process
configure_process()
resident = lambda: int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status", encoding="utf-8").read())[1]) // 1024
held = torch.ones(2**26)
print(resident())
del held
print(resident(), torch.get_num_threads())
"""
    _, out, _ = finish(python(clone, "-c", code))
    used, kept, threads = map(int, out.split())
    assert kept > used - 10
    assert threads == 1
