"""Commands beside a running playground that holds its mounted database alone."""

from __future__ import annotations

import io
import json
import socket
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from playground.cli import main
from playground.storage.database.running_app import RunningApp, announced, app_file, find_app
from tests.conftest import LiveApp, start_app, stop_app, without_models
from tests.support.cast import ADA, house


def run(*argv: str) -> tuple[int, str]:
    out = io.StringIO()
    return main(argv, out), out.getvalue()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    """A playground with one vote on a mounted database, and a password."""
    folder = tmp_path_factory.mktemp("mounted")
    home = house(folder)
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA, final=True, comment="Clear words.")
    home.store.close()
    app = start_app(folder, *without_models(folder), PLAYGROUND_DB_MOUNTED="true", PLAYGROUND_PASSWORD="sesame")
    yield app
    stop_app(app)
    assert not app_file(app.db).exists()


@pytest.mark.slow
def test_commands_get_what_they_need_from_the_running_app(
    app: LiveApp, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with closing(sqlite3.connect(app.db, timeout=0.1)) as other, pytest.raises(sqlite3.OperationalError):
        other.execute("SELECT count(*) FROM votes")
    db = ("--db", str(app.db))
    assert run("verify", "--json", *db) == (0, "[]\n"), capsys.readouterr().err
    status, board = run("leaderboard", "--json", *db)
    assert (status, json.loads(board)["all_votes"]) == (0, 1)
    assert run("export", "votes", str(tmp_path / "votes.jsonl"), *db)[0] == 0
    assert json.loads((tmp_path / "votes.jsonl").read_text())["comment"] == "Clear words."
    status, checked = run("import", "votes", str(tmp_path / "votes.jsonl"), "--dry-run", *db)
    assert (status, checked) == (0, "1 row: 0 would be imported, 1 already there, 0 refused\n")
    assert run("backup", str(tmp_path / "copy.db"), *db)[0] == 0
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM votes").fetchone() == (1,)
    assert run("erase", "--rater", ADA, *db)[0] == 0
    assert run("backup", str(app.db), *db)[0] == 1, "it would replace the database"
    assert "belongs to the database itself" in capsys.readouterr().err


@pytest.mark.slow
def test_token_is_private_and_opens_nothing_else(app: LiveApp) -> None:
    from tests.ui.http.test_health import fetch

    told = find_app(app.db)
    assert told is not None
    assert told.url == app.url
    assert stat.S_IMODE(app_file(app.db).stat().st_mode) == 0o600
    assert told.token not in app.log.read_text()
    post = {"body": {}, "method": "POST"}
    assert fetch(f"{app.url}/database-copy", **post, **{"X-Playground-App": told.token})[0] == 200
    assert fetch(f"{app.url}/database-copy", **post, **{"X-Playground-App": "wrong"})[0] == 401
    assert fetch(f"{app.url}/database-copy", **post)[0] == 401
    assert fetch(f"{app.url}/config", **{"X-Playground-App": told.token})[0] == 401
    foreign = {"X-Playground-App": told.token, "Origin": "https://evil.example"}
    assert fetch(f"{app.url}/database-copy", **post, **foreign)[0] == 403


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Path]:
    """A database that another program holds alone."""
    home = house(tmp_path)
    home.store.close()
    with closing(sqlite3.connect(tmp_path / "playground.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        yield tmp_path / "playground.db"


@pytest.mark.slow
def test_playground_that_does_not_answer_is_named(held: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with announced(held, RunningApp("http://127.0.0.1:1", "t" * 43)):
        assert run("verify", "--db", str(held))[0] == 1
    said = capsys.readouterr().err
    assert f"the playground at http://127.0.0.1:1 holds {held} alone and sent no copy" in said
    assert said.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("reply", [b"220 mail.example ready\r\n", b"HTTP/1.0 200 OK\r\n\r\nHello"])
def test_other_program_at_the_address_of_a_playground_is_an_error(
    held: Path, capsys: pytest.CaptureFixture[str], reply: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(reply)

        answering = threading.Thread(target=answer)
        answering.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with announced(held, RunningApp(url, "t" * 43)):
            assert run("verify", "--db", str(held))[0] == 1
        answering.join()
    said = capsys.readouterr().err
    assert f"the playground at {url} holds {held} alone and sent no copy: " in said
    assert said.count("\n") == 1


def test_program_that_cannot_be_asked_is_said(
    held: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.cli.database.BUSY_S", 0.05)
    assert run("leaderboard", "--db", str(held))[0] == 1
    assert f"another program holds {held} alone" in capsys.readouterr().err


def test_file_of_a_killed_app_does_not_matter(tmp_path: Path) -> None:
    home = house(tmp_path)
    home.battle_is_open()
    home.store.close()
    db = tmp_path / "playground.db"
    with announced(db, RunningApp("http://127.0.0.1:1", "t" * 43)):
        assert run("verify", "--db", str(db))[0] == 0
