"""The command `verify`."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.cli import main
from playground.storage.journal import segments
from playground.storage.journal.segments import journal_folder
from tests.support.cast import House, house
from tests.support.judging import afternoon, keep_journal


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path)
    afternoon(made)
    keep_journal(made.store)
    yield made
    made.store.close()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "playground.db"


@pytest.fixture
def folder(db: Path) -> Path:
    return journal_folder(db)


def run(*argv: str) -> tuple[int, str]:
    out = io.StringIO()
    return main(argv, out), out.getvalue()


def test_command_prints_findings(home: House, db: Path, folder: Path) -> None:
    status, text = run("verify", "--db", str(db))  # the store is open for writing
    assert status == 0
    assert "are intact and agree: 5 battles" in text
    assert json.loads(run("verify", "--db", str(db), "--json")[1]) == []
    [segment] = segments.segments(folder)
    segment.unlink()
    status, text = run("verify", "--db", str(db))
    assert status == 1
    assert "votes that are not in the journal yet: 9 (" in text
    assert "start the playground" in text
    status, text = run("verify", "--db", str(db), "--json")
    assert status == 1
    assert {frozenset(row) for row in json.loads(text)} == {frozenset(("what", "next_step"))}


def test_command_changes_nothing(home: House, db: Path, folder: Path) -> None:
    home.store.close()
    before = {path: path.read_bytes() for path in [db, *folder.rglob("*.jsonl")]}
    assert run("verify", "--db", str(db))[0] == 0
    assert {path: path.read_bytes() for path in [db, *folder.rglob("*.jsonl")]} == before
