"""``/health`` of a playground that works, that is full, and that cannot store votes."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from playground.arena.arena import Arena
from playground.clock import Clock
from playground.publishing.sync import SyncState
from playground.rater_ids import COOKIE, new_secret, rater_id
from playground.ratings.gate_watch import GateDay, watch
from playground.ratings.policy import CountingPolicy, ExclusionReason
from playground.records import ModelStatus
from playground.settings import Settings
from playground.ui.http.asgi import Scope
from playground.ui.http.health import HealthRoute, gate_reasons, model_reasons
from playground.ui.http.health import health as health_of
from tests.arena.test_arena import write_card
from tests.conftest import ROOT, LiveApp, models_are_up
from tests.support.checkpoints import write_checkpoint
from tests.support.patience import wait_until
from tests.support.processes import frozen_models
from tests.support.replay import ReplayEngine, World
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
    assert set(report) == {
        "status",
        "reasons",
        "database",
        "journal",
        "workers",
        "reports",
        "left_out",
        "queue",
        "versions",
        "uptime_s",
    }
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
        assert report["reasons"] == ["2 comparisons are running, as many as PLAYGROUND_QUEUE_MAX allows"]
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
    assert report["reasons"] == ["votes cannot be stored: the database does not take them"]
    assert report["database"]["writable"] is False
    assert str(page.db.parent) not in json.dumps(report)
    page.db.with_name("gone.db").rename(page.db)
    wait_until(lambda: health(page)[0] == 200)


def test_gate_that_jumps_is_a_reason() -> None:
    quick = ExclusionReason.TOO_QUICK
    before = [GateDay(f"2026-11-0{day}", 40, {quick: 2}) for day in range(1, 8)]
    watched = SimpleNamespace(latest=watch(before, GateDay("2026-11-08", 40, {quick: 20})))
    arena: Any = SimpleNamespace(gate_watch=watched, policy=CountingPolicy())
    [reason] = gate_reasons(arena)
    assert reason.startswith("today 20 of 40 votes were left out (decided in under 1 s)")
    watched.latest = None
    assert list(gate_reasons(arena)) == []


@pytest.mark.parametrize(
    ("status", "reasons"),
    [
        (ModelStatus("a", "ready", silent_s=19.9), []),
        (ModelStatus("a", "loading"), []),
        (ModelStatus("a", "ready", silent_s=20.4), ["a model has written nothing for 20 s"]),
        (ModelStatus("a", "loading", restarts=True), ["a is being started again: its process ended or hung"]),
        (ModelStatus("a", "failed"), ["a failed to load; the Models page says why"]),
    ],
)
def test_models_in_trouble_are_reasons(status: ModelStatus, reasons: list[str]) -> None:
    assert list(model_reasons(status)) == reasons


@pytest.mark.usefixtures("models_of_one_process")
def test_short_disk_degrades_the_status(tmp_path: Path) -> None:
    (cards := tmp_path / "cards").mkdir()
    for kind in ("llama", "opt"):
        write_card(cards, write_checkpoint(tmp_path / kind, kind))
    settings = Settings(db=tmp_path / "data" / "playground.db", cards=str(cards), models="tiny-llama,tiny-opt")
    arena = Arena(replace(settings, min_free_mb=10**12))
    arena.open()
    try:
        report = health_of(arena)
        assert report["status"] == "degraded"
        assert report["database"]["writable"] is True
        assert report["reasons"][0].startswith(f"less than {10**12} MB are free on the disk of the database")
    finally:
        arena.close()


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


@pytest.mark.slow  # a model counts as silent after 20 s
def test_worker_that_hangs_degrades_the_status(page: Playground) -> None:
    models_are_up(page.url)
    with frozen_models(os.getpid()):
        stream = begin(page, "compare", instruction="What is the capital of France?", models=PAIR)
        wait_until(lambda: health(page)[1]["status"] == "degraded")
        report = health(page)[1]
        assert report["reasons"]
        assert all(reason.startswith("a model has written nothing for") for reason in report["reasons"])
    assert last(stream)[0]["state"] == "open"
    wait_until(lambda: health(page)[1]["status"] == "ok")


def test_report_has_no_rater(live_app: LiveApp) -> None:
    secret = new_secret()
    status, body = fetch(f"{live_app.url}/health", **{"Cookie": f"{COOKIE}={secret}"})
    assert status == 200
    assert secret not in body.decode()
    assert rater_id(secret) not in body.decode()


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "ok"),
        ({"waiting": 3}, "ok"),
        ({"waiting": 3, "age_s": 9999.0}, "degraded"),
        ({"error": "the token hf_secret may not do this"}, "degraded"),
        ({"warnings": ("another playground of herd/votes",)}, "degraded"),
    ],
)
def test_a_store_that_is_late_or_fails_is_degraded_and_not_named(
    tmp_path: Path, changes: dict[str, Any], status: str
) -> None:
    arena = Arena(Settings(db=tmp_path / "playground.db", models="pocket-galpaca"), engine=ReplayEngine(World()))
    arena.open()
    state = replace(SyncState("herd/votes", 5, 0, 3.04, 100.0, "", (), 60.0), **changes)
    with arena_with(arena, state):
        report = health_of(arena)
    assert (report["status"], report["store"]["votes"]) == (status, 5)
    assert report["store"]["late"] is (status == "degraded" and "waiting" in changes)
    assert "herd" not in json.dumps(report)
    assert "hf_secret" not in json.dumps(report)
    assert "store" not in health_of(arena)
    arena.close()


@contextmanager
def arena_with(arena: Arena, state: SyncState) -> Iterator[None]:
    """Let an arena have a store in a state."""
    journal = arena.journal
    assert journal is not None
    arena.journal = SimpleNamespace(state=journal.state, sync=state)  # type: ignore[assignment]
    try:
        yield
    finally:
        arena.journal = journal
