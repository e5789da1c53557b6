"""A hundred visitors browse, look inside formats, rate and export at once: every request is answered."""

from __future__ import annotations

import json
import random
import secrets
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from playground.exchange import FORMATS
from playground.rater_ids import COOKIE
from tests.conftest import LiveApp, start_app, stop_app, without_models
from tests.support.cast import House, house
from tests.support.judged_playground import fill
from tests.support.page_events import event_of

pytestmark = pytest.mark.long

VISITORS, ROUNDS, JUDGED = 100, 3, 400
FILTERS = ("", "?words=sea", "?origin=person&mode=blind", "?models=pocket-galpaca", "?winner=tie&since=2026-11-01")
LIMITS = {"PLAYGROUND_VIEWS_PER_MINUTE": "600", "PLAYGROUND_VOTES_PER_MINUTE": "60"}
"""The limits as they are by default."""


@dataclass
class Seen:
    """Answers of all visitors: statuses, durations by kind of request, sizes of files."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    durations_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    problems: list[str] = field(default_factory=list)

    def line(self, kind: str) -> str:
        took_s = sorted(self.durations_s[kind])
        middle, late = took_s[len(took_s) // 2], took_s[int(len(took_s) * 0.95)]
        return f"{kind}: {len(took_s)}, median {middle:.2f} s, p95 {late:.2f} s, longest {took_s[-1]:.2f} s"


class Visitor:
    """A visitor with their own cookie and address, and an open battle to vote on."""

    def __init__(self, app: LiveApp, number: int, show: int, seen: Seen) -> None:
        self._url, self._show, self._seen, self._number = app.url, show, seen, number
        self._headers = {
            "Content-Type": "application/json",
            "Cookie": f"{COOKIE}={secrets.token_hex(16)}",
            "X-Forwarded-For": f"93.184.{number // 200}.{number % 200 + 1}",
        }

    def visit(self) -> None:
        chance = random.Random(self._number)
        for turn in range(ROUNDS):
            query = chance.choice(FILTERS)
            self.ask("page", f"/data{query}")
            self.look("list", query)
            name = chance.choice(sorted(FORMATS.keys() - {"llm-comparator"}))
            self.look("look inside", f"{query or '?'}&format={name}")
            container = chance.choice(FORMATS[name].containers).removeprefix(".")
            self.ask("file", f"/data/export{query or '?'}&format={name}&container={container}")
            if turn == 0:
                self.vote()

    def look(self, kind: str, query: str) -> None:
        said = self.ask(
            kind, "/gradio_api/run/predict", {"fn_index": self._show, "data": [query, "1"], "session_hash": "s"}
        )
        if b"data-battles-head" not in said:
            self._seen.problems.append(said.decode()[:300])

    def vote(self) -> None:
        call = {"data": [f"{self._number:032x}".replace("0", "f", 1), "a", [], ""], "session_hash": "s"}
        said = json.loads(self.ask("vote", "/gradio_api/run/vote", call))
        if not said["data"][0]["accepted"]:
            self._seen.problems.append(str(said))

    def ask(self, kind: str, path: str, body: Any = None) -> bytes:
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, sent, self._headers)
        began = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=300) as reply:
                status, said, length = reply.status, reply.read(), reply.headers["content-length"]
        except urllib.error.HTTPError as error:
            status, said, length = error.code, error.read(), None
            self._seen.problems.append(f"{path}: {status} {said[:200]!r}")
        self._seen.statuses[kind, status] += 1
        self._seen.durations_s[kind].append(time.perf_counter() - began)
        if kind == "file" and status == 200 and len(said) != int(length):
            self._seen.problems.append(f"{path}: {len(said)} of {length} bytes")
        return bytes(said)


def prepared(folder: Path) -> None:
    """Store judged battles, and an open one for each visitor, which whoever holds its id may judge."""
    fill(folder, JUDGED)
    home: House = house(folder)
    for number in range(VISITORS):
        home.battle_is_open(f"{number:032x}".replace("0", "f", 1), source="api", owner="api")
    home.store.close()


def test_hundred_visitors_who_browse_rate_and_export_at_once_get_no_error(tmp_path: Path) -> None:
    prepared(tmp_path)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    settings = {"PLAYGROUND_DATA": "public", "FORWARDED_ALLOW_IPS": "127.0.0.1", "TMPDIR": str(temporary), **LIMITS}
    settings |= {"PLAYGROUND_EXPIRE_S": "1e9"}  # the battles are of the past
    app = start_app(tmp_path, *without_models(tmp_path), **settings)
    seen = Seen()
    try:
        show = event_of(app, "data-show", "click")
        visitors = [Visitor(app, number, show, seen) for number in range(VISITORS)]
        began = time.perf_counter()
        with ThreadPoolExecutor(VISITORS) as threads:
            for done in [threads.submit(visitor.visit) for visitor in visitors]:
                done.result()
        took_s = time.perf_counter() - began
        with urllib.request.urlopen(f"{app.url}/health", timeout=60) as reply:
            health = json.load(reply)
    finally:
        stop_app(app)
    print(f"\n{VISITORS} visitors, {took_s:.1f} s", *(seen.line(kind) for kind in seen.durations_s), sep="\n")
    assert seen.problems == []
    assert {status for _, status in seen.statuses} == {200}
    assert seen.statuses["file", 200] == VISITORS * ROUNDS
    assert health["database"]["vote_rows"] >= JUDGED + VISITORS
    assert list(temporary.glob("playground-export-*")) == []
    assert "Traceback" not in app.log.read_text()
