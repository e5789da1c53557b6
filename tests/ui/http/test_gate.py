"""Requests that reach Gradio and those that do not, sent as an ASGI server would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import gradio
import pytest
from starlette.requests import Request

from playground.errors import Busy
from playground.rater_ids import COOKIE
from playground.settings import Settings
from playground.ui.http.asgi import Scope
from playground.ui.http.calls import PREFIX, Endpoint, GradioEndpoints
from playground.ui.http.gate import CallGate, check_pace
from playground.ui.http.limits import MOST_OPEN, RateLimits
from playground.ui.http.operator import HEADER, OperatorAccess, OperatorGate
from playground.ui.http.turnstile import Turnstile

COMPARE = Endpoint(0, "compare", 1, {"instruction": True})
COMPARE_ON_PAGE = Endpoint(3, "compare_1", 1, None)
VOTE = Endpoint(1, "vote_3", 1)
LOOK = Endpoint(2, "refresh", 1)
FAR, HERE = "203.0.113.7", "127.0.0.1"
TOKEN = "x" * 32
SECRET = "ab" * 16
OPERATOR = {HEADER: TOKEN}
PAGES = ("/", "/leaderboard")


@dataclass
class Answer:
    """The response to a request, and the bodies that the app was given."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seen: list[bytes] = field(default_factory=list)
    refusal: str = ""

    @property
    def words(self) -> str:
        return str(json.loads(self.body)["error"])


@dataclass
class Page:
    """An app behind the gate that gives a set response and records its requests."""

    settings: Settings = field(default_factory=Settings)
    status: int = 200
    says: bytes = b'{"data": []}'

    def __post_init__(self) -> None:
        self.limits = RateLimits(self.settings)
        self.turnstile = Turnstile()
        self.reached: list[int] = []  # events, in their order
        self.answers = asyncio.Event()
        self.answers.set()

    def ask(self, path: str, body: Any = None, host: str = FAR, **headers: str) -> Answer:
        return asyncio.run(self.asked(path, body, host, **headers))

    async def asked(self, path: str, body: Any = None, host: str = FAR, **headers: str) -> Answer:
        answer = Answer()

        async def app(scope: Scope, receive: Any, send: Any) -> None:
            if scope["method"] == "POST":
                answer.seen.append((await receive())["body"])
                self.reached.append(json.loads(answer.seen[-1]).get("fn_index", -1))
            try:
                check_pace(gradio.Request(Request(scope)))
            except Busy as busy:
                answer.refusal = str(busy)
            await self.answers.wait()
            kind = [(b"content-type", b"application/json"), (b"content-length", str(len(self.says)).encode())]
            await send({"type": "http.response.start", "status": self.status, "headers": kind})
            await send({"type": "http.response.body", "body": self.says})

        sent = [body if isinstance(body, bytes) else json.dumps(body).encode()]

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": sent.pop(), "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answer.body += message.get("body", b"")

        scope = {
            "type": "http",
            "method": "GET" if body is None else "POST",
            "path": path,
            "client": (host, 1),
            "headers": [(b"host", b"127.0.0.1"), *((k.encode(), v.encode()) for k, v in headers.items())],
        }
        endpoints = GradioEndpoints.of((COMPARE, VOTE, LOOK, COMPARE_ON_PAGE))
        gate = CallGate(app, self.limits, self.turnstile, lambda _: endpoints, PAGES)
        await OperatorGate(gate, OperatorAccess(TOKEN))(scope, receive, send)
        return answer

    def call(self, endpoint: Endpoint, **more: str) -> Answer:
        return self.ask(f"{PREFIX}run/x", {"fn_index": endpoint.index, "data": ["hi"]}, **more)


def test_call_reaches_the_page_whole() -> None:
    answer = Page().call(VOTE)
    assert answer.status == 200
    assert [json.loads(body) for body in answer.seen] == [{"data": ["hi"], "fn_index": 1}]


def test_bad_call_does_not_reach_the_page() -> None:
    answer = Page().ask(f"{PREFIX}run/x", b"{")
    assert (answer.status, answer.words, answer.seen) == (400, "the body is not valid JSON", [])
    assert Page().ask(f"{PREFIX}upload", {}).status == 404


@pytest.mark.parametrize(
    "path", ["file=/etc/passwd", "proxy=http://x", "vibe-code", "dev/reload", "runs", "deep_link", "heartbeat/abc"]
)
def test_other_routes_of_gradio_are_closed(path: str) -> None:
    assert Page().ask(PREFIX + path).words == "There is no page at this address."


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/monitoring", "/login", "/config.json", "/assets", "/x"])
def test_other_paths_are_closed(path: str) -> None:
    assert Page().ask(path).words == "There is no page at this address."
    assert Page().ask(f"{path}/").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/leaderboard",
        "/config",
        "/assets/index.js",
        "/static/img/logo.svg",
        "/favicon.ico",
        "/theme.css",
        "/robots.txt",
    ],
)
def test_pages_and_their_files_are_open(path: str) -> None:
    assert Page().ask(path).status == 200


@pytest.mark.parametrize(
    ("path", "seen_from"),
    [("/leaderboard/", "/play/leaderboard/"), ("/config/", "/a/b/config/")],
)
def test_trailing_slash_redirects_below_any_path(path: str, seen_from: str) -> None:
    answer = Page().ask(path)
    assert answer.status == 301
    base = f"https://example.org{seen_from}"
    assert urljoin(base, answer.headers["location"]) == base.rstrip("/")


@pytest.mark.parametrize("path", ["/", "/leaderboard", f"{PREFIX}info", f"{PREFIX}queue/data"])
def test_routes_that_the_page_reads_are_open(path: str) -> None:
    assert Page().ask(path).status == 200


@pytest.mark.proves("more requests than a rater may send")
def test_program_that_calls_too_often_gets_429_with_the_wait() -> None:
    page = Page(Settings(compares_per_minute=2))
    assert [page.call(COMPARE).status for _ in range(3)] == [200, 200, 429]
    refused = page.call(COMPARE)
    assert refused.words == "Too many comparisons: each visitor may start 2 a minute. Try again in 30 s."
    assert refused.headers["retry-after"] == "30"
    assert refused.seen == []


def test_limit_of_a_programs_name_counts_per_address() -> None:
    page, ann = Page(Settings(compares_per_minute=1)), {"x-playground-rater": "ann"}
    assert [page.call(COMPARE, **ann).status for _ in range(2)] == [200, 429]
    assert page.call(COMPARE, host="203.0.113.8", **ann).status == 200
    assert page.call(COMPARE, **{"x-playground-rater": "ben"}).status == 200


@pytest.mark.proves("more requests than a rater may send")
def test_handler_learns_that_its_event_came_too_soon() -> None:
    page, cookie = Page(Settings(votes_per_minute=1)), {"cookie": f"a=b; {COOKIE}={SECRET}"}
    assert page.call(VOTE, **cookie).refusal == ""
    again = page.call(VOTE, **cookie)
    assert (again.status, len(again.seen)) == (200, 1), "Gradio's page does not show the message of a 429"
    assert again.refusal == "Too many votes: each visitor may send 1 a minute. Try again in 60 s."
    assert page.call(LOOK, **cookie).refusal == ""


@pytest.mark.proves("more requests than a rater may send")
def test_rater_is_limited_across_addresses() -> None:
    page, cookie = Page(Settings(votes_per_minute=1)), {"cookie": f"{COOKIE}={SECRET}"}
    assert page.call(VOTE, **cookie).refusal == ""
    assert page.call(VOTE, host="203.0.113.8", **cookie).refusal


@pytest.mark.parametrize("foreign", ['prefs={"theme":"dark"}', "a=\xff\x80", 'q="'])
def test_foreign_cookie_hides_no_rater_from_the_limits(foreign: str) -> None:
    page = Page(Settings(votes_per_minute=1))
    assert page.call(VOTE, cookie=f"{foreign}; {COOKIE}={SECRET}").refusal == ""
    assert page.call(VOTE, host="203.0.113.8", cookie=f"{COOKIE}={SECRET}; {foreign}").refusal


def test_refused_events_of_the_page_count_as_views() -> None:
    page = Page(Settings(votes_per_minute=1, views_per_minute=5))
    assert [page.call(VOTE).status for _ in range(7)] == [200] * 5 + [429] * 2


def test_malformed_calls_count() -> None:
    page = Page(Settings(views_per_minute=3))
    assert [page.ask(f"{PREFIX}run/x", b"{").status for _ in range(5)] == [400, 400, 400, 429, 429]


def test_pages_count_and_their_files_do_not() -> None:
    page = Page(Settings(views_per_minute=2))
    assert [page.ask("/assets/index.js").status for _ in range(5)] == [200] * 5
    assert [page.ask("/").status for _ in range(3)] == [200, 200, 429]


def test_browser_gets_a_refusal_as_a_page() -> None:
    page = Page(Settings(views_per_minute=1))
    browser = {"accept": "text/html,application/xhtml+xml"}
    assert page.ask("/", **browser).status == 200
    refused = page.ask("/", **browser)
    assert (refused.status, refused.headers["content-type"]) == (429, "text/html; charset=utf-8")
    assert refused.headers["retry-after"] == "60"
    assert "<p>Too many requests: each visitor may send 1 a minute." in refused.body.decode()
    assert page.ask("/", accept="*/*").words.startswith("Too many requests")
    assert page.ask("/<b>", **browser).body.decode().count("<p>There is no page at this address.</p>") == 1


@dataclass
class Crowd:
    """Requests to one page that stay open until all have been counted."""

    page: Page
    path: str = f"{PREFIX}queue/data"

    def statuses(self, count: int, then: Callable[[], Awaitable[Answer]], **more: str) -> tuple[list[int], Answer]:
        """Return the statuses of `count` open requests, and the answer to one more meanwhile."""

        async def together() -> tuple[list[int], Answer]:
            self.page.answers = asyncio.Event()
            waiting = [asyncio.create_task(self.page.asked(self.path, **more)) for _ in range(count)]
            await asyncio.sleep(0)
            last = asyncio.create_task(then())
            await asyncio.sleep(0)
            self.page.answers.set()
            return [(await task).status for task in waiting], await last

        return asyncio.run(together())


def test_open_streams_of_one_address_are_limited() -> None:
    page = Page(Settings(views_per_minute=0))
    statuses, last = Crowd(page).statuses(MOST_OPEN + 2, lambda: page.asked("/"))
    assert statuses == [200] * MOST_OPEN + [429] * 2
    assert (last.status, last.seen) == (429, [])
    assert last.words.startswith("Too many requests are open from your address (100).")
    assert page.ask("/").status == 200, "ended requests do not count"
    assert len(page.limits.open) == 0


def test_open_streams_hold_up_no_vote_and_no_other_address() -> None:
    page, vote = Page(Settings(views_per_minute=0)), {"fn_index": VOTE.index, "data": ["hi"]}
    for other in (
        lambda: page.asked(f"{PREFIX}run/x", vote),
        lambda: page.asked("/", host="203.0.113.8"),
        lambda: page.asked("/assets/index.js"),
        lambda: page.asked("/", **OPERATOR),
    ):
        assert Crowd(page).statuses(MOST_OPEN + 1, other)[1].status == 200


def test_addresses_of_one_network_count_as_one() -> None:
    page = Page(Settings(views_per_minute=0))
    same = Crowd(page).statuses(MOST_OPEN, lambda: page.asked("/", host="2001:db8::2"), host="2001:db8::1")
    other = Crowd(page).statuses(MOST_OPEN, lambda: page.asked("/", host="2001:db8:0:1::2"), host="2001:db8::1")
    assert (same[1].status, other[1].status) == (429, 200)


def test_operator_has_no_limit_of_open_requests() -> None:
    page = Page()
    statuses, _ = Crowd(page).statuses(MOST_OPEN + 2, lambda: page.asked("/"), **OPERATOR)
    assert statuses == [200] * (MOST_OPEN + 2)


def test_operator_has_no_rate_limit_and_loopback_has() -> None:
    page = Page(Settings(compares_per_minute=1))
    assert [page.call(COMPARE, host=HERE, **OPERATOR).status for _ in range(5)] == [200] * 5
    assert [page.call(COMPARE, host=HERE).status for _ in range(2)] == [200, 429]
    assert page.call(COMPARE, host=HERE, **{HEADER: "y" * 32}).status == 403


def test_vote_overtakes_waiting_comparisons() -> None:
    page = Page()

    async def together() -> list[int]:
        page.answers = asyncio.Event()
        calls = [{"fn_index": e.index, "data": ["hi"]} for e in (*[COMPARE_ON_PAGE] * 3, VOTE)]
        asked = [asyncio.create_task(page.asked(f"{PREFIX}run/x", call, **OPERATOR)) for call in calls]
        for _ in range(9):
            await asyncio.sleep(0)
        first = list(page.reached)
        page.answers.set()
        assert {answer.status for answer in await asyncio.gather(*asked)} == {200}
        return first

    assert asyncio.run(together()) == [VOTE.index, COMPARE_ON_PAGE.index]
    assert page.reached.count(COMPARE_ON_PAGE.index) == 3


def test_refusal_of_a_handler_is_a_400() -> None:
    answer = Page(status=500, says=b'{"error": "no such battle", "visible": true}').call(VOTE)
    assert (answer.status, answer.words) == (400, "no such battle")


@pytest.mark.parametrize("says", [b'{"error": null}', b"Internal Server Error", b"[]", b'{"error": {"a": 1}}'])
def test_error_without_a_message_is_a_500_without_details(says: bytes) -> None:
    answer = Page(status=500, says=says).call(VOTE)
    assert (answer.status, answer.words) == (500, "Something went wrong on the server. Try again.")
