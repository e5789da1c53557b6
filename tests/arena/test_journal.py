"""The arena with a store on the hub: votes survive the loss of its disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.arena.arena import Arena
from playground.errors import DatasetError
from playground.ratings.policy import EVERY_VOTE
from playground.settings import Settings
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.verify import verify
from tests.support.cast import OPENALPACA, House
from tests.support.hub_server_datasets import STORE, DatasetServer, Fault, datasets_for
from tests.support.judging import ADA, BEN, judge, time_passes
from tests.support.replay import ReplayEngine, World
from tests.support.synced import battles_with_votes


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DatasetServer]:
    with datasets_for(monkeypatch, tmp_path) as server:
        yield server


def arena_in(folder: Path) -> Arena:
    settings = Settings(db=folder / "playground.db", models=OPENALPACA, store=STORE)
    return Arena(settings, engine=ReplayEngine(World()))


def test_a_lost_disk_is_restored_before_anybody_votes(hub: DatasetServer, tmp_path: Path) -> None:
    first = arena_in(tmp_path / "disk")
    first.open()
    home = House(first.store)
    for number in range(12):
        judge(home, f"vote-{number}", "aab"[number % 3], (ADA, BEN)[number % 2])
    time_passes(home)
    board, votes = first.leaderboard(policy=EVERY_VOTE), battles_with_votes(first.store)
    assert board.num_votes == len(votes) == 12
    first.close()
    shutil.rmtree(tmp_path / "disk")

    second = arena_in(tmp_path / "disk")
    second.open()
    assert battles_with_votes(second.store) == votes
    assert second.leaderboard(policy=EVERY_VOTE) == board
    assert second.journal is not None
    assert second.journal.sync is not None
    assert second.journal.sync.warnings == ()
    second.journal.close()
    assert verify(second.store, journal_folder(tmp_path / "disk" / "playground.db")) == []
    second.close()


def test_an_arena_does_not_open_beside_a_store_that_it_cannot_read(hub: DatasetServer, tmp_path: Path) -> None:
    hub.make()
    hub.always["info"] = Fault(403)
    arena = arena_in(tmp_path)
    with pytest.raises(DatasetError, match="nothing is started without them"):
        arena.open()
    arena.close()


def test_an_arena_without_a_store_asks_no_hub(hub: DatasetServer, tmp_path: Path) -> None:
    arena = Arena(Settings(db=tmp_path / "playground.db", models=OPENALPACA), engine=ReplayEngine(World()))
    arena.open()
    assert arena.journal is not None
    assert arena.journal.sync is None
    arena.close()
    assert hub.steps == []
