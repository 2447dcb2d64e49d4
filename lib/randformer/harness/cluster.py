"""Several machines at work: jobs sent to a Dask cluster that somebody started (docs/cluster.md).

Needs the package distributed, which is imported only where a scheduler is given.
"""

import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from randformer.contract import Run, Tick
from randformer.harness.checks import BadInput

CONNECT_SECONDS = 4.0
RETRIES = 3  # of a job that raises an error; how often one is begun again after a kill is the scheduler's to say
TOPIC = "randformer"  # under which workers tell their progress
TRAITS = "__import__('randformer.harness.cluster', fromlist=['traits']).traits"  # as text: an import that fails is told


class Unwanted(BaseException):
    """The job that runs in this thread has been cancelled. No Exception: nothing on the way takes it for an error."""


def each(work: Callable, jobs: list, address: str, needed: dict, tick: Tick) -> Iterator[tuple]:
    """(job, work(job, tick)) of each job as it ends, on the cluster with its scheduler at that address.

    work is a function of a module; needed is what needs says of the jobs' runs. A job that was begun again too often,
    because its worker processes were killed, yields the error (KilledWorker) as its result. Raises BadInput where a
    worker does not fit, ConnectionError where the cluster ended. Left early, by an error or Ctrl-C, it cancels jobs.
    """
    if not jobs:
        return
    from distributed import as_completed

    with connected(address) as client:
        futures = submit(client, work, jobs, needed, tick)
        try:
            for future in as_completed(list(futures), loop=client.loop):
                result = outcome(future, address)
                future.release()  # so that it is not made again if the worker that holds it ends
                yield futures.pop(future), result
        finally:
            client.cancel(list(futures), force=True)


def submit(client, work: Callable, jobs: list, needed: dict, tick: Tick) -> dict:
    """Send the jobs to the cluster, the first ones to begin first; {future: job}."""
    if not client.nthreads():
        print(f"the cluster at {client.scheduler.address} has no workers yet: jobs wait for the first", file=sys.stderr)
    topic = f"{TOPIC}-{client.id}"
    client.subscribe_topic(topic, follow(tick))
    return {
        client.submit(in_worker, work, job, number, topic, needed, pure=False, retries=RETRIES): job
        for number, job in enumerate(jobs)
    }


def outcome(future, address: str):
    """A future's result, or the error of a job whose workers were killed. Raises what each says that it raises."""
    from distributed import KilledWorker

    if future.cancelled():
        raise ConnectionError(f"the cluster at {address} ended, or was restarted")
    error = future.exception()
    if error is None or isinstance(error, KilledWorker):
        return error or future.result()
    raise error if isinstance(error, BadInput) else unusable(address, error)


def follow(tick: Tick) -> Callable:
    """What to do with a worker's word on a job: [its number, how far it is]. A job begun again starts anew."""
    known: dict[int, int] = {}

    def heard(event: tuple) -> None:
        number, done = event[1]
        tick(done - known.get(number, 0))
        known[number] = done

    return heard


def in_worker(work: Callable, job, number: int, topic: str, needed: dict):
    """work(job, tick) in a thread of a worker. Raises BadInput where the worker does not fit."""
    from distributed import get_worker

    worker, done = get_worker(), 0
    task = worker.state.tasks[worker.get_current_task()]
    compare(worker.address, traits(list(needed["numerics"])), needed)

    def tick(amount: int) -> None:
        nonlocal done
        if task.state == "cancelled":  # its client has gone: leave the core to the next
            raise Unwanted
        done += amount
        worker.log_event(topic, [number, done])

    return work(job, tick)


# Is it fit for use?


def check(address: str, needed: dict) -> None:
    """Raise BadInput unless a scheduler answers there and it and its workers have what the same numbers take.

    Workers that come later are checked when they get a job.
    """
    asked = f"{TRAITS}({list(needed['numerics'])})"
    with connected(address) as client:
        try:
            client.run_on_scheduler(eval, asked)
        except Exception as error:
            raise unusable(address, error) from None
        for worker, found in client.run(eval, asked, on_error="return").items():
            if isinstance(found, Exception):
                raise unusable(worker, found)
            compare(worker, found, needed)


@contextmanager
def connected(address: str):
    """A client of the scheduler at that address. Raises BadInput if none answers in time."""
    try:
        from distributed import Client
    except ImportError:
        raise BadInput("scheduler: a cluster needs the package distributed, pip install -r requirements.txt") from None
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what goes wrong we tell, in one line
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, OverflowError):
        raise BadInput(f"scheduler = {address!r}: give the address of a Dask scheduler, none answers there") from None
    with client:
        yield client


def traits(kinds: list[str]) -> dict:
    """What this machine trains and measures with: runs of those kinds, "module:class" each."""
    return {
        "numerics": {kind: versions(*kind.split(":")) for kind in kinds},
        "torch": torch.__version__.split("+")[0],
        "CUDA": torch.cuda.is_available(),
    }


def versions(module: str, name: str) -> tuple[int, int]:
    """NUMERICS and EVALUATION of a class, as this machine has it."""
    kind = getattr(importlib.import_module(module), name)
    return kind.NUMERICS, kind.EVALUATION


def needs(device: str, runs: list[Run]) -> dict:
    """What a worker must have for those runs: the same as here, and the device."""
    here = traits(sorted({f"{run.kind.__module__}:{run.kind.__qualname__}" for run in runs}))
    return here | {"CUDA": True} if device == "cuda" else {name: here[name] for name in here if name != "CUDA"}


def compare(worker: str, found: dict, needed: dict) -> None:
    """Raise BadInput where a worker's traits are not those needed."""
    for name, value in needed.items():
        if found.get(name) != value:
            raise BadInput(f"worker {worker}: {name} = {found.get(name)!r}: give the cluster workers with {value!r}")


def unusable(where: str, error: Exception) -> BadInput:
    why = (str(error).strip() or type(error).__name__).splitlines()[-1]
    return BadInput(f"{where} cannot use this library ({why}): docs/cluster.md says what it takes")
