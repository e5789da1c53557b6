"""The address by which a panel's raters come: it is answered with one that has no id, or with words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from playground.clock import Clock
from playground.errors import KeysUnavailable, StorageError
from playground.settings import Settings
from playground.ui.http.limits import RateLimits
from playground.ui.http.middleware import PageMiddleware
from playground.ui.http.panel import PanelEntry
from tests.support.cast import House, house
from tests.support.paneling import RATER, SESSION, Paneled, ids, paneled
from tests.ui.http.test_rate import elsewhere

LINK = {"study": "helpful", **ids()}


class Entry:
    """The route over a study of a panel."""

    def __init__(self, study: Paneled, settings: Settings) -> None:
        self.study = study
        self.arena: Any = SimpleNamespace(studies=study.studies)
        limits = RateLimits(settings, Clock(monotonic=lambda: 0.0))
        self.app = PageMiddleware(PanelEntry(elsewhere, self.arena, limits))

    def get(self, query: str | dict[str, str], path: str = "/rate", method: str = "GET", root: str = "") -> Any:
        """Return status, headers and body."""
        return asyncio.run(self._get(query if isinstance(query, str) else urlencode(query), path, method, root))

    async def _get(self, query: str, path: str, method: str, root: str) -> Any:
        said: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        scope: Any = {
            "type": "http",
            "method": method,
            "path": path,
            "root_path": root,
            "query_string": query.encode("latin-1"),
            "client": ("203.0.113.7", 1),
            "headers": [(b"host", b"here"), (b"accept", b"text/html")],
        }
        await self.app(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
        return said[0]["status"], headers, b"".join(message.get("body", b"") for message in said[1:]).decode()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    home = house(tmp_path)
    yield home
    home.store.close()


@pytest.fixture
def entry(home: House) -> Entry:
    return Entry(paneled(home, 6), Settings())


@pytest.mark.parametrize(("path", "root", "start"), [
    ("/rate", "", "./rate"), ("/rate/", "", "../rate"), ("/rate", "/play", "/play/rate"),
])  # fmt: skip
def test_link_opens_the_page_without_the_id(entry: Entry, path: str, root: str, start: str) -> None:
    status, headers, body = entry.get(LINK, path, root=root)
    found = re.fullmatch(r"(.*)\?study=helpful#key=([0-9a-f]{32})", headers["location"])
    assert (status, body) == (303, "")
    assert found is not None
    assert found[1] == start
    assert RATER not in headers["location"]
    assert SESSION not in headers["location"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert entry.study.next(found[2]).view is not None


def test_second_visit_leads_to_the_same_place(entry: Entry) -> None:
    assert entry.get(LINK)[1]["location"] == entry.get(LINK)[1]["location"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({**LINK, "PROLIFIC_PID": "a'<b>"}, "PROLIFIC_PID in this link does not have the form of an id"),
        ({**LINK, "STUDY_ID": "0" * 24}, "This link is for another study"),
        ({"study": "helpful", "PROLIFIC_PID": RATER}, "STUDY_ID is missing"),
        ({"study": "helpful", "rater": "ada", "sig": "0" * 64}, "PROLIFIC_PID is missing"),
        ({**LINK, "study": "other"}, "There is no study for a panel at this address"),
        (ids(), "There is no study for a panel at this address"),
        (f"{urlencode(LINK)}&PROLIFIC_PID={'0' * 24}", "This link is damaged"),
        (f"{urlencode(LINK)}&x=%ff", "This link is damaged"),
        (f"{urlencode(LINK)}&x=é", "This link is damaged"),
        (urlencode(LINK) + "&x=1" * 60, "This link is damaged"),
    ],
)
def test_invalid_link_is_refused_in_words(entry: Entry, query: Any, said: str) -> None:
    status, headers, page = entry.get(query)
    assert (status, "location" in headers) == (403, False)
    assert "<h1>This link does not open the study</h1>" in page
    assert said in page
    assert RATER not in page
    assert entry.study.study.rows("SELECT count(*) FROM study_raters") == [(0,)]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeysUnavailable("The signature cannot be checked now."), "The signature cannot be checked now."),
        (StorageError("/home/me/db is locked"), "The study cannot be opened now. Try the link again in a minute."),
    ],
)
def test_what_passes_is_no_refusal(entry: Entry, error: Exception, said: str) -> None:
    def enter(*_: object) -> str:
        raise error

    entry.arena.studies = SimpleNamespace(enter=enter)
    status, _, page = entry.get(LINK)
    assert status == 503
    assert said in page


def test_links_are_limited_as_pages_are(home: House) -> None:
    entry = Entry(paneled(home, 6), Settings(views_per_minute=2))
    statuses = [entry.get(LINK)[0] for _ in range(60)]
    assert statuses[0] == 303
    assert statuses[-1] == 429


@pytest.mark.parametrize(
    ("query", "path", "method"),
    [
        ("study=helpful", "/rate", "GET"),
        ("", "/rate", "GET"),
        (urlencode(LINK), "/leaderboard", "GET"),
        (urlencode(LINK), "/rate", "HEAD"),
        (urlencode(LINK), "/rate", "POST"),
    ],
)
def test_all_else_passes(entry: Entry, query: str, path: str, method: str) -> None:
    assert entry.get(query, path, method)[0] == 404
    assert entry.study.study.rows("SELECT count(*) FROM study_raters") == [(0,)]


def test_key_of_the_page_opens_what_the_link_named(entry: Entry) -> None:
    fragment = parse_qs(entry.get(LINK)[1]["location"].partition("#")[2])
    assert entry.study.enter() == fragment["key"][0]
