"""From declared runs to records: reuse what is valid, train and evaluate what is not."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

import torch

from randformer.contract import Run, Tick
from randformer.harness import checkpoints, cluster, files, forecast, jobs, processes, records, sizes
from randformer.harness.checks import BadInput, at_least, one_of
from randformer.harness.files import CACHE, ROOT
from randformer.harness.jobs import Job, attempt, failures_of, packed, unpack, work_remotely
from randformer.harness.locks import lock
from randformer.harness.records import RecordError

ALONE = "RANDFORMER_ALONE"  # environment variable of whoever works for the process that holds the lock
SEQUENCES = 3200  # trained side by side in one process of a CPU: more gains nothing, and waits longer for a record


@dataclass
class Outcome:
    """What became of the runs that were asked for."""

    reused: list[Run] = field(default_factory=list)
    trained: list[Run] = field(default_factory=list)
    evaluated: list[Run] = field(default_factory=list)  # trained earlier, measured now
    refused: dict[Run, str] = field(default_factory=dict)  # records that are there and not fit for use, and why
    failed: dict[Run, str] = field(default_factory=dict)


# What is there


def folder(profile: str, run: Run) -> Path:
    return ROOT / "results" / profile / run.problem / run.key


def load(profile: str, run: Run) -> tuple[dict, dict]:
    """A run's record and its evaluation. Raises RecordError where either is not fit for use."""
    where = folder(profile, run)
    return records.read_record(where, run), records.read_evaluation(where, run.kind.EVALUATION)


def why_stale(profile: str, run: Run) -> tuple[bool, str] | None:
    """None where nothing is; else whether the run must be trained (or only evaluated), and why."""
    return jobs.why_stale(folder(profile, run), run)


def finished(profile: str, runs: list[Run]) -> list[Run]:
    """Those runs all repetitions of which, of these runs, have records fit for use: a point is whole or not there."""
    lacking = {run.point for run in runs if why_stale(profile, run)}
    return [run for run in runs if run.point not in lacking]


def stored_configs(profile: str, problem: str) -> list[dict]:
    """Configs of all readable records of a problem, whether or not they are still asked for."""
    found = []
    for path in sorted((ROOT / "results" / profile / problem).glob("*/run.json")):
        try:
            found.append(records.read_json(path)["config"])
        except (RecordError, KeyError):
            continue
    return found


def load_or_train(profile: str, runs: list[Run]) -> list[dict]:
    """Evaluations of the runs, in their order, after training and evaluating those that lack it.

    Raises RuntimeError naming the runs for which that failed.
    """
    if any(why_stale(profile, run) for run in runs):
        with exclusive_lock():
            outcome = ensure_records(profile, runs)
        if outcome.failed:
            raise RuntimeError("; ".join(f"{run}: {why}" for run, why in outcome.failed.items()))
    return [load(profile, run)[1] for run in runs]


def live(runs: list[Run]) -> list[dict]:
    """Evaluations of runs trained in this process, before the reader's eyes; nothing is stored."""
    sizes.check(runs)
    processes.configure_process()
    found = []
    cost = sum(run.cost for run in runs)
    with TemporaryDirectory() as cache, processes.progress(cost, "sequence") as bar:
        for run in runs:
            trained, diverged = run.train([run], torch.device("cpu"), Path(cache), bar.update)
            if diverged:
                raise RuntimeError(f"{run}: the loss is not a number at step {diverged[run]}")
            found.append(run.evaluate(run.restore(trained[run].tensors)))
    return found


# What has to be done


def ensure_records(
    profile: str,
    runs: list[Run],
    jobs: int = 0,
    device: str = "cpu",
    retrain: bool = False,
    scheduler: str | None = None,
) -> Outcome:
    """Give every run a valid record and evaluation, in that many processes (0: one per core) or on a Dask cluster.

    A run that diverges and a job that fails are named in the outcome, and the others go on. Raises BadInput where
    records cannot be written, the device is not there or the cluster cannot be used.
    """
    at_least("jobs", jobs, 0)
    check(profile, runs, device, scheduler)
    sweep()
    if retrain:
        for run in runs:
            set_aside(profile, run, device)
    needs = {run: why_stale(profile, run) for run in runs}
    if scheduler is None:
        sizes.check([run for run in runs if needs[run] and needs[run][0]], train=device == "cpu")
        sizes.check([run for run in runs if needs[run] and not needs[run][0]], train=False)
    outcome = Outcome(reused=[run for run in runs if needs[run] is None])
    for run in runs:
        if needs[run] and os.path.lexists(folder(profile, run) / ("" if needs[run][0] else "evaluation.json")):
            outcome.refused[run] = needs[run][1]
            what = "record" if needs[run][0] else "evaluation of record"
            print(f"not used: {what} {run.key} ({run}): {needs[run][1]}", file=sys.stderr)
    todo = [
        Job(ROOT / "results" / profile, group, device, training)
        for training in (True, False)
        for group in groups([run for run in runs if needs[run] and needs[run][0] is training], device)
    ]
    todo.sort(key=lambda job: -sum(run.cost for run in job.runs) * job.train)  # long ones first: all end together
    training = [run for job in todo if job.train for run in job.runs]
    cost = sum(run.cost for run in training)
    begun = sum(run.begun(torch.device(device), CACHE) for run in training)
    if training:
        count = (jobs or processes.cores()) if device == "cpu" and scheduler is None else None
        told = forecast.told(training, len(outcome.reused), count, 1 - begun / cost)
        print(f"{told}; interrupt to stop, it resumes", flush=True)
    with processes.progress(cost, "sequence", bool(todo), begun) as bar:
        for job, failed in each(todo, jobs, device, scheduler, bar.update):
            if isinstance(failed, Exception):
                why = "a worker process was killed, out of memory? This job ended with it"
                failed = {run: why for run in job.runs if why_stale(profile, run)}
            done = [run for run in job.runs if run not in failed]
            (outcome.trained if job.train else outcome.evaluated).extend(done)
            outcome.failed |= failed
            bar.set_postfix_str(f"{len(outcome.trained) + len(outcome.evaluated)} runs done", refresh=False)
    return outcome


def each(jobs: list[Job], count: int, device: str, scheduler: str | None, tick: Tick) -> Iterator[tuple]:
    """(job, the runs that failed and how) of each job as it ends; an error instead where a kill ended the job."""
    if scheduler is None:
        yield from processes.each(attempt, jobs, count or processes.cores(), tick)
        return
    sent = [(job, {} if job.train else packed(job)) for job in jobs]
    needed = cluster.needs(device, [run for job in jobs for run in job.runs])
    for (job, _), found in cluster.each(work_remotely, sent, scheduler, needed, tick):
        yield job, found if isinstance(found, Exception) else failures_of(job, unpack, *found)


def set_aside(profile: str, run: Run, device: str) -> None:
    """Move a record to .cache/replaced/, so that training anew can be killed and resumed, and nothing is lost."""
    checkpoints.drop(CACHE, run, torch.device(device))
    files.set_aside(folder(profile, run), CACHE / "replaced" / run.key)


def groups(runs: list[Run], device: str) -> Iterator[tuple[Run, ...]]:
    """Cut runs into those to train side by side: of one group; on a processor no more than SEQUENCES."""
    alike: dict[Run, list[Run]] = {}
    for run in runs:
        alike.setdefault(run.group, []).append(run)
    for together in alike.values():
        size = len(together) if device == "cuda" else max(1, SEQUENCES // together[0].width)
        for start in range(0, len(together), size):
            yield tuple(together[start : start + size])


# The machine


def check(profile: str, runs: list[Run], device: str, scheduler: str | None = None) -> None:
    """Raise BadInput unless records and checkpoints can be written and the device, here or on the cluster, is there."""
    one_of("device", device, ("cpu", "cuda"))
    if scheduler is not None:
        cluster.check(scheduler, cluster.needs(device, runs))
    elif device == "cuda" and not torch.cuda.is_available():
        raise BadInput("device = 'cuda': PyTorch sees no CUDA device here, give cpu")
    for where in (ROOT / "results" / profile, CACHE):
        try:
            where.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=where):
                pass
        except OSError as error:
            raise BadInput(f"{where} is not writable ({error.strerror}): records and checkpoints go there") from None


def sweep() -> None:
    """Remove what a killed process left half done; only for the process that is alone."""
    for where in (CACHE, ROOT / "results", ROOT / "figures"):
        for left in where.rglob(".*.tmp"):
            files.discard(left)


@contextmanager
def exclusive_lock():
    """Be the only one who writes records in this clone; wait, and say so, while another process does.

    The notebooks that a process executes while it is alone are part of it: ALONE tells them.
    """
    if os.environ.get(ALONE):
        yield
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "a+", encoding="utf-8") as held:

        def waiting() -> str:
            held.seek(0)
            return f"process {held.read().strip()} is at work in this clone; waiting for it to end"

        lock(held, waiting)
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        os.environ[ALONE] = "1"
        try:
            yield
        finally:
            del os.environ[ALONE]
