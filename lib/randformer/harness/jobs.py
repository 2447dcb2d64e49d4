"""One job: runs that a process trains and evaluates together, here or where no files are shared with this machine."""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from randformer.contract import Run, Tick
from randformer.harness import checkpoints, records
from randformer.harness.files import CACHE, ROOT
from randformer.harness.processes import configure_process
from randformer.harness.records import RecordError


@dataclass(frozen=True)
class Job:
    """Runs that one process brings to records together; train is false where only evaluations are missing."""

    results: Path  # of the profile: where the records go
    runs: tuple[Run, ...]
    device: str
    train: bool

    def folder(self, run: Run) -> Path:
        return self.results / run.problem / run.key


def why_stale(where: Path, run: Run) -> tuple[bool, str] | None:
    """None where the folder has the run's record and evaluation; else whether to train (or only evaluate), and why."""
    try:
        records.read_record(where, run)
    except RecordError as error:
        return True, str(error)
    try:
        records.read_evaluation(where, run.kind.EVALUATION)
    except RecordError as error:
        return False, str(error)
    return None


def work(job: Job, tick: Tick) -> dict[Run, str]:
    """Do one job in this process; returns the runs that failed, and how.

    What a job that is begun again has on disk already is done.
    """
    configure_process()
    needs = {run: need for run in job.runs if (need := why_stale(job.folder(run), run))}
    failed: dict[Run, str] = {}
    if job.train:
        lacking = [run for run in needs if needs[run][0]]
        if len(lacking) < len(job.runs):
            tick(sum(run.cost for run in job.runs if run not in lacking))
        failed |= train(job, lacking, tick) if lacking else {}
    for run in [run for run in needs if run not in failed]:
        with naming(run, failed):
            record = records.read_record(job.folder(run), run)
            records.write_evaluation(job.folder(run), run.kind.EVALUATION, record["weights"], run.evaluate(record))
    return failed


def train(job: Job, runs: list[Run], tick: Tick) -> dict[Run, str]:
    """Train some of a job's runs and store their records; returns the runs that failed, and how."""
    code, device = commit(), torch.device(job.device)
    trained, diverged = runs[0].train(runs, device, CACHE, tick)
    failed = {run: f"the loss is not a number at step {step}" for run, step in diverged.items()}
    for run, result in trained.items():
        with naming(run, failed):
            provenance = {"commit": code, "cpu_seconds": round(result.seconds, 1)}
            records.write_record(job.folder(run), run, result, device, provenance)
            checkpoints.drop(CACHE, run, device)
    return failed


def attempt(job: Job, tick: Tick) -> dict[Run, str]:
    """work, with an error told."""
    return failures_of(job, work, tick)


def failures_of(job: Job, act: Callable, *given) -> dict[Run, str]:
    """act(job, ...), with an error told as the failure of those runs that it kept from their record or evaluation."""
    try:
        return act(job, *given)
    except Exception as error:
        return {run: told(error) for run in job.runs if why_stale(job.folder(run), run)}


@contextmanager
def naming(run: Run, failed: dict[Run, str]) -> Iterator[None]:
    """An error is that run's failure, and the other runs go on."""
    try:
        yield
    except Exception as error:
        failed[run] = told(error)


def told(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, OSError):
        return f"the disk is full, at {error.filename}" if error.errno == errno.ENOSPC else str(error)
    return f"{type(error).__name__}: {error}"


# On another machine, which need not share a file system with this one


def work_remotely(sent: tuple, tick: Tick) -> tuple:
    """attempt in a folder of its own, from the files that came along; returns what failed and the files made."""
    job, files = sent
    with TemporaryDirectory() as results:
        job = replace(job, results=Path(results))
        for run, content in files.items():
            records.write_files(job.folder(run), content, run)
        return attempt(job, tick), packed(job)


def packed(job: Job) -> dict[Run, dict[str, bytes]]:
    """The files of those of a job's runs that have a record."""
    return {run: records.read_files(job.folder(run)) for run in job.runs if job.folder(run).exists()}


def unpack(job: Job, failed: dict[Run, str], files: dict[Run, dict[str, bytes]]) -> dict[Run, str]:
    """Put what afar returned in place, checked; returns the runs that failed, and how."""
    for run, content in files.items():
        with naming(run, failed):
            records.write_files(job.folder(run), content, run)
    needs = {run: why_stale(job.folder(run), run) for run in job.runs if run not in failed}
    return failed | {run: need[1] for run, need in needs.items() if need}


def commit() -> str | None:
    """The commit of the library at work, "+" behind it where its files differ from it.

    None where the library's folder is no git repository, though it may lie in another or GIT_DIR may name one.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    git = {"cwd": ROOT, "env": environment, "encoding": "utf-8", "errors": "replace", "stderr": subprocess.DEVNULL}
    try:
        top, head = subprocess.check_output(["git", "rev-parse", "--show-toplevel", "HEAD"], **git).splitlines()
        if Path(top).resolve() != ROOT.resolve():
            return None
        return head + ("+" if subprocess.check_output(["git", "status", "--short", "lib"], **git) else "")
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None
