"""The command `restore`."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.cli import main
from playground.publishing.hub import Dataset
from playground.storage.database.store import Store
from playground.storage.journal.segments import journal_folder
from tests.support.cast import House, house
from tests.support.hub_server_datasets import STORE, DatasetServer, datasets_for
from tests.support.judging import afternoon, hashes, judge, keep_journal, settled
from tests.support.synced import started


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


def test_command_without_a_journal_creates_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("restore", str(tmp_path / "no.journal"), "--db", str(tmp_path / "playground.db"))[0] == 1
    assert "there is no journal in" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.slow
def test_command_is_refused_while_running(home: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge(home, "battle-1")
    keep_journal(home.store)
    assert run("restore", "--db", str(tmp_path / "home" / "playground.db"))[0] == 1
    assert "another process writes to" in capsys.readouterr().err


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DatasetServer]:
    with datasets_for(monkeypatch, tmp_path) as server:
        yield server


def test_command_restores_from_the_store(
    home: House, hub: DatasetServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with started(tmp_path / "first", Dataset(STORE)) as first:
        afternoon(first.home)
        first.upload()
        pairs = list(first.store.judged_pairs())
    db = str(tmp_path / "new.db")
    code, text = run("restore", "--from", STORE, "--db", db)
    assert (code, "9 votes and undos added to" in text) == (0, True)
    code, text = run("restore", "--from", STORE, "--db", db, "--json")
    [counts] = json.loads(text)["journals"].values()
    assert (code, counts["votes_added"], counts["votes_there"]) == (0, 0, 9)
    with Store(Path(db)) as store:
        assert list(store.judged_pairs()) == pairs
    hub.tokens.clear()
    assert run("restore", "--from", STORE, "--db", db)[0] == 1
    assert "set HF_TOKEN" in capsys.readouterr().err


def test_command_names_what_the_store_lacks(hub: DatasetServer, tmp_path: Path) -> None:
    dataset = Dataset(STORE)
    with started(tmp_path / "first", dataset) as first:
        judge(first.home, "kept")
        first.upload()
        judge(first.home, "lost")
        first.upload()
    gone = max(path for path in hub.files() if path.endswith(".jsonl"))
    dataset.commit({}, [gone], "by hand")
    code, text = run("restore", "--from", STORE, "--db", str(tmp_path / "new.db"))
    assert (code, f"the store is not complete: {gone} is missing" in text) == (1, True)


def test_a_folder_may_be_the_origin_too(home: House, folder: Path, tmp_path: Path) -> None:
    judge(home, "kept")
    keep_journal(home.store)
    code, text = run("restore", "--from", str(folder), "--db", str(tmp_path / "new.db"))
    assert (code, "1 votes and undos added" in text) == (0, True)


def test_two_origins_are_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("restore", str(folder), "--from", STORE, "--db", str(tmp_path / "new.db"))[0] == 1
    assert "name one of them" in capsys.readouterr().err


def test_an_origin_that_is_neither_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("restore", "--from", "no-such-folder", "--db", str(tmp_path / "new.db"))[0] == 1
    assert "one looks like 'org/name'" in capsys.readouterr().err
    assert not (tmp_path / "new.db").exists()
