"""The command `erase`."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from playground.battles import Battles, RaterData
from playground.cli import main
from playground.rater_ids import rater_id
from playground.records import Belongings
from playground.storage.database.store import Store
from playground.storage.journal.journal import Journal
from playground.storage.journal.segments import journal_folder
from tests.support.cast import GALPACA, MAMBA, House, battle
from tests.support.storing import files_containing, voted

SECRET = "ab" * 16


def erase(*argv: str) -> tuple[int, str]:
    out = io.StringIO()
    return main(["erase", *argv], out), out.getvalue()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "playground.db"
    with Store(path) as store:
        journal = Journal(store, journal_folder(path))
        voted(House(store), owner=rater_id(SECRET))
        journal.close()
    return path


def test_erase_previews(db: Path) -> None:
    status, words = erase("--receipt", SECRET, "--db", str(db))
    assert status == 0
    assert words.startswith("would erase the words of 1 battle and 1 note (comments and reports) of ")
    with Store(db) as store:
        assert RaterData(Battles(store)).totals(rater_id(SECRET)).battles == 1


@pytest.mark.parametrize("whose", [("--receipt", SECRET), ("--rater", rater_id(SECRET))])
def test_erase_by_receipt_and_by_id(db: Path, whose: tuple[str, str]) -> None:
    assert {Path(name).suffix for name, _ in files_containing(db.parent, "herring")} == {".db", ".jsonl"}
    status, words = erase(*whose, "--yes", "--json", "--db", str(db))
    assert status == 0
    assert json.loads(words) == {"rater": rater_id(SECRET), "erased": True, "battles": 1, "notes": 1, "panel_ids": 0}
    assert files_containing(db.parent, "herring") == []


def test_erase_ends_interrupted_battles(db: Path) -> None:
    with Store(db) as store:
        Battles(store).create(battle("battle-2", models=(MAMBA, GALPACA), owner=rater_id(SECRET)))
    assert erase("--receipt", SECRET, "--yes", "--db", str(db))[0] == 0
    with Store(db) as store:
        assert RaterData(Battles(store)).totals(rater_id(SECRET)) == Belongings(0, 2, 1, 0)


@pytest.mark.slow
def test_erase_refusals(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store(db):
        assert erase("--receipt", SECRET, "--yes", "--db", str(db))[0] == 1
    assert f"another process writes to {db}" in capsys.readouterr().err
    assert erase("--rater", "nobody", "--db", str(db))[0] == 1
    assert "nothing is stored of the rater 'nobody'" in capsys.readouterr().err
    assert erase("--receipt", "abc", "--db", str(db))[0] == 1
    assert "not a receipt" in capsys.readouterr().err


@pytest.mark.slow
def test_erase_reports_leftovers(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(db, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM battles").fetchone() == (1,)
        status, words = erase("--receipt", SECRET, "--yes", "--db", str(db))
        assert (status, words.split(":")[0]) == (1, "erased")
        assert "erased, but bytes of it may be left in the file" in capsys.readouterr().err
        assert erase("--leftovers", "--json", "--db", str(db)) == (1, '{\n  "leftovers": true\n}\n')
        reader.execute("ROLLBACK")
    assert erase("--leftovers", "--db", str(db)) == (0, f"no erased text is left in {db}\n")
    assert files_containing(db.parent, "herring") == []


@pytest.mark.parametrize("arguments", [("--leftovers",), ("--rater", "api", "--yes"), ("--rater", "api")])
def test_erase_creates_no_database(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert erase(*arguments, "--db", str(tmp_path / "no.db"))[0] == 1
    assert list(tmp_path.iterdir()) == []


def test_receipt_can_be_read_from_stdin(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET.upper()}\n"))
    assert "would erase the words of 1 battle" in erase("--receipt", "-", "--db", str(db))[1]
