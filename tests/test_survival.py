"""The harm that a long computation meets: kills at any moment, a full disk. What is recorded afterwards is the same."""

import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from clones import contents, finish, python

# Six runs of some seconds, in one process with a checkpoint at every point of a short loss history; dies at the n-th
# flush to the disk where asked to, which is in the middle of writing a checkpoint, a record or an evaluation. Patches
# do not reach worker processes; where there may be any, this one, which does what only one job is left of, has none.
TRAIN = """
import os, signal, sys
from dataclasses import replace
from randformer.experiments.coloring import sweep
from randformer.core import training
from randformer.harness import workers

if sys.argv[2] == "1":
    training.CHECKPOINT_SECONDS = 0
    training.HISTORY = 10
die_at, fsync, flushed = int(sys.argv[1]), os.fsync, [0]


def flush(descriptor):
    flushed[0] += 1
    if flushed[0] == die_at:
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(descriptor)


os.fsync = flush
runs = sweep.runs("smoke")["sweep"][: int(sys.argv[3])]
runs = [replace(run, training=replace(run.training, steps=400)) for run in runs]
with workers.exclusive_lock():
    outcome = workers.ensure_records("smoke", runs, jobs=int(sys.argv[2]))
print(f"{flushed[0]} flushes", len(outcome.failed), "failed")
sys.exit(bool(outcome.failed))
"""


def train(clone, die_at: int = 0, jobs: int = 1, runs: int = 6):
    return python(clone, "-c", TRAIN, str(die_at), str(jobs), str(runs))


def records_of(clone) -> dict[str, bytes]:
    return contents(clone / "results", but=("provenance.json",))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A clone in which the training ran through, the flushes to disk it took, and its seconds."""
    from clones import ROOT

    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(ROOT / "lib", folder / "lib", ignore=shutil.ignore_patterns("*.pyc", "*.egg-info"))
    began = time.monotonic()
    status, out, err = finish(train(folder))
    assert status == 0, err
    return folder, int(out.split()[0]), time.monotonic() - began


def test_the_same_command_in_two_folders_gives_the_same_bytes(undisturbed, clone):
    status, _, _ = finish(train(clone))
    assert status == 0
    assert records_of(clone) == records_of(undisturbed[0])
    assert len(records_of(clone)) == 6 * 3


@pytest.mark.parametrize("moment", range(3))
def test_killed_at_a_random_moment_it_ends_with_the_same_bytes(undisturbed, clone, moment):
    reference, _, seconds = undisturbed
    process = train(clone)
    time.sleep(random.Random(moment).uniform(0.4, 1) * seconds)
    process.kill()
    finish(process)
    status, _, err = finish(train(clone))
    assert status == 0, err
    assert records_of(clone) == records_of(reference)
    assert not list(clone.rglob("*.tmp"))


def test_two_processes_killed_with_their_parent_end_with_the_same_bytes(undisturbed, clone):
    assert finish(train(clone, jobs=2))[0] == 0
    reference = records_of(clone)
    for moment in range(3):
        shutil.rmtree(clone / "results")
        process = train(clone, jobs=2)
        time.sleep(random.Random(moment).uniform(0.6, 1.5) * undisturbed[2])
        process.kill()
        finish(process)
        status, _, err = finish(train(clone, jobs=2))
        assert status == 0, err
        assert records_of(clone) == reference


def test_a_worker_that_is_killed_fails_no_run(clone):
    """One of two is killed as soon as it is there: its job is begun again, and the other's go on."""
    assert finish(train(clone, jobs=2))[0] == 0
    reference = records_of(clone)
    shutil.rmtree(clone / "results")
    process = train(clone, jobs=2)
    while not (found := spawned(process.pid)) and process.poll() is None:
        time.sleep(0.02)
    os.kill(found[0], signal.SIGKILL)
    status, out, err = finish(process)
    assert status == 0, err
    assert "0 failed" in out
    assert records_of(clone) == reference


def spawned(pid: int) -> list[int]:
    """Worker processes of a process."""
    lines = os.popen(f"ps -ww -o pid=,args= --ppid {pid}").read().splitlines()
    return [int(line.split()[0]) for line in lines if "spawn_main" in line]


@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.85, 1.0])
def test_killed_while_a_file_is_being_written_it_ends_with_the_same_bytes(undisturbed, clone, part):
    """Flushes happen between opening a temporary file and renaming it. Killed twice, the second time soon after."""
    reference, flushes, _ = undisturbed
    for die_at in (max(3, round(part * flushes)), 5):
        status, _, _ = finish(train(clone, die_at))
        assert status in (-signal.SIGKILL, 0)
    status, _, err = finish(train(clone))
    assert status == 0, err
    assert records_of(clone) == records_of(reference)
    assert not list(clone.rglob("*.tmp"))


def mount(folder, size: str, *options: str) -> bool:
    """Whether a file system of that size could be mounted there; that takes root."""
    command = ["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *options]), "tmpfs", folder]
    return bool(shutil.which("mount")) and not subprocess.run(command, capture_output=True, check=False).returncode


def test_a_full_disk_is_told_and_leaves_earlier_records_intact(clone):
    """Three runs are recorded; then there is room for one more file of 4 KiB only."""
    results = clone / "results"
    results.mkdir()
    if not mount(results, "16m"):
        pytest.skip("mounting a small file system takes root")
    try:
        status, _, _ = finish(train(clone, runs=3))
        assert status == 0
        before = contents(results)
        used = shutil.disk_usage(results).used
        assert mount(results, str(used + 4096), "remount")
        status, out, err = finish(train(clone))
        assert status == 1
        assert "3 failed" in out
        assert "Traceback" not in err
        assert contents(results) == before
        code = (
            "from randformer.__main__ import main; raise SystemExit(main(['--profile', 'smoke', '--only', 'coloring']))"
        )
        status, out, err = finish(python(clone, "-c", code))
        assert status == 1
        assert "the disk is full, at " in out
        assert "Traceback" not in err
        assert contents(results) == before
    finally:
        subprocess.run(["umount", results], check=True)
