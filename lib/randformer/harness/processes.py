"""Several processes at work, each on one core, and a bar that shows how far they are."""

import ctypes
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import SimpleNamespace

import torch

from randformer.contract import Tick
from randformer.harness.checks import BadInput

UNGUARDED = (
    "the worker processes ended before they began: a script that trains in several processes is a file, and what it "
    "does stands below `if __name__ == '__main__':`, for each of them reads it"
)
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of malloc.h


def each(work: Callable, jobs: list, count: int, tick: Tick) -> Iterator[tuple]:
    """(job, work(job, tick)) of each job as it ends, in that many processes; in this one where one is enough.

    work is a function of a module. A job whose process was killed yields the error (BrokenProcessPool) as its result.
    Raises BadInput where several processes cannot be had.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # a worker, reading its parent's script
        sys.exit(1)  # quietly: the parent tells
    if min(count, len(jobs)) <= 1:
        for job in jobs:
            yield job, work(job, tick)
        return
    context = multiprocessing.get_context("spawn")
    try:
        ticks, begun = context.Queue(), context.Event()
    except (OSError, ImportError) as error:  # they are semaphores
        raise BadInput(
            f"several processes at once need shared memory, and /dev/shm gives none ({error}): "
            "make it writable, or work with one process (--jobs 1)"
        ) from None
    with ProcessPoolExecutor(min(count, len(jobs)), context, initializer=begin, initargs=(ticks, begun)) as pool:
        futures = {pool.submit(in_worker, work, job): job for job in jobs}
        try:
            while futures:
                for future in wait(futures, timeout=0.2, return_when=FIRST_COMPLETED).done:
                    error = future.exception()
                    if error is not None and not isinstance(error, BrokenProcessPool):
                        raise error
                    if error is not None and not begun.is_set():
                        raise BadInput(UNGUARDED)
                    yield futures.pop(future), error or future.result()
                tick(sum(drain(ticks)))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def drain(ticks) -> Iterator[int]:
    """Everything that waits in the queue."""
    while True:
        try:
            yield ticks.get_nowait()
        except queue.Empty:
            return


def begin(ticks, begun) -> None:
    """A worker's first acts: keep the way to tell its parent about progress, and end when the parent does."""
    begun.set()
    in_worker.ticks = ticks
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=follow, args=(multiprocessing.parent_process(),), daemon=True).start()


def follow(parent) -> None:
    """End this process when its parent has gone, however: nothing works on unseen."""
    parent.join()
    os._exit(1)


def in_worker(work: Callable, job):
    return work(job, in_worker.ticks.put)


@contextmanager
def progress(total: int, unit: str, shown: bool = True) -> Iterator:
    """A bar with the time left; seldom redrawn where nobody watches, none without tqdm."""
    try:
        from tqdm import tqdm
    except ImportError:
        yield SimpleNamespace(update=lambda amount: None, set_postfix_str=lambda text, refresh: None)
        return
    shown = shown and sys.stderr is not None  # it may be closed
    often = 0.5 if shown and sys.stderr.isatty() else 60
    with tqdm(total=total, unit=unit, unit_scale=True, mininterval=often, disable=not shown, desc="training") as bar:
        yield bar


def configure_process() -> None:
    """Make this process one that trains: on one thread, and keeping what it frees, which the next step asks for again.

    Left alone, glibc gives large pieces back to the system and gets empty pages for them anew: a quarter of a recall
    step's time. Other C libraries are left alone.
    """
    torch.set_num_threads(1)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
