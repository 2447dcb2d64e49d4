"""Several processes at work, each on one core, and a bar that shows how far they are."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import SimpleNamespace
from typing import TYPE_CHECKING

from randformer.harness.checks import BadInput

if TYPE_CHECKING:
    from randformer.contract import Tick

UNGUARDED = (
    "the worker processes ended before they began: a script that trains in several processes is a file, and what it "
    "does stands below `if __name__ == '__main__':`, for each of them reads it"
)
UNWATCHED = "RANDFORMER_UNWATCHED"  # environment variable of notebooks that a program executes
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of malloc.h


class Killed(Exception):
    """A job's process was killed, and so was the one that tried it once more."""


def each(work: Callable, jobs: list, count: int, tick: Tick) -> Iterator[tuple]:
    """(job, work(job, tick)) of each job as it ends, in that many processes; in this one where one is enough.

    work is a function of a module. A job whose process is killed is tried once more, by a new process; killed again, it
    yields the error (Killed) as its result. The other jobs go on. Raises BadInput where no process gets as far as
    its first job.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # a worker, reading its parent's script
        sys.exit(1)  # quietly: the parent tells
    if min(count, len(jobs)) > 1:
        yield from Crew(work, jobs, tick).results(count)
        return
    for job in jobs:
        yield job, work(job, tick)


@dataclass
class Worker:
    """A process and the job that it has."""

    process: BaseProcess
    job: int  # its number
    told: int = 0  # units of work of this job that it told of


class Crew:
    """Processes that do jobs, each with a connection of its own.

    A queue that all share, as that of concurrent.futures, is locked for good by a process that is killed while it
    writes, and one that is killed takes the jobs of all others with it.
    """

    def __init__(self, work: Callable, jobs: list, tick: Tick):
        self.work, self.jobs, self.tick = work, jobs, tick
        self.todo = deque(range(len(jobs)))
        self.killed: set[int] = set()  # jobs whose process was
        self.busy: dict[Connection, Worker] = {}
        self.begun = False  # some process has
        self.processes: list[BaseProcess] = []

    def results(self, count: int) -> Iterator[tuple]:
        """(job, result) of each job as it ends."""
        try:
            while self.todo or self.busy:
                while self.todo and len(self.busy) < count:
                    self.hand_out(*self.started())
                for connection in wait(self.busy):
                    yield from self.listen(connection)
        finally:
            for connection, worker in self.busy.items():
                worker.process.terminate()
                connection.close()
            for process in self.processes:
                process.join()

    def started(self) -> tuple[Connection, BaseProcess]:
        """A new process and the connection to it."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(self.work, theirs))
        process.start()
        theirs.close()  # so that ours ends with the process
        self.processes.append(process)
        return ours, process

    def hand_out(self, connection: Connection, process: BaseProcess) -> None:
        """Send a process the next job. One that is gone is noticed when it is listened to."""
        self.busy[connection] = Worker(process, self.todo.popleft())
        with suppress(OSError):
            connection.send(self.jobs[self.busy[connection].job])

    def listen(self, connection: Connection) -> Iterator[tuple]:
        """What a process says; (job, result) where it is that."""
        worker, (what, said) = self.busy[connection], heard(connection)
        if what == "begun":
            self.begun = True
            return
        if what == "tick":
            worker.told += said
            self.tick(said)
            return
        if what == "done" and self.todo:
            self.hand_out(connection, worker.process)
        else:
            del self.busy[connection]
            connection.close()  # it ends
        if what == "error":
            raise said
        if what == "killed" and not self.begun and ended_by_itself(worker.process):
            raise BadInput(UNGUARDED)
        if what == "killed":
            self.tick(-worker.told)  # whoever goes on tells of it again
            if worker.job not in self.killed:
                self.killed.add(worker.job)
                self.todo.appendleft(worker.job)
                return
        yield self.jobs[worker.job], said


def ended_by_itself(process: BaseProcess) -> bool:
    """Whether a process that ends has left on its own: no signal ended it."""
    process.join()
    return process.exitcode >= 0


def heard(connection: Connection) -> tuple:
    """What a process says: ("begun", None), ("tick", units of work), ("done", result), ("error", error).

    ("killed", error) where it was.
    """
    try:
        return connection.recv()
    except (EOFError, OSError):
        return "killed", Killed("its process was killed twice")


def serve(work: Callable, connection: Connection) -> None:
    """A worker's life: a job, its result, the next job; it ends when there is none, or when its parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=follow, args=(multiprocessing.parent_process(),), daemon=True).start()
    with suppress(EOFError, OSError):
        connection.send(("begun", None))
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so a job ends what it began, as a notebook its kernel
        while True:
            job = connection.recv()
            try:
                said = "done", work(job, lambda amount: connection.send(("tick", amount)))
            except Exception as error:
                said = "error", error
            connection.send(said)


def follow(parent) -> None:
    """End this process when its parent has gone, however: nothing works on unseen."""
    parent.join()
    os._exit(1)


@contextmanager
def progress(total: int, unit: str, shown: bool = True, begun: int = 0) -> Iterator:
    """A bar with the time left, which says so when only evaluations are; none without tqdm.

    begun: units that were done before, of which the time left knows nothing.
    Seldom redrawn where nobody watches: a terminal is watched, and a notebook that no program executes (UNWATCHED).
    """
    try:
        from tqdm import tqdm
    except ImportError:
        yield SimpleNamespace(update=lambda amount: None, set_postfix_str=lambda text, refresh: None)
        return

    class Bar(tqdm):
        def update(self, amount: int) -> None:
            super().update(amount)
            if self.n >= self.total and self.desc != "evaluating":
                self.set_description_str("evaluating")

    shown = shown and sys.stderr is not None  # it may be closed
    watched = shown and (sys.stderr.isatty() or ("ipykernel" in sys.modules and UNWATCHED not in os.environ))
    often = 0.5 if watched else 60
    first = "training" if total else "evaluating"
    look = {"unit": unit, "unit_scale": True, "mininterval": often, "disable": not shown, "desc": first}
    with Bar(total=total, initial=begun, **look) as bar:
        yield bar


def configure_process() -> None:
    """Make this process one that trains: on one thread, and keeping what it frees, which the next step asks for again.

    Left alone, glibc gives large pieces back to the system and gets empty pages for them anew: a quarter of a recall
    step's time. Other C libraries are left alone.
    """
    import torch  # a process that only hands out work, or does other, need not wait for it

    torch.set_num_threads(1)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
