"""The route that sends a copy of the database to commands on this machine."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from playground.storage.database.store import Store
from playground.ui.http import database_copy
from playground.ui.http.database_copy import HEADER, PATH, DatabaseCopy
from tests.support.asking import ask
from tests.support.cast import ADA, House

TOKEN = "t" * 43


@pytest.fixture(params=[True, False], ids=["mounted", "shared"])
def store(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    with Store(tmp_path / "playground.db", exclusive=request.param) as made:
        home = House(made)
        home.battle_is_open()
        home.battles.vote("battle-1", "a", ADA)
        yield made


@pytest.mark.parametrize(
    ("method", "address", "token"),
    [
        ("POST", PATH, ""),
        ("POST", PATH, "t" * 42),
        ("POST", PATH, "ä" * 43),
        ("GET", PATH, TOKEN),
        ("HEAD", PATH, TOKEN),
        ("POST", "/", TOKEN),
        ("POST", f"{PATH}/", TOKEN),
    ],
)
def test_route_does_not_exist_without_the_token(method: str, address: str, token: str) -> None:
    route: Any = lambda app: DatabaseCopy(app, SimpleNamespace(store=None), TOKEN)  # noqa: E731
    assert ask(route, method=method, address=address, headers={HEADER: token}).behind is not None


@pytest.mark.parametrize("length", [0, 1])
def test_copy_is_a_whole_database_and_is_gone_afterwards(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    parts: list[bytes] = []

    async def send(message: Any) -> None:
        parts.append(message.get("body", b""))

    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "headers": [(HEADER.encode(), TOKEN.encode())],
    }
    route = DatabaseCopy(None, SimpleNamespace(store=store), TOKEN)  # type: ignore[arg-type]
    for _ in range(length + 1):
        parts.clear()
        asyncio.run(route(scope, None, send))  # type: ignore[arg-type]
    (tmp_path / "sent.db").write_bytes(b"".join(parts))
    with Store(tmp_path / "sent.db", read_only=True) as copy:
        assert copy.count_votes() == 1
    with closing(sqlite3.connect(tmp_path / "sent.db")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert list((tmp_path / "temporary").iterdir()) == []
    House(store).battles.undo("battle-1", ADA)


def test_full_disk_is_said(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/dev/full")
    route: Any = lambda app: DatabaseCopy(app, SimpleNamespace(store=store), TOKEN)  # noqa: E731
    answer = ask(route, method="POST", address=PATH, headers={HEADER: TOKEN})
    assert answer.status == 503
    assert "error" in answer.body


def test_copy_that_breaks_off_ends_no_response(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Then the server closes the connection, and the command has fewer bytes than it was told."""
    monkeypatch.setattr(database_copy, "CHUNK_BYTES", 4096)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        if len(sent) == 3:
            raise ConnectionResetError("gone")
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": PATH, "headers": [(HEADER.encode(), TOKEN.encode())]}
    route = DatabaseCopy(None, SimpleNamespace(store=store), TOKEN)  # type: ignore[arg-type]
    asyncio.run(route(scope, None, send))  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["http.response.start", *["http.response.body"] * 2]
    assert all(message["more_body"] for message in sent[1:])
    assert "a copy of the database was not sent to its end: gone" in caplog.text
