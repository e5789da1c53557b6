"""The route ``/health`` for monitors: it says if votes can be stored, and what else needs attention.

Boundary: pure ASGI, on a thread of its own, so that it answers even if Gradio's queue or other threads hang. It tells
numbers, states and kinds of errors; no path, key, host, rater, battle or instruction.
"""

from __future__ import annotations

import asyncio
import platform
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gradio import __version__ as gradio_version

import playground
from playground.arena.arena import Arena
from playground.arena.listing import public_statuses
from playground.clock import Clock
from playground.errors import PlaygroundError
from playground.ui.http.asgi import ASGIApp, Receive, Scope, Send
from playground.ui.http.responses import respond_json

PATH = "/health"
TIMEOUT_S = 5.0
"""A database that has not answered by then takes no votes."""
FRESH_S = 1.0
"""The time for which a report is reused: making one takes the locks that a vote takes."""
LAG_EVENTS = 1000
"""The lag of the journal above which the status is degraded."""
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].rstrip("/") != PATH or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        report = {**await self._report(), "uptime_s": round(self._clock.monotonic() - self._since_s, 1)}
        await respond_json(scope, send, 503 if report["status"] == FAILING else 200, report)

    async def _report(self) -> dict[str, Any]:
        """Return the report that is being made or is fresh, else a new one: many monitors cost one report a second."""
        if self._asked is None or (self._asked.done() and self._clock.monotonic() - self._asked_s >= FRESH_S):
            self._asked, self._asked_s = self._thread.submit(health, self._arena), self._clock.monotonic()
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._asked)), self._timeout_s)
        except TimeoutError:
            return {"status": FAILING, "database": {"writable": False, "error": "no answer"}}


def health(arena: Arena) -> dict[str, Any]:
    """Return the report, without the time that the process has been up."""
    database, journal, store = _database(arena), _journal(arena), _store(arena)
    workers = [{"model": s.model_id, "state": s.state} for s in public_statuses(arena.models.statuses())]
    running, most = len(arena.capacity), arena.capacity.count
    sound = not journal.get("error") and journal.get("lag", 0) <= LAG_EVENTS
    sound = sound and not (store.get("late") or store.get("error") or store.get("warnings"))
    sound = sound and running < most and all(worker["state"] != "failed" for worker in workers)
    return {
        "status": FAILING if not database["writable"] else OK if sound else DEGRADED,
        "database": database,
        "journal": journal,
        **({"store": store} if store else {}),
        "workers": workers,
        "reports": _reports(arena),
        "queue": {"running": running, "waiting": arena.num_waiting, "max": most},
        "versions": {
            "playground": playground.__version__,
            "python": platform.python_version(),
            "gradio": gradio_version,
            "sqlite": database.pop("sqlite", ""),
        },
    }


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
