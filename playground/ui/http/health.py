"""``/health`` for monitors: whether votes can be taken, and what else is not as it should be.

Boundary: pure ASGI, on a thread of its own, so that it answers whatever Gradio's queue and the other threads do. Tells
numbers, states and kinds of errors; no path, key, host, rater, battle or instruction.
"""

from __future__ import annotations

import asyncio
import json
import platform
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gradio import __version__ as gradio_version

import playground
from playground.arena.arena import Arena
from playground.arena.listing import public_statuses
from playground.clock import Clock
from playground.errors import PlaygroundError
from playground.ui.http.middleware import ASGIApp, Receive, Scope, Send

PATH = "/health"
PATIENCE_S = 5.0
"""A database that gives no answer for so long takes no votes."""
FRESH_S = 1.0
"""A report so old is still given to whoever asks: asking takes the locks that a vote takes."""
LAG_EVENTS = 1000
"""A journal that is further behind is worth a look."""
OK, DEGRADED, FAILING = "ok", "degraded", "failing"


class HealthRoute:
    """Answers GET and HEAD of `PATH`, passes everything else on; 200 while votes can be taken, else 503."""

    def __init__(self, app: ASGIApp, arena: Arena, patience_s: float = PATIENCE_S, clock: Clock | None = None) -> None:
        self._app = app
        self._arena = arena
        self._patience_s = patience_s
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
        body = json.dumps(report).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        status = 503 if report["status"] == FAILING else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _report(self) -> dict[str, Any]:
        """While an answer is being made, and fresh, everybody gets that one: a flood of monitors is one question."""
        if self._asked is None or (self._asked.done() and self._clock.monotonic() - self._asked_s >= FRESH_S):
            self._asked, self._asked_s = self._thread.submit(health, self._arena), self._clock.monotonic()
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._asked)), self._patience_s)
        except TimeoutError:
            return {"status": FAILING, "database": {"writable": False, "error": "no answer"}}


def health(arena: Arena) -> dict[str, Any]:
    """What there is to report, but for the time that the process has been up."""
    database, journal = _database(arena), _journal(arena)
    workers = [{"model": s.model_id, "state": s.state} for s in public_statuses(arena.models.statuses())]
    running, most = len(arena.capacity), arena.capacity.count
    sound = not journal.get("error") and journal.get("lag", 0) <= LAG_EVENTS
    sound = sound and running < most and all(worker["state"] != "failed" for worker in workers)
    return {
        "status": FAILING if not database["writable"] else OK if sound else DEGRADED,
        "database": database,
        "journal": journal,
        "workers": workers,
        "queue": {"running": running, "waiting": arena.num_waiting, "max": most},
        "versions": {
            "playground": playground.__version__,
            "python": platform.python_version(),
            "gradio": gradio_version,
            "sqlite": database.pop("sqlite", ""),
        },
    }


def _database(arena: Arena) -> dict[str, Any]:
    """Asked by an empty transaction: it takes the locks that a vote takes, and writes nothing."""
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


def _journal(arena: Arena) -> dict[str, Any]:
    """How many events are in the database alone, and whether writing them down failed; empty where there is none."""
    try:
        state = arena.journal
    except PlaygroundError as error:
        return {"error": type(error).__name__}
    return {} if state is None else {"lag": state.lag, "error": "see the log" if state.error else ""}
