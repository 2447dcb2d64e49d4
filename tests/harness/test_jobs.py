import os
import shutil
import subprocess
from dataclasses import replace

import pytest
import torch

from clones import contents
from helpers import tiny
from randformer.harness import jobs, records
from randformer.harness.jobs import Job

RUNS = (tiny(0), tiny(1))


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(jobs, "CACHE", tmp_path / ".cache")
    return tmp_path


def test_a_job_done_afar_leaves_the_same_bytes_here(elsewhere):
    here, after = (Job(elsewhere / name, RUNS, "cpu", True) for name in ("here", "after"))
    assert jobs.attempt(here, lambda amount: None) == {}
    failed, files = jobs.work_remotely((replace(after, results=elsewhere / "unknown there"), {}), lambda amount: None)
    assert jobs.unpack(after, failed, files) == {}
    same = [contents(job.results, but=("provenance.json",)) for job in (here, after)]
    assert same[0] == same[1]
    assert not (elsewhere / "unknown there").exists()


def test_what_came_back_damaged_is_not_put_in_place(elsewhere):
    job = Job(elsewhere / "results", RUNS, "cpu", True)
    failed, files = jobs.work_remotely((job, {}), lambda amount: None)
    files[RUNS[0]]["weights.safetensors"] += b"x"
    told = jobs.failures_of(job, jobs.unpack, failed, files)
    assert list(told) == [RUNS[0]]
    assert told[RUNS[0]].startswith("RecordError: weights.safetensors is damaged")
    assert not job.folder(RUNS[0]).exists()
    assert jobs.why_stale(job.folder(RUNS[1]), RUNS[1]) is None


def test_a_job_begun_again_trains_only_what_is_not_there(elsewhere, monkeypatch):
    job, ticks, trained = Job(elsewhere / "results", RUNS, "cpu", True), [], []
    jobs.work(replace(job, runs=RUNS[:1]), lambda amount: None)
    (job.folder(RUNS[0]) / "evaluation.json").unlink()
    train = type(RUNS[0]).train
    monkeypatch.setattr(
        type(RUNS[0]), "train", lambda run, runs, *rest: trained.extend(runs) or train(run, runs, *rest)
    )
    assert jobs.work(job, ticks.append) == {}
    assert trained == [RUNS[1]]
    assert sum(ticks) == sum(run.cost for run in RUNS)
    assert [jobs.why_stale(job.folder(run), run) for run in RUNS] == [None, None]


def test_what_did_not_come_back_has_failed(elsewhere):
    job = Job(elsewhere / "results", RUNS, "cpu", True)
    failed, files = jobs.work_remotely((job, {}), lambda amount: None)
    del files[RUNS[0]]["evaluation.json"], files[RUNS[1]]
    assert jobs.unpack(job, failed, files) == {RUNS[0]: "evaluation.json is missing", RUNS[1]: "no record"}


def test_only_files_of_a_record_are_written(elsewhere):
    job = Job(elsewhere / "results", RUNS[:1], "cpu", True)
    _, files = jobs.work_remotely((job, {}), lambda amount: None)
    records.write_files(job.folder(RUNS[0]), files[RUNS[0]] | {"../stray": b""}, RUNS[0])
    assert {path.rsplit("/")[-1] for path in contents(job.results)} == set(records.FILES)


def test_a_job_computes_in_one_thread(elsewhere):
    torch.set_num_threads(2)
    job = Job(elsewhere / "results", RUNS[:1], "cpu", True)
    jobs.work(job, lambda amount: None)
    assert records.read_record(job.folder(RUNS[0]), RUNS[0])["trained_on"]["threads"] == 1


@pytest.mark.skipif(not shutil.which("git"), reason="no git")
def test_the_commit_is_of_the_librarys_own_repository(elsewhere, monkeypatch):
    """Not of one around it, nor of the one that GIT_DIR names, as it does in git's hooks."""

    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(["git", *identity, *arguments], env=clean, check=True, capture_output=True)
        return done.stdout.decode().strip()

    inner = elsewhere / "inner"
    (inner / "lib").mkdir(parents=True)
    monkeypatch.setattr(jobs, "ROOT", inner)
    assert jobs.commit() is None
    git("init", elsewhere)
    git("-C", elsewhere, "commit", "--allow-empty", "-m", "around")
    assert jobs.commit() is None
    monkeypatch.setenv("GIT_DIR", str(elsewhere / ".git"))
    assert jobs.commit() is None
    git("init", inner)
    git("-C", inner, "commit", "--allow-empty", "-m", "own")
    own = git("-C", inner, "rev-parse", "HEAD")
    assert jobs.commit() == own
    (inner / "lib" / "new.py").write_text("", encoding="utf-8")
    assert jobs.commit() == own + "+"
