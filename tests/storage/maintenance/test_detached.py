"""Long reads that no vote waits for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from playground.errors import StorageError
from playground.storage.database.statements import Reading
from playground.storage.database.store import Store
from playground.storage.database.tables import transaction
from playground.storage.maintenance.detached import detached
from tests.support.cast import ADA, House, house
from tests.support.patience import wait_until
from tests.support.storing import file_size_limit, voted


def test_store_with_readers_of_its_own_is_read_itself(tmp_path: Path) -> None:
    home = house(tmp_path)
    with detached(home.store, tmp_path) as apart:
        assert apart is home.store
    home.store.close()


def test_vote_does_not_wait_for_a_reader_on_a_network_mount(tmp_path: Path) -> None:
    home = House(Store(tmp_path / "playground.db", exclusive=True))
    voted(home)
    home.battle_is_open("battle-2")
    (folder := tmp_path / "copy").mkdir()
    with detached(home.store, folder) as apart, apart.reading() as reading:
        assert reading.count_votes() == 1
        voting = threading.Thread(target=home.battles.vote, args=("battle-2", "a", ADA))
        voting.start()
        voting.join(30)
        assert not voting.is_alive()
        assert reading.count_votes() == 1
        assert home.store.count_votes() == 2
    assert list(folder.iterdir()) == []
    home.store.close()


def test_vote_given_while_the_database_is_copied_is_in_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "COPY_PAGES", 8)
    home = House(Store(tmp_path / "playground.db", exclusive=True))
    voted(home)
    home.battle_is_open("battle-2")
    pauses = 0

    def vote_once() -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 2:
            home.battles.vote("battle-2", "a", ADA)

    with home.store.reading() as reading:
        Reading(reading._connection, vote_once).copy_to(tmp_path / "copy.db")
    assert pauses > 2
    with Store(tmp_path / "copy.db", read_only=True) as copy, copy.reading() as reading:
        assert reading.count_votes() == 2
        assert reading.scalar("PRAGMA integrity_check") == "ok"
    home.store.close()


def test_pause_of_a_copy_lets_a_waiting_vote_through(tmp_path: Path) -> None:
    home = House(Store(tmp_path / "playground.db", exclusive=True))
    home.battle_is_open()
    voting = threading.Thread(target=home.battles.vote, args=("battle-1", "a", ADA))
    with home.store.reading() as reading:
        voting.start()
        assert reading._pause is not None
        wait_until(lambda: (reading._pause(), not voting.is_alive())[1])
        assert reading.count_votes() == 1
    home.store.close()


def test_copy_without_space_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    home = House(Store(tmp_path / "playground.db", exclusive=True))
    voted(home)
    (folder := tmp_path / "copy").mkdir()
    with file_size_limit(20_000), pytest.raises(StorageError), detached(home.store, folder):
        pass
    assert list(folder.iterdir()) == []
    assert home.store.count_votes() == 1
    home.store.close()
