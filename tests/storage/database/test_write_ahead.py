"""The write-ahead log that a kill leaves beside a database."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from playground.errors import DatabaseBroken
from playground.storage.database.store import Store
from playground.storage.database.write_ahead import log_fits
from playground.storage.maintenance.backup import backup
from tests.support.cast import ADA, House, house
from tests.support.storing import many_votes, path_of, votes_in


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path)
    made.battle_is_open("battle-1")
    made.battle_is_open("battle-2")
    made.battles.vote("battle-1", "a", ADA)
    yield made
    made.store.close()


@pytest.mark.proves("a foreign write-ahead log")
def test_foreign_log_beside_a_backup_is_refused(home: House) -> None:
    """After a kill, a backup replaces the database but not its log."""
    path = path_of(home)
    saved, log = path.with_name("saved.db"), path.with_name("playground.db-wal")
    backup(path, saved)
    many_votes(home, 150)  # enough to checkpoint the log more than once, so that it begins in the middle
    left = log.read_bytes()
    home.store.close()
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


def test_log_left_by_a_kill_fits(home: House, tmp_path: Path) -> None:
    home.battles.erase(ADA)
    for number in range(4):
        many_votes(home, 40, first=40 * number)
        killed = copy_as_killed(path_of(home), tmp_path / str(number))
        assert fits(killed)
        with closing(sqlite3.connect(killed)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            assert fits(copy_as_killed(killed, tmp_path / f"{number}-home-already"))
        assert "many-0" in votes_in(killed)


def test_log_beside_an_older_copy_does_not_fit(home: House, tmp_path: Path) -> None:
    path = path_of(home)
    home.store.close()
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
def test_file_that_is_no_log_does_not_fit(home: House, damage: bytes) -> None:
    log = path_of(home).with_name("playground.db-wal")
    home.store.close()
    log.write_bytes(damage)
    assert not fits(path_of(home))


def test_another_reader_does_not_delete_the_log(home: House) -> None:
    """A process that closes a file loses all its locks on it, and the other would take itself for the last user."""
    with home.store.reading() as first, home.store.reading() as second:  # opens a second connection
        assert first.count_votes() == second.count_votes() == 1
    look = f"import sqlite3; c = sqlite3.connect({str(path_of(home))!r}); c.execute('SELECT * FROM votes'); c.close()"
    subprocess.run([sys.executable, "-c", look], check=True)
    assert home.battles.vote("battle-2", "b", ADA).choice == "b"
