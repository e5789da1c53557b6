"""The write-ahead log that a kill leaves beside a database."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from playground.errors import DatabaseBroken
from playground.storage.database.store import Store
from playground.storage.database.write_ahead import log_fits
from playground.storage.maintenance.backup import backup
from tests.support.cast import ADA, House
from tests.support.storing import many_votes, path_of, votes_in


@pytest.mark.slow
@pytest.mark.proves("a foreign write-ahead log")
def test_foreign_log_beside_a_backup_is_refused(judged: House) -> None:
    """After a kill, a backup replaces the database but not its log."""
    path = path_of(judged)
    saved, log = path.with_name("saved.db"), path.with_name("playground.db-wal")
    backup(path, saved)
    many_votes(judged, 150)  # enough to checkpoint the log more than once, so that it begins in the middle
    left = log.read_bytes()
    judged.store.close()
    shutil.copy(saved, path)
    log.write_bytes(left)
    with pytest.raises(DatabaseBroken, match=r"playground\.db-wal lay beside it, move that away"):
        Store(path)
    assert path.read_bytes() == saved.read_bytes()
    log.unlink()
    assert votes_in(path) == ["battle-1"]


def copy_as_killed(path: Path, folder: Path) -> Path:
    """Copy the database and its log while it is open."""
    folder.mkdir()
    for name in ("playground.db", "playground.db-wal"):
        shutil.copy(path.with_name(name), folder)
    return folder / "playground.db"


def fits(path: Path) -> bool:
    return log_fits(path, path.with_name("playground.db-wal"))


@pytest.mark.slow
def test_log_left_by_a_kill_fits(judged: House, tmp_path: Path) -> None:
    judged.battles.erase(ADA)
    for number in range(4):
        many_votes(judged, 40, first=40 * number)
        killed = copy_as_killed(path_of(judged), tmp_path / str(number))
        assert fits(killed)
        with closing(sqlite3.connect(killed)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            assert fits(copy_as_killed(killed, tmp_path / f"{number}-home-already"))
        assert "many-0" in votes_in(killed)


@pytest.mark.slow
def test_log_beside_an_older_copy_does_not_fit(judged: House, tmp_path: Path) -> None:
    path = path_of(judged)
    judged.store.close()
    shutil.copy(path, tmp_path / "older.db")
    again = House(Store(path))
    many_votes(again, 150)
    killed = copy_as_killed(path, tmp_path / "killed")
    again.store.close()
    assert fits(killed)
    shutil.copy(tmp_path / "older.db", killed)
    assert not fits(killed)
    with pytest.raises(DatabaseBroken, match="lay beside it, move that away"):
        Store(killed)


@pytest.mark.parametrize("damage", [b"", b"no log" * 100])
def test_file_that_is_no_log_does_not_fit(judged: House, damage: bytes) -> None:
    log = path_of(judged).with_name("playground.db-wal")
    judged.store.close()
    log.write_bytes(damage)
    assert not fits(path_of(judged))


def test_another_reader_does_not_delete_the_log(judged: House) -> None:
    """A process that closes a file loses all its locks on it, and the other would take itself for the last user."""
    with judged.store.reading() as first, judged.store.reading() as second:  # opens a second connection
        assert first.count_votes() == second.count_votes() == 1
    look = f"import sqlite3; c = sqlite3.connect({str(path_of(judged))!r}); c.execute('SELECT * FROM votes'); c.close()"
    subprocess.run([sys.executable, "-c", look], check=True)
    assert judged.battles.vote("battle-2", "b", ADA).choice == "b"
