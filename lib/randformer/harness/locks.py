"""Keeping two commands apart that would write the same files. Needs the standard library only."""

import fcntl
import sys
from collections.abc import Callable
from typing import IO


def lock(file: IO, waiting: Callable[[], str]) -> None:
    """Lock an open file until it is closed; wait, and print waiting(), while another process holds it.

    Goes on without a lock, and says so, on a file system that refuses them (some network file systems).
    """
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(waiting(), file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        print(
            f"{file.name} cannot be locked ({error.strerror}): nothing keeps two commands apart, start one at a time",
            file=sys.stderr,
        )
