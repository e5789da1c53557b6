"""A database that does not fit its journal is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from playground.arena.arena import Arena
from playground.errors import DatabaseBroken
from playground.settings import Settings
from playground.storage.database.store import Store
from playground.storage.journal.journal import Journal
from tests.support.cast import House, house
from tests.support.judging import afternoon, hashes, judge, keep_journal
from tests.support.storing import seqs


@pytest.mark.proves("database empty")
def test_new_database_beside_a_journal_is_refused(home: House, folder: Path, tmp_path: Path) -> None:
    afternoon(home)
    keep_journal(home.store)
    lines = len(seqs(folder))
    home.store.close()
    for path in tmp_path.glob("playground.db*"):
        if path.is_file():
            path.unlink()
    (tmp_path / "playground.db").touch()
    arena = Arena(Settings(db=tmp_path / "playground.db"))
    message = rf"holds no vote, but its journal .*\.journal holds {lines} lines.*playground restore --db .*or move"
    for _ in range(2):
        with pytest.raises(DatabaseBroken, match=message):
            arena.open()
        arena.close()


def test_database_older_than_its_journal_is_refused(home: House, folder: Path, tmp_path: Path) -> None:
    judge(home, "battle-1")
    home.store.close()
    shutil.copy(tmp_path / "playground.db", tmp_path / "backup.db")
    with Store(tmp_path / "playground.db") as store:
        judge(House(store), "battle-2")
        keep_journal(store)
    shutil.copy(tmp_path / "backup.db", tmp_path / "playground.db")
    with Store(tmp_path / "playground.db") as store:
        with pytest.raises(DatabaseBroken, match=r"older than its journal: it ends with event 1, .* up to event 2"):
            Journal(store, folder)
        shutil.move(folder, tmp_path / "away")
        keep_journal(store)


def test_database_of_another_journal_is_refused(home: House, folder: Path, tmp_path: Path) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    other = house(tmp_path / "other")
    for number in range(5):
        judge(other, f"battle-{number}")
    with pytest.raises(DatabaseBroken, match="another database than the one of the journal"):
        Journal(other.store, folder)
    other.store.close()


def test_journal_may_lag(home: House, folder: Path) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    judge(home, "battle-2")
    before = hashes(home.store)
    keep_journal(home.store)
    assert hashes(home.store) == before
    assert seqs(folder) == [1, 2]
