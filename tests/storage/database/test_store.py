"""The store: snapshots, opening and closing."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from queue import LifoQueue

import pytest

from playground.errors import DatabaseLocked, ReadTooLong, StorageError
from playground.storage.database import store as store_module
from playground.storage.database.inspection import pragma
from playground.storage.database.store import Store
from playground.storage.journal.entries import database_id
from tests.support.cast import ADA, House, card, house
from tests.support.memory import memory_store
from tests.support.starts import run_code

PRAGMAS = ("foreign_keys", "recursive_triggers")
OF_A_DATABASE = (*PRAGMAS, "application_id", "user_version", "secure_delete")


def test_reader_sees_a_snapshot(home: House) -> None:
    home.battle_is_open()
    with home.store.reading() as reading:
        assert reading.count_votes() == 0
        home.battles.vote("battle-1", "a", ADA)
        assert reading.count_votes() == 0
    assert home.store.count_votes() == 1


def test_unread_pairs_hold_no_connection(home: House) -> None:
    for number in range(20):
        home.battle_is_open(f"battle-{number}")
        home.battles.vote(f"battle-{number}", "a", ADA)
    for _ in range(20):
        next(home.store.judged_pairs())
    assert home.store._readers.qsize() <= 2


def test_closed_store_refuses_every_use(home: House) -> None:
    home.store.close()
    home.store.close()
    with pytest.raises(StorageError, match="closed"):
        home.store.upsert_model(card())
    with pytest.raises(StorageError, match="closed"):
        home.store.count_votes()


class Contended(LifoQueue[sqlite3.Connection]):
    """Idle connections; another thread takes the last one after each look."""

    def empty(self) -> bool:
        found = super().empty()
        if not found:
            self.get_nowait().close()
        return found


def test_close_does_not_wait_for_a_taken_connection(tmp_path: Path) -> None:
    store = Store(tmp_path / "playground.db")
    store._readers = Contended()
    assert store.count_votes() == 0
    closing = threading.Thread(target=store.close, daemon=True)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()


class ClosedOnReturn(LifoQueue[sqlite3.Connection]):
    """Idle connections of a store that is closed while one is returned."""

    store: Store
    returned: sqlite3.Connection

    def put_nowait(self, item: sqlite3.Connection) -> None:
        self.store.close()
        self.returned = item
        super().put_nowait(item)


def test_connection_returned_during_close_is_closed(tmp_path: Path) -> None:
    store = Store(tmp_path / "playground.db")
    readers = ClosedOnReturn()
    readers.store = store
    store._readers = readers
    assert store.count_votes() == 0
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        readers.returned.execute("SELECT 1")


def test_connections_have_the_pragmas(tmp_path: Path) -> None:
    for _ in ("made", "opened again"):
        store = Store(tmp_path / "playground.db")
        with store.reading() as reading:
            connections = [reading._connection, store.write(lambda writing: writing._connection)]
        for connection in connections:
            assert [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS] == [1, 1]
        assert connections[1].execute("PRAGMA synchronous").fetchone()[0] == 2
        store.close()


def test_missing_folder_is_created(tmp_path: Path) -> None:
    with Store(tmp_path / "a" / "b" / "playground.db") as store:
        store.upsert_model(card())
    assert (tmp_path / "a" / "b" / "playground.db").is_file()


def test_second_writer_is_refused(home: House) -> None:
    path = home.store.path
    assert path is not None
    with pytest.raises(DatabaseLocked, match=r"playground\.db\.lock"):
        Store(path, lock_wait_s=0.1)
    home.store.close()
    Store(path, lock_wait_s=0.1).close()


def test_second_process_can_only_read(home: House) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "b", ADA)
    code = (
        "import sys; from pathlib import Path\n"
        "from playground.errors import DatabaseLocked\n"
        "from playground.storage.database.store import Store; from tests.support.cast import card\n"
        "with Store(Path(sys.argv[1]), read_only=True) as store:\n"
        "    print(store.count_votes(), [pair.winner for pair in store.judged_pairs()])\n"
        "    try:\n        store.upsert_model(card())\n"
        "    except DatabaseLocked as error:\n        print(error)\n"
    )
    status, printed = run_code(code, str(home.store.path))
    assert status == 0
    assert printed.startswith("1 ['model_b']\n")
    assert "open for reading only" in printed


def test_reading_creates_no_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no database"):
        Store(tmp_path / "playground.db", read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StorageError, match="cannot be written to"):
        Store(tmp_path / "data" / "playground.db")


def test_closed_database_is_one_file(home: House) -> None:
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA)
    home.store.close()
    assert home.store.path is not None
    assert [path.name for path in home.store.path.parent.glob("playground.db-*")] == []


def test_store_in_memory_starts_no_thread() -> None:
    before = threading.active_count()
    with Store(None), Store(None):
        assert threading.active_count() == before


def test_copied_store_in_memory_is_as_a_migrated_one() -> None:
    def contents(store: Store) -> tuple[str, list[str]]:
        assert store._single is not None
        with store.reading() as reading:
            own = database_id(reading)
        lines = [line.replace(own, "") for line in store._single.iterdump() if "_sqlite_migrations" not in line]
        return own, [*lines, *(str(pragma(store._single, name)) for name in OF_A_DATABASE)]

    with memory_store() as copied, memory_store() as other, Store(None) as migrated:
        ids, lines = zip(*map(contents, (copied, other, migrated)), strict=True)
        assert len(set(ids)) == 3
        assert lines[0] == lines[1] == lines[2]


def test_stores_in_memory_are_separate() -> None:
    one, other = house(), house()
    one.battle_is_open()
    assert other.store.battle("battle-1") is None


def test_exclusive_store_has_no_log_and_locks_the_file(tmp_path: Path) -> None:
    path = tmp_path / "playground.db"
    with Store(path, exclusive=True) as store:
        House(store).battle_is_open()
        assert [p.name for p in tmp_path.glob("*-wal")] == []
        with (
            pytest.raises(DatabaseLocked, match="in use by another program"),
            Store(path, read_only=True, busy_s=0.05) as other,
        ):
            other.count_votes()
    with Store(path) as store:
        assert store.battle("battle-1") is not None


def test_exclusive_store_reads_an_earlier_log(tmp_path: Path) -> None:
    path = tmp_path / "playground.db"
    with Store(path) as store:
        House(store).battle_is_open()
    with Store(path, exclusive=True) as store:
        assert store.battle("battle-1") is not None
        assert store.count_votes() == 0


def test_read_for_which_votes_wait_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "STEPS", 1)
    for exclusive in (True, False):
        with Store(tmp_path / f"{exclusive}.db", exclusive=exclusive) as store:
            home = House(store)
            home.battle_is_open()
            if exclusive:
                with pytest.raises(ReadTooLong, match="took longer than votes may wait"), store.reading(-1) as reading:
                    reading.count_votes()
            else:
                with store.reading(-1) as reading:
                    assert reading.count_votes() == 0
            home.battles.vote("battle-1", "a", ADA)
            assert store.count_votes() == 1
