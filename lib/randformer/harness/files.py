"""Files and folders put in place whole or not at all, moved and removed, whatever stands where they go.

A rename cannot cross file systems, nor move a folder of an overlay's lower layer (both EXDEV); a link is not the folder
that it points to, which belongs to somebody else.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from randformer.harness.checks import BadInput
from randformer.harness.locks import lock

PLACE = Path(__file__).resolve().parents[2]  # that holds the package: a clone's lib/, or where pip installed it
ROOT = PLACE.parent if PLACE.name == "lib" else Path.cwd()  # of the repository
CACHE = ROOT / ".cache"


def needs_clone() -> None:
    """Raise BadInput where none of what a clone has beside the library is there, as when pip has installed it."""
    if not any((ROOT / name).is_dir() for name in ("results", "notebooks")):
        raise BadInput(f"no records in {ROOT}: start Python in a clone of the repository, which has them in results/")


def write_bytes(path: Path, data: bytes) -> None:
    """Put a file in place whole or not at all. Raises OSError (disk full, not writable), leaving what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):  # a full disk's names no file
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def beside(path: Path, what: str = "") -> Path:
    """A name in the same folder, so on the same file system, which workers.sweep removes where a kill leaves it."""
    return path.with_name(f".{path.name}.{os.getpid()}{what}.tmp")


def remove(path: Path) -> None:
    """Remove the file, folder or link, if one is there; what a link points to stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def discard(path: Path) -> None:
    """remove, of what nobody misses: where it cannot be removed now, workers.sweep tries again."""
    with suppress(OSError):
        remove(path)


def set_aside(path: Path, place: Path) -> None:
    """Move a file or folder, if one is there, to a place, replacing what is there; of a link only the link goes.

    Copied where it cannot be renamed: then path is whole until place is.
    """
    if path.is_symlink() or not path.exists():
        return remove(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    remove(place)
    try:
        path.rename(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy(path, place)
        remove(path)


def copy(path: Path, place: Path) -> None:
    """Copy a file or folder to a place where nothing is, whole or not at all; links stay links."""
    temporary = beside(place)
    try:
        if path.is_dir():
            shutil.copytree(path, temporary, symlinks=True)
        else:
            shutil.copy2(path, temporary)
        temporary.rename(place)
    except BaseException:
        discard(temporary)
        raise


def replace_folder(new: Path, folder: Path) -> None:
    """Put a new folder, made beside it, in the place of whatever is there."""
    replaced = beside(folder, ".old")
    set_aside(folder, replaced)
    new.rename(folder)
    discard(replaced)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of that name, after waiting for whoever holds it; a process that ends lets go of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as held:
        lock(held, lambda: f"waiting for another process that holds {path}")
        yield
