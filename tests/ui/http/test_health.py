"""``/health`` of a playground that works, that is full, and that cannot store votes."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playground.arena.arena import Arena
from playground.clock import Clock
from playground.raters import new_secret, rater_id
from playground.settings import Settings
from playground.ui.http.asgi import Scope
from playground.ui.http.health import HealthRoute
from playground.ui.http.middleware import COOKIE
from tests.arena.test_arena import write_card
from tests.conftest import ROOT, LiveApp, models_are_up
from tests.support.checkpoints import write_checkpoint
from tests.support.patience import wait_until
from tests.support.processes import frozen_models
from tests.support.serving import Playground, playground

PAIR = ["pocket-orca-mini", "pocket-galpaca"]


def fetch(url: str, body: Any = None, method: str | None = None, **headers: str) -> tuple[int, bytes]:
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, sent, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def health(app: LiveApp | Playground) -> tuple[int, dict[str, Any]]:
    status, body = fetch(f"{app.url}/health")
    return status, json.loads(body)


def begin(app: LiveApp | Playground, endpoint: str, **fields: Any) -> str:
    """Begin a call; return the address of its result."""
    base = f"{app.url}/gradio_api/call/v2/{endpoint}"
    status, body = fetch(base, fields)
    assert status == 200, body
    return f"{base}/{json.loads(body)['event_id']}"


def last(stream: str) -> Any:
    """Return the last data of a stream, read to its end."""
    return json.loads(fetch(stream)[1].decode().strip().splitlines()[-1].removeprefix("data: "))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, models_of_one_process: None) -> Iterator[Playground]:
    """A page that takes two comparisons at once; each test leaves it as it was."""
    db = tmp_path_factory.mktemp("health") / "data" / "playground.db"
    with playground(Settings(db=db, models=",".join(PAIR), queue_max=2)) as page:
        yield page


def test_report_has_states_and_no_secret(live_app: LiveApp) -> None:
    battle = last(begin(live_app, "compare", instruction="What is the capital of France?", models=PAIR))[0]
    assert last(begin(live_app, "vote", battle_id=battle["battle_id"], choice="a"))[0]["accepted"] is True
    status, report = health(live_app)
    assert status == 200
    assert set(report) == {"status", "database", "journal", "workers", "queue", "versions", "uptime_s"}
    assert report["database"]["writable"] is True
    assert report["database"]["vote_rows"] >= 1
    assert report["journal"]["error"] == ""
    assert report["journal"]["lag"] >= 0
    assert set(report["queue"]) == {"running", "waiting", "max"}
    assert {worker["model"] for worker in report["workers"]} >= set(PAIR)
    assert set(report["versions"]) == {"playground", "python", "gradio", "sqlite"}
    assert report["uptime_s"] > 0
    said = json.dumps(report)
    for secret in (str(ROOT), str(live_app.db.parent), os.uname().nodename, "127.0.0.1", battle["battle_id"], "France"):
        assert secret not in said


def test_head_gets_the_status_alone(live_app: LiveApp) -> None:
    assert fetch(f"{live_app.url}/health", method="HEAD") == (200, b"")


@pytest.mark.proves("queue full")
def test_full_queue_takes_votes_and_tells_comparisons_the_wait(page: Playground) -> None:
    ask = {"instruction": "What is the capital of France?", "models": PAIR}
    models_are_up(page.url)
    before = [last(begin(page, "compare", **ask))[0]["battle_id"] for _ in range(2)]
    wait_until(lambda: health(page)[1]["queue"]["running"] == 0)
    with frozen_models(os.getpid()):
        streams = [begin(page, "compare", **ask) for _ in range(2)]
        wait_until(lambda: health(page)[1]["queue"] == {"running": 2, "waiting": 2, "max": 2})
        refused = last(begin(page, "compare", **ask))["error"]
        assert refused.startswith("2 comparisons are being written now, as many as this playground takes at once.")
        assert "done in about " in refused
        status, report = health(page)
        assert (status, report["status"]) == (200, "degraded")
        for battle_id in before:
            assert last(begin(page, "vote", battle_id=battle_id, choice="tie"))[0]["accepted"] is True
    for stream in streams:
        assert last(stream)[0]["state"] == "open"
    wait_until(lambda: health(page)[1]["queue"]["running"] == 0)
    assert last(begin(page, "compare", **ask))[0]["state"] == "open"


def test_report_is_503_while_votes_cannot_be_stored(page: Playground) -> None:
    assert health(page)[0] == 200
    page.db.rename(page.db.with_name("gone.db"))
    wait_until(lambda: health(page)[0] == 503)  # a report is reused for a second
    status, report = health(page)
    assert (status, report["status"]) == (503, "failing")
    assert report["database"]["writable"] is False
    assert str(page.db.parent) not in json.dumps(report)
    page.db.with_name("gone.db").rename(page.db)
    wait_until(lambda: health(page)[0] == 200)


@pytest.mark.usefixtures("models_of_one_process")
def test_report_is_reused_for_a_second(tmp_path: Path) -> None:
    (cards := tmp_path / "cards").mkdir()
    for kind in ("llama", "opt"):
        write_card(cards, write_checkpoint(tmp_path / kind, kind))
    db, at_s = tmp_path / "data" / "playground.db", 1000.0
    arena = Arena(Settings(db=db, cards=str(cards), models="tiny-llama,tiny-opt"))
    route = HealthRoute(nobody, arena, clock=Clock(monotonic=lambda: at_s))

    async def statuses() -> list[int]:
        return [await asked(route) for _ in range(3)]

    arena.open()
    try:
        assert asyncio.run(statuses()) == [200] * 3
        db.rename(tmp_path / "gone.db")
        assert asyncio.run(statuses()) == [200] * 3
        at_s += 1.0
        assert asyncio.run(statuses()) == [503] * 3
        (tmp_path / "gone.db").rename(db)
        assert asyncio.run(statuses()) == [503] * 3
    finally:
        arena.close()


async def nobody(scope: Scope, receive: Any, send: Any) -> None:
    raise AssertionError("a request to /health is passed on")


async def asked(route: HealthRoute) -> int:
    """Return the status of one response."""
    statuses = []

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    await route({"type": "http", "path": "/health", "method": "GET", "headers": []}, nobody, send)
    return int(statuses[0])


def test_report_has_no_rater(live_app: LiveApp) -> None:
    secret = new_secret()
    status, body = fetch(f"{live_app.url}/health", **{"Cookie": f"{COOKIE}={secret}"})
    assert status == 200
    assert secret not in body.decode()
    assert rater_id(secret) not in body.decode()
