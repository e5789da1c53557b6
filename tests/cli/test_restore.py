"""The command `restore`."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.cli import main
from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from tests.support.cast import House, house
from tests.support.judging import afternoon, hashes, judge, keep_journal, settled


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    made = house(tmp_path / "home")
    yield made
    made.store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return journal_folder(tmp_path / "home" / "playground.db")


def run(*argv: str) -> tuple[int, str]:
    out = io.StringIO()
    return main(argv, out), out.getvalue()


@pytest.mark.proves("database deleted")
def test_command_restores_a_missing_database(
    home: House, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    afternoon(home)
    keep_journal(home.store)
    expected = hashes(home.store)
    home.store.close()
    db = tmp_path / "home" / "playground.db"
    db.unlink()
    status, text = run("restore", "--db", str(db))
    assert status == 0
    assert "9 votes and undos added" in text
    status, text = run("restore", str(folder), "--db", str(db), "--json")
    assert status == 0
    document = json.loads(text)
    assert (document["votes_added"], document["votes_there"], document["missing"]) == (0, 9, 0)
    assert capsys.readouterr().err == ""
    with Store(db) as store:
        assert settled(store, home) == expected


def test_command_is_refused_while_running(home: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    assert run("restore", "--db", str(tmp_path / "home" / "playground.db"))[0] == 1
    assert "another process writes to" in capsys.readouterr().err
