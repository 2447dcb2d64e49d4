"""A real Dask cluster on this machine: two worker processes, on a clone whose files the client does not share."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from distributed import Client, KilledWorker

from clones import ROOT, contents, copied, finish, python
from helpers import tiny
from randformer.harness import cluster, jobs, workers
from randformer.harness.checks import BadInput
from randformer.harness.jobs import Job
from randformer.harness.workers import Outcome, ensure_records
from randformer.problems.coloring.task import Coloring

WORKERS = """
import sys
import dask
from distributed import LocalCluster

dask.config.set({"distributed.scheduler.allowed-failures": 1})
if __name__ == "__main__":
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "memory_limit": 0}
    with LocalCluster(**options, host="127.0.0.1", dashboard_address=None, local_directory="scratch") as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""
LONG = [tiny(steps=400, batch=batch) for batch in (15, 16, 17)]  # three jobs: they differ in more than q and number


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """The workers' clone, with a checkpoint at every point of a loss history; and their scheduler's address."""
    clone = copied(tmp_path_factory.mktemp("workers"))
    training = clone / "lib" / "randformer" / "core" / "training.py"
    training.write_text(
        training.read_text(encoding="utf-8").replace("CHECKPOINT_SECONDS = 15.0", "CHECKPOINT_SECONDS = 0.0"),
        encoding="utf-8",
    )
    (clone / "workers.py").write_text(WORKERS, encoding="utf-8")
    process = python(clone, "workers.py", stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    yield clone, process.stdout.readline().strip()
    finish(process)


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    """The client's records and checkpoints."""
    monkeypatch.setattr(workers, "ROOT", tmp_path / "here")
    for module in (jobs, workers):
        monkeypatch.setattr(module, "CACHE", tmp_path / "here" / ".cache")
    return tmp_path / "here"


def records_of(clone) -> dict[str, bytes]:
    return contents(clone / "results", but=("provenance.json",))


def test_a_killed_worker_leaves_the_same_bytes_as_training_here(there, here, tmp_path, monkeypatch):
    """Killed while both workers train, after each has saved a checkpoint: no job begins at its first step twice."""
    clone, address = there
    with ThreadPoolExecutor(1) as pool, Client(address, set_as_default=False) as client:
        outcome = pool.submit(ensure_records, "smoke", LONG, scheduler=address)
        while len(list(clone.glob(".cache/*.checkpoint"))) < 2 and not outcome.done():
            time.sleep(0.02)
        assert not outcome.done(), outcome.exception()
        pids = set(client.run(os.getpid).values())
        assert len(pids) == 2
        os.kill(min(pids), signal.SIGKILL)
        assert sorted(map(str, outcome.result().trained)) == sorted(map(str, LONG))
        told = [message for events in client.get_events().values() for _, message in events]
        last = dict(message for message in told if isinstance(message, (list, tuple)))  # {job: sequences it trained}
        assert len(last) == len(LONG)
        (again,) = set(last.values()) - {run.cost for run in LONG}  # the one that went on from a checkpoint
        assert again < max(run.cost for run in LONG)
    assert list(clone.glob("results")) == list(clone.glob(".cache/*.checkpoint")) == []
    monkeypatch.setattr(workers, "ROOT", tmp_path / "reference")
    ensure_records("smoke", LONG, jobs=1)
    assert records_of(here) == records_of(tmp_path / "reference")
    assert len(records_of(here)) == 3 * len(LONG)


def test_what_is_there_is_reused_and_an_evaluation_made_without_training(there, here):
    runs = [tiny(0), tiny(1), tiny(0, fixed=True)]
    assert len(ensure_records("smoke", runs, scheduler=there[1]).trained) == 3
    before = contents(here)
    (workers.folder("smoke", runs[1]) / "evaluation.json").unlink()
    assert ensure_records("smoke", runs, scheduler=there[1]) == Outcome(reused=runs[::2], evaluated=[runs[1]])
    assert contents(here) == before


def test_a_run_that_diverges_on_a_worker_is_named_and_the_others_are_recorded(there):
    runs = [tiny(0), tiny(0, learning_rate=1e30)]
    outcome = ensure_records("smoke", runs, scheduler=there[1])
    assert outcome.trained == runs[:1]
    assert list(outcome.failed) == runs[1:]
    assert "the loss is not a number at step " in outcome.failed[runs[1]]


def test_left_early_it_cancels_its_jobs_and_frees_the_workers(there, here):
    asked = [Job(here / "results", (run,), "cpu", True) for run in (tiny(), tiny(steps=50_000))]
    found = workers.each(asked, 0, "cpu", there[1], lambda amount: None)
    assert next(found) == (asked[0], {})
    found.close()
    with Client(there[1], set_as_default=False) as client:
        for worker in client.nthreads():
            client.submit(os.getpid, workers=[worker], pure=False).result(timeout=120)


def test_a_worker_with_other_numerics_is_named(there, monkeypatch):
    monkeypatch.setattr(Coloring, "NUMERICS", 0)
    with pytest.raises(BadInput, match=r"^worker tcp://127\.0\.0\.1:\d+: numerics = .*: give the cluster w"):
        ensure_records("smoke", [tiny()], scheduler=there[1])


def test_a_worker_that_comes_after_the_check_is_checked_with_its_first_job(there, monkeypatch):
    monkeypatch.setattr(Coloring, "NUMERICS", 0)
    with pytest.raises(BadInput, match=r"^worker tcp://127\.0\.0\.1:\d+: numerics = "):
        list(cluster.each(print, [1], there[1], cluster.needs("cpu", [tiny()]), lambda amount: None))


def test_a_gpu_is_asked_of_the_workers(there):
    with pytest.raises(BadInput, match=r"^worker tcp://.*: CUDA = False: give the cluster workers with True$"):
        workers.check("smoke", [tiny()], "cuda", there[1])


def test_a_worker_without_the_library_is_named(there, monkeypatch):
    monkeypatch.setattr(cluster, "TRAITS", "__import__('randfromer')")
    with pytest.raises(BadInput, match=r"^tcp://.* cannot use this library \(No module named 'randfromer'\): "):
        cluster.check(there[1], cluster.needs("cpu", []))


def test_a_job_that_ends_every_worker_it_is_given_to_yields_the_error(there):
    def deadly(job: int, tick):  # of no module, so that it travels whole
        os.kill(os.getpid(), signal.SIGKILL)

    ((job, error),) = cluster.each(deadly, [1], there[1], cluster.needs("cpu", []), lambda amount: None)
    assert job == 1
    assert isinstance(error, KilledWorker)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tcp://127.0.0.1:99999", "tcp://nowhere.invalid:8786"])
def test_an_address_where_no_scheduler_answers_is_told(monkeypatch, address):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    with pytest.raises(BadInput, match=rf"^scheduler = '{address}': give the address of a Dask scheduler, none "):
        ensure_records("smoke", [tiny()], scheduler=address)


def test_progress_of_a_job_begun_again_is_not_counted_twice():
    ticks = []
    heard = cluster.follow(ticks.append)
    for done in (10, 20, 5, 30):
        heard((0.0, [0, done]))
    heard((0.0, [1, 7]))
    assert sum(ticks) == 37


def test_dask_is_imported_only_where_a_cluster_is_asked_for():
    code = "import sys, randformer.harness.workers; print({'dask', 'distributed'} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "lib", capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.strip() == "set()"
