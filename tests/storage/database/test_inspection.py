"""Files that are damaged, of another program, or of another version."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from playground.battles import Battles
from playground.cli import main
from playground.errors import DatabaseBroken, DatabaseLocked, DatabaseNewer, StorageError
from playground.storage.database.migrations import APPLICATION_ID, STEPS, schema_version
from playground.storage.database.store import Store, open_store
from tests.support.cast import ADA, House
from tests.support.storing import many_votes, path_of, votes_in


@pytest.mark.proves("database empty")
def test_empty_file_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "playground.db").touch()
    assert votes_in(tmp_path / "playground.db") == []


@pytest.mark.proves("database of random bytes")
@pytest.mark.parametrize(
    "content", [b"hello", b"\x00" * 5000, os.urandom(5000), b"SQLite format 4\x00" + b"\x00" * 4081]
)
@pytest.mark.parametrize("read_only", [False, True])
def test_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes, read_only: bool) -> None:
    path = tmp_path / "playground.db"
    path.write_bytes(content)
    with pytest.raises(DatabaseBroken):
        Store(path, read_only=read_only)
    assert path.read_bytes() == content


@pytest.mark.proves("database of random bytes")
def test_random_bytes_after_the_header_are_refused(judged: House) -> None:
    judged.store.close()
    path = path_of(judged)
    content = path.read_bytes()[:100] + os.urandom(8092)
    path.write_bytes(content)
    with pytest.raises(DatabaseBroken):
        Store(path)
    assert path.read_bytes() == content


@pytest.mark.proves("database with one bad page")
def test_damaged_page_is_refused(judged: House) -> None:
    many_votes(judged)
    judged.store.close()
    path = path_of(judged)
    content = bytearray(path.read_bytes())
    page = content.rindex(b"Grey waves") // 4096  # of an answer, which the start does not read
    content[page * 4096 : page * 4096 + 100] = b"\xff" * 100
    path.write_bytes(content)
    with pytest.raises(DatabaseBroken, match="damaged"):
        Store(path)
    assert path.read_bytes() == content


@pytest.mark.proves("database truncated")
def test_truncated_file_is_refused(judged: House) -> None:
    many_votes(judged)
    judged.store.close()
    path = path_of(judged)
    content = path.read_bytes()[: 4096 * 6]
    path.write_bytes(content)
    with pytest.raises(DatabaseBroken, match="damaged"):
        Store(path)
    assert path.read_bytes() == content


def newer_database(judged: House) -> Path:
    judged.store.close()
    with closing(sqlite3.connect(path_of(judged), isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode = DELETE")
        raw.execute(f"PRAGMA user_version = {schema_version() + 1}")
    return path_of(judged)


@pytest.mark.proves("a newer schema")
def test_newer_database_is_read_only(judged: House) -> None:
    path = newer_database(judged)
    content = path.read_bytes()
    with pytest.raises(DatabaseNewer, match="update the playground"):
        Store(path)
    with open_store(path) as store:
        assert store.read_only == (
            f"playground.db has schema {schema_version() + 1}, this version knows up to {schema_version()}; "
            "update the playground"
        )
        assert store.count_votes() == 1
        with pytest.raises(DatabaseLocked, match=r"reading only, so nothing was saved: playground\.db has schema"):
            Battles(store).vote("battle-2", "a", ADA)
    assert path.read_bytes() == content


@pytest.mark.proves("a newer schema")
def test_commands_read_a_newer_database_with_a_warning(judged: House, capsys: pytest.CaptureFixture[str]) -> None:
    path = newer_database(judged)
    content = path.read_bytes()
    for argv in (["leaderboard"], ["export", "votes", str(path.with_name("votes.jsonl"))]):
        assert main([*argv, "--db", str(path)]) == 0
        assert "update the playground" in capsys.readouterr().err
    assert path.with_name("votes.jsonl").read_text().count("\n") == 1
    assert path.read_bytes() == content


@pytest.mark.proves("an older schema")
def test_reader_does_not_migrate_an_older_database(tmp_path: Path) -> None:
    path = tmp_path / "older.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for step in STEPS[:-1]:
            step(raw)
        raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        raw.execute(f"PRAGMA user_version = {schema_version() - 1}")
    content = path.read_bytes()
    with pytest.raises(StorageError, match="start the playground once to migrate it"):
        Store(path, read_only=True)
    assert path.read_bytes() == content


def test_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "playground.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE votes (id)")
    other.commit()
    other.close()
    content = path.read_bytes()
    with pytest.raises(DatabaseBroken, match="another program"):
        Store(path)
    assert path.read_bytes() == content
