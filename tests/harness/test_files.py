import errno
import os
import subprocess
import sys

import pytest

from clones import contents
from randformer.harness import files


@pytest.fixture
def folder(tmp_path):
    """A folder with a file, a folder and a link in it."""
    (tmp_path / "a" / "below").mkdir(parents=True)
    (tmp_path / "a" / "one").write_text("1", encoding="utf-8")
    (tmp_path / "a" / "below" / "two").write_text("2", encoding="utf-8")
    (tmp_path / "a" / "link").symlink_to("one")
    return tmp_path / "a"


@pytest.mark.parametrize("kind", ["nothing", "file", "folder", "link", "link to nothing"])
def test_whatever_is_there_is_removed_and_replaced(folder, tmp_path, kind):
    path, theirs = tmp_path / "b", tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "x").write_text("x", encoding="utf-8")
    make = {
        "nothing": lambda: None,
        "file": lambda: path.write_text("in the way", encoding="utf-8"),
        "folder": lambda: (path / "x").mkdir(parents=True),
        "link": lambda: path.symlink_to(theirs),
        "link to nothing": lambda: path.symlink_to(tmp_path / "nowhere"),
    }[kind]
    for change in (files.remove, files.discard, lambda path: files.set_aside(path, tmp_path / "c" / "d")):
        make()
        change(path)
        assert not os.path.lexists(path)
    make()
    files.replace_folder(folder, path)
    assert contents(path) == {"one": b"1", "below/two": b"2", "link": b"1"}
    assert contents(theirs) == {"x": b"x"}
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("name", ["a", "a/one"])
def test_what_cannot_be_renamed_is_copied(folder, tmp_path, no_folder_is_renamed, name):
    path, place = tmp_path / name, tmp_path / "kept" / "b"
    (place / "old").mkdir(parents=True)
    no_folder_is_renamed.append(path)
    files.set_aside(path, place)
    assert not path.exists()
    assert place.read_bytes() == b"1" if name == "a/one" else (place / "link").is_symlink()
    assert [path.name for path in place.parent.iterdir()] == ["b"]


def test_what_can_be_neither_renamed_nor_copied_stays(folder, tmp_path, no_folder_is_renamed, monkeypatch):
    before = contents(folder)
    no_folder_is_renamed.append(folder)

    def full(*given, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.shutil, "copytree", full)
    with pytest.raises(OSError, match="No space left"):
        files.set_aside(folder, tmp_path / "b")
    assert contents(folder) == before
    assert not list(tmp_path.rglob("*.tmp"))


def test_another_error_of_a_rename_is_told(folder, tmp_path, monkeypatch):
    def refused(path, place):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "rename", refused)
    with pytest.raises(PermissionError):
        files.set_aside(folder, tmp_path / "b")


def test_a_lock_is_held_by_one_process(tmp_path):
    """Each of two adds 1 to a number in a file, 200 times."""
    code = f"""
from pathlib import Path
from randformer.harness.files import locked
path = Path({str(tmp_path / "number")!r})
for _ in range(200):
    with locked(Path({str(tmp_path / "below" / "lock")!r})):
        path.write_text(str(int(path.read_text(encoding="utf-8")) + 1))
"""
    (tmp_path / "number").write_text("0", encoding="utf-8")
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert (tmp_path / "number").read_text(encoding="utf-8") == "400"


def test_an_error_while_writing_names_the_file(tmp_path, monkeypatch):
    """A full disk's own words do not."""

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as error:
        files.write_bytes(tmp_path / "x.checkpoint", b"")
    assert error.value.filename == str(tmp_path / "x.checkpoint")
