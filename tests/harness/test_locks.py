import errno
import fcntl

import pytest

from randformer.harness import locks


def test_a_second_one_waits_and_says_so(tmp_path, monkeypatch, capsys):
    flock, asked = fcntl.flock, []

    def once(file, how):
        """As flock, but does not wait."""
        asked.append(how)
        if how & fcntl.LOCK_NB:
            flock(file, how)

    monkeypatch.setattr(fcntl, "flock", once)
    with open(tmp_path / "lock", "w", encoding="utf-8") as first, open(tmp_path / "lock", encoding="utf-8") as second:
        locks.lock(first, lambda: "not said")
        locks.lock(second, lambda: "waiting")
    assert asked == [fcntl.LOCK_EX | fcntl.LOCK_NB] * 2 + [fcntl.LOCK_EX]
    assert capsys.readouterr().err == "waiting\n"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF])
def test_where_locks_are_refused_it_goes_on_and_says_so(tmp_path, monkeypatch, capsys, number):
    def refused(file, how):
        raise OSError(number, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refused)
    with open(tmp_path / "lock", "w", encoding="utf-8") as file:
        locks.lock(file, lambda: "not said")
    told = f"{tmp_path}/lock cannot be locked (no locks here): nothing keeps two commands apart, start one at a time\n"
    assert capsys.readouterr().err == told
