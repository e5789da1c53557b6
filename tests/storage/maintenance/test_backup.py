"""A backup is one complete file, a snapshot."""

from __future__ import annotations

import io
import json
import os
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from playground.cli import main
from playground.errors import DatabaseBroken, InvalidValue, StorageError
from playground.storage.database.migrations import schema_version
from playground.storage.database.store import Store
from playground.storage.maintenance.backup import backup
from tests.support.cast import ADA, House, house
from tests.support.paths import ROOT


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    """An open playground with one vote, which is still in the log."""
    made = house(tmp_path)
    made.battle_is_open()
    made.battles.vote("battle-1", "a", ADA)
    assert (tmp_path / "playground.db-wal").stat().st_size > 0
    yield made
    made.store.close()


def path_of(home: House) -> Path:
    assert home.store.path is not None
    return home.store.path


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_backup_includes_the_log(home: House, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "saved.db"
    target.parent.mkdir()
    made = backup(path_of(home), target)
    assert (made.path, made.size_bytes) == (target, target.stat().st_size)
    assert (made.rows["battles"], made.rows["votes"], made.rows["battle_sides"]) == (1, 1, 2)
    assert names_in(target.parent) == {"saved.db"}
    with Store(target) as store:
        assert store.battle("battle-1") == home.store.battle("battle-1")


def test_backup_during_votes_is_a_snapshot(home: House, tmp_path: Path) -> None:
    ended, trouble = threading.Event(), list[BaseException]()

    def voter() -> None:
        number = 1
        try:
            while not ended.is_set() or number < 20:
                number += 1
                home.battle_is_open(f"battle-{number}")
                home.battles.vote(f"battle-{number}", "a", ADA)
        except BaseException as error:  # noqa: BLE001  # shown by the assertion below
            trouble.append(error)

    thread = threading.Thread(target=voter)
    thread.start()
    saved = [backup(path_of(home), tmp_path / f"saved-{number}.db") for number in range(5)]
    ended.set()
    thread.join()
    assert trouble == []
    for made in saved:
        with Store(made.path) as store:
            assert store.count_votes() == made.rows["votes"] == len(list(store.judged_pairs()))
            assert made.rows["votes"] <= made.rows["battles"] <= made.rows["votes"] + 1


def test_backup_replaces_an_earlier_one(home: House, tmp_path: Path) -> None:
    for count in (1, 2):
        assert backup(path_of(home), tmp_path / "saved.db").rows["battles"] == count
        home.battle_is_open(f"battle-{count + 1}")


def test_other_versions_can_be_backed_up(home: House, tmp_path: Path) -> None:
    home.store.close()
    for version in (schema_version() - 1, schema_version() + 1):
        with closing(sqlite3.connect(path_of(home), isolation_level=None)) as raw:
            raw.execute(f"PRAGMA user_version = {version}")
        assert backup(path_of(home), tmp_path / "saved.db").rows["votes"] == 1


@pytest.mark.parametrize(
    "name", ["playground.db", "./playground.db", "playground.db-wal", "playground.db.lock", "link", "hard"]
)
def test_database_itself_is_never_overwritten(home: House, tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to("playground.db")
    os.link(path_of(home), tmp_path / "hard")
    with pytest.raises(InvalidValue, match="belongs to the database itself"):
        backup(path_of(home), tmp_path / name)
    assert home.store.count_votes() == 1


def test_target_must_be_a_file(home: House, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="is a folder; name a file"):
        backup(path_of(home), tmp_path)
    with pytest.raises(StorageError, match="there is no folder"):
        backup(path_of(home), tmp_path / "missing" / "saved.db")


def test_damaged_database_keeps_the_earlier_backup(home: House, tmp_path: Path) -> None:
    for number in range(2, 40):
        home.battle_is_open(f"battle-{number}")
    home.store.close()
    (tmp_path / "saved.db").write_bytes(b"earlier")
    content = bytearray(path_of(home).read_bytes())
    page = content.rindex(b"Grey waves") // 4096
    content[page * 4096 : page * 4096 + 100] = b"\xff" * 100
    path_of(home).write_bytes(content)
    with pytest.raises(DatabaseBroken, match=r"playground\.db is damaged"):
        backup(path_of(home), tmp_path / "saved.db")
    assert (tmp_path / "saved.db").read_bytes() == b"earlier"
    assert not [name for name in names_in(tmp_path) if name.endswith(".part")]


def test_command_prints_what_it_copied(home: House, tmp_path: Path) -> None:
    out = io.StringIO()
    target = tmp_path / "saved.db"
    assert main(["backup", str(target), "--db", str(path_of(home))], out) == 0
    assert out.getvalue().startswith(f"{target}: 0.")
    assert "1 battle and 1 row of votes and undos" in out.getvalue()
    out = io.StringIO()
    assert main(["backup", str(target), "--db", str(path_of(home)), "--json"], out) == 0
    document = json.loads(out.getvalue())
    assert (document["path"], document["size_bytes"], document["rows"]["votes"]) == (
        str(target),
        target.stat().st_size,
        1,
    )


@pytest.mark.slow
def test_full_disk_leaves_no_file(home: House, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "playground", "backup", str(folder / "saved.db"), "--db", str(path_of(home))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)),
    )
    assert done.returncode == 1
    assert "saved.db cannot be written" in done.stderr
    assert done.stderr.count("\n") == 1
    assert names_in(folder) == set()
