"""Database files that are deleted or replaced while they are open."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from playground.errors import DatabaseBroken
from playground.storage.database.file_identity import FileIdentity
from playground.storage.database.store import Store
from playground.storage.maintenance.backup import backup
from tests.support.cast import ADA, House, battle
from tests.support.storing import path_of, votes_in


@pytest.mark.proves("database deleted")
@pytest.mark.parametrize("name", ["playground.db", "playground.db-wal"])
def test_deleted_file_takes_no_vote_until_restored(judged: House, name: str) -> None:
    judged.battles.vote("battle-1", "a", ADA)
    file = path_of(judged).with_name(name)
    file.rename(file.with_name("away"))
    with pytest.raises(DatabaseBroken, match=r"was deleted or moved while the playground runs; nothing was saved"):
        judged.battles.vote("battle-2", "a", ADA)
    with pytest.raises(DatabaseBroken):  # again
        judged.battles.create(battle("battle-3"))
    file.with_name("away").rename(file)
    judged.battles.vote("battle-2", "b", ADA)
    judged.store.close()
    assert votes_in(path_of(judged)) == ["battle-1", "battle-2"]


def test_replaced_file_takes_no_vote(judged: House) -> None:
    path = path_of(judged)
    backup(path, path.with_name("saved.db"))
    shutil.copy(path.with_name("saved.db"), path.with_name("new.db"))
    content = path.with_name("saved.db").read_bytes()
    path.with_name("new.db").replace(path)
    with pytest.raises(DatabaseBroken, match="was replaced while the playground runs"):
        judged.battles.vote("battle-2", "a", ADA)
    judged.store.close()
    assert path.read_bytes() == content
    assert votes_in(path) == ["battle-1"]


@pytest.mark.proves("database deleted")
def test_file_deleted_before_commit_acknowledges_nothing(judged: House) -> None:
    def work(writing: object) -> str:
        path_of(judged).unlink()
        return "acknowledged"

    with pytest.raises(DatabaseBroken, match="was deleted"):
        judged.store.write(work)


def test_deleted_file_on_network_mount_takes_no_vote(tmp_path: Path) -> None:
    with Store(tmp_path / "playground.db", exclusive=True) as store:
        made = House(store)
        made.battle_is_open()
        (tmp_path / "playground.db").unlink()
        with pytest.raises(DatabaseBroken, match="was deleted"):
            made.battles.vote("battle-1", "a", ADA)


def test_inaccessible_log_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / f"{'p' * 250}.db"  # its log's name is too long for the system
    path.touch()
    with pytest.raises(DatabaseBroken, match="cannot be accessed"):
        FileIdentity(path).check()
