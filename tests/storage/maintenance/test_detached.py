"""Long reads that no vote waits for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from playground.errors import StorageError
from playground.storage.database.store import Store
from playground.storage.maintenance.detached import detached
from tests.support.cast import ADA, House, house
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


def test_copy_without_space_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    home = House(Store(tmp_path / "playground.db", exclusive=True))
    voted(home)
    (folder := tmp_path / "copy").mkdir()
    with file_size_limit(20_000), pytest.raises(StorageError), detached(home.store, folder):
        pass
    assert list(folder.iterdir()) == []
    assert home.store.count_votes() == 1
    home.store.close()
