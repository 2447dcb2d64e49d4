"""Several processes at work, each on one core, and a bar that shows how far they are."""

import multiprocessing
import os
import queue
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from tqdm import tqdm

Tick = Callable[[int], None]


def each(work: Callable, jobs: list, count: int, tick: Tick) -> Iterator[tuple]:
    """(job, work(job, tick)) of each job as it ends, in that many processes; in this one where one is enough.

    work is a function of a module. A job whose process was killed yields the error (BrokenProcessPool) as its result.
    """
    if min(count, len(jobs)) <= 1:
        for job in jobs:
            yield job, work(job, tick)
        return
    context = multiprocessing.get_context("spawn")
    ticks = context.Queue()
    with ProcessPoolExecutor(min(count, len(jobs)), context, initializer=begin, initargs=(ticks,)) as pool:
        futures = {pool.submit(in_worker, work, job): job for job in jobs}
        try:
            while futures:
                for future in wait(futures, timeout=0.2, return_when=FIRST_COMPLETED).done:
                    error = future.exception()
                    if error is not None and not isinstance(error, BrokenProcessPool):
                        raise error
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


def begin(ticks) -> None:
    """A worker's first act: keep the way to tell its parent about progress."""
    in_worker.ticks = ticks


def in_worker(work: Callable, job):
    return work(job, tell)


def tell(amount: int) -> None:
    """Report progress to the parent; end where the parent has gone, so that nothing works on unseen."""
    if not multiprocessing.parent_process().is_alive():
        os._exit(1)
    in_worker.ticks.put(amount)


def progress(total: int, unit: str, shown: bool = True) -> tqdm:
    """A bar with the time left; seldom redrawn where nobody watches."""
    often = 0.5 if sys.stderr.isatty() else 60
    return tqdm(total=total, unit=unit, unit_scale=True, mininterval=often, disable=not shown, desc="training")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
