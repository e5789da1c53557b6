"""The route ``/health`` for monitors: it says if votes can be stored, and what else needs attention.

Boundary: pure ASGI, on a thread of its own, so that it answers even if Gradio's queue or other threads hang. It tells
numbers, states and kinds of errors; no path, key, host, rater, battle or instruction.
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gradio import __version__ as gradio_version

import playground
from playground.arena.arena import Arena
from playground.arena.listing import public_statuses
from playground.clock import Clock
from playground.errors import PlaygroundError
from playground.ratings.gate_watch import GateState
from playground.records import ModelStatus
from playground.spaces.marker import built_code
from playground.spaces.sources import ROOT
from playground.ui.http.asgi import ASGIApp, Receive, Scope, Send
from playground.ui.http.responses import respond_json
from playground.ui.texts import health as texts

PATH = "/health"
TIMEOUT_S = 5.0
"""A database that has not answered by then takes no votes."""
FRESH_S = 1.0
"""The time for which a report is reused: making one takes the locks that a vote takes."""
LAG_EVENTS = 1000
"""The lag of the journal above which the status is degraded."""
SILENT_S = 20.0
"""The silence of a model that is writing above which the status is degraded; after a minute its process is replaced."""
OK, DEGRADED, FAILING = "ok", "degraded", "failing"


class HealthRoute:
    """Answer GET and HEAD of `PATH` with 200 while votes can be stored, else with 503; pass everything else on."""

    def __init__(self, app: ASGIApp, arena: Arena, timeout_s: float = TIMEOUT_S, clock: Clock | None = None) -> None:
        self._app = app
        self._arena = arena
        self._timeout_s = timeout_s
        self._clock = clock or Clock()
        self._since_s = self._clock.monotonic()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._asked: Future[dict[str, Any]] | None = None
        self._asked_s = 0.0
        self._build = built_code(ROOT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].rstrip("/") != PATH or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        report = {**await self._report(), "uptime_s": round(self._clock.monotonic() - self._since_s, 1)}
        await respond_json(scope, send, 503 if report["status"] == FAILING else 200, report)

    async def _report(self) -> dict[str, Any]:
        """Return the report that is being made or is fresh, else a new one: many monitors cost one report a second."""
        if self._asked is None or (self._asked.done() and self._clock.monotonic() - self._asked_s >= FRESH_S):
            self._asked, self._asked_s = self._thread.submit(health, self._arena, self._build), self._clock.monotonic()
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._asked)), self._timeout_s)
        except TimeoutError:
            return {
                "status": FAILING,
                "reasons": [texts.NOT_WRITABLE],
                "database": {"writable": False, "error": "no answer"},
            }


def health(arena: Arena, build: str = "") -> dict[str, Any]:
    """Return the report, without the time that the process has been up; `build` names the code of a built Space."""
    database, journal, store = _database(arena), _journal(arena), _store(arena)
    statuses = public_statuses(arena.models.statuses())
    running, most = len(arena.capacity), arena.capacity.count
    sqlite = database.pop("sqlite", "")
    reasons = [
        *_storage_reasons(arena, database, journal),
        *_store_reasons(store),
        *([texts.FULL.format(running=running)] if running >= most else []),
        *(reason for status in statuses for reason in model_reasons(status)),
        *gate_reasons(arena),
    ]
    return {
        "status": FAILING if not database["writable"] else DEGRADED if reasons else OK,
        "reasons": reasons,
        "database": database,
        "journal": journal,
        **({"store": store} if store else {}),
        "workers": [{"model": status.model_id, "state": status.state} for status in statuses],
        "reports": _reports(arena),
        "left_out": _left_out(arena),
        "queue": {"running": running, "waiting": arena.num_waiting, "max": most},
        "versions": {
            "playground": playground.__version__,
            "python": platform.python_version(),
            "gradio": gradio_version,
            "sqlite": sqlite,
            **({"build": build} if build else {}),
        },
    }


def _storage_reasons(arena: Arena, database: Mapping[str, Any], journal: Mapping[str, Any]) -> Iterator[str]:
    if not database["writable"]:
        yield texts.READ_ONLY if arena.read_only else texts.NOT_WRITABLE
    if arena.disk_space.is_short:
        yield texts.DISK_SHORT.format(mb=arena.settings.min_free_mb)
    if journal.get("error"):
        yield texts.JOURNAL_ERROR
    elif journal.get("lag", 0) > LAG_EVENTS:
        yield texts.JOURNAL_LAG.format(lag=journal["lag"])


def _store_reasons(store: Mapping[str, Any]) -> Iterator[str]:
    if store.get("error"):
        yield texts.STORE_ERROR
    if store.get("late"):
        yield texts.STORE_LATE.format(waiting=store["waiting"])
    if store.get("warnings"):
        yield texts.STORE_WARNINGS


def model_reasons(status: ModelStatus) -> Iterator[str]:
    """Yield what needs attention about one model."""
    if status.state == "failed":
        yield texts.MODEL_FAILED.format(model=status.model_id)
    elif status.restarts:
        yield texts.MODEL_RESTARTS.format(model=status.model_id)
    elif status.silent_s >= SILENT_S:
        yield texts.MODEL_SILENT.format(silent_s=status.silent_s)


def _database(arena: Arena) -> dict[str, Any]:
    """Try an empty transaction: it takes the locks that a vote takes, and writes nothing."""
    try:
        with arena.store.reading() as reading:
            (rows, last), sqlite = reading.last_vote(), reading.sqlite_version()
        known = {"vote_rows": rows, "last_vote": last, "sqlite": sqlite}
    except PlaygroundError as error:
        return {"writable": False, "error": type(error).__name__}
    try:
        arena.store.write(lambda writing: None)
    except PlaygroundError as error:
        return {"writable": False, "error": type(error).__name__, **known}
    return {"writable": True, **known}


def _reports(arena: Arena) -> dict[str, Any]:
    """Return the number of reports that wait for the operator; empty if the database cannot be read."""
    try:
        return {"new": arena.moderation.counts().reports}
    except PlaygroundError:  # `database` says why
        return {}


def gate_reasons(arena: Arena) -> Iterator[str]:
    """Yield the gates that leave out more votes today than the days before explain."""
    watch = arena.gate_watch.latest
    for check in watch.warnings if watch is not None else ():
        yield texts.GATE.format(left_out=check.left_out, votes=check.votes, words=arena.policy.words(check.reason))


def _left_out(arena: Arena) -> dict[str, Any]:
    """Return the votes of the last days, how many are left out by reason, and each gate's state."""
    watch = arena.gate_watch.latest
    if watch is None:
        return {"state": GateState.UNKNOWN}
    return {
        "state": watch.state,
        "gates": {check.reason: check.state for check in watch.checks},
        "days": [{"day": day.day, "votes": day.votes, "left_out": dict(day.left_out)} for day in watch.days],
    }


def _journal(arena: Arena) -> dict[str, Any]:
    """Return how many events the journal is behind, and its error if there is one; empty without a journal."""
    try:
        state = None if arena.journal is None else arena.journal.state
    except PlaygroundError as error:
        return {"error": type(error).__name__}
    return {} if state is None else {"lag": state.lag, "error": "see the log" if state.error else ""}


def _store(arena: Arena) -> dict[str, Any]:
    """Return how far the store on the hub is behind, and if it fails; empty without a store."""
    try:
        state = None if arena.journal is None else arena.journal.sync
    except PlaygroundError as error:
        return {"error": type(error).__name__}
    if state is None:
        return {}
    return {
        "votes": state.votes,
        "waiting": state.waiting,
        "age_s": None if state.age_s is None else round(state.age_s, 1),
        "late": state.is_late,
        "error": "see the log" if state.error else "",
        "warnings": len(state.warnings),
    }
