"""Headers, cookies, origins and sizes of requests, sent as an ASGI server would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.requests import Request

from playground.errors import InvalidValue
from playground.rater_ids import COOKIE, rater_id
from playground.settings import Settings
from playground.ui.http.asgi import Scope
from playground.ui.http.middleware import PageMiddleware, read_frame_ancestors
from playground.ui.http.rater_cookie import rater_of

RATER = "0123456789abcdef" * 2


@dataclass
class Answer:
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


def ask(
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    body: Iterable[bytes] = (b"",),
    content_type: str = "text/html; charset=utf-8",
    scheme: str = "http",
    root_path: str = "",
    status: int = 200,
    frame_ancestors: str = "",
) -> Answer:
    """Send one request through the middleware to an app that reads the body and answers with its length."""
    answer, chunks = Answer(), list(body)

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size, more = size + len(message["body"]), message["more_body"]
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", content_type.encode())]}
        )
        await send({"type": "http.response.body", "body": str(size).encode()})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(name.decode(), value.decode()) for name, value in message["headers"]]
        else:
            answer.body += message["body"]

    scope = {
        "type": "http",
        "method": method,
        "scheme": scheme,
        "root_path": root_path,
        "headers": [(b"host", b"play.example"), *((k.encode(), v.encode()) for k, v in headers)],
    }
    asyncio.run(PageMiddleware(app, 100, lambda: RATER, frame_ancestors)(scope, receive, send))
    return answer


def policy_of(sites: str) -> str:
    return ask(frame_ancestors=sites).header("content-security-policy")


def test_every_response_forbids_other_hosts() -> None:
    policy = ask(content_type="application/json").header("content-security-policy")
    assert "default-src 'self'" in policy
    assert "img-src 'self' data: blob:" in policy
    assert "form-action 'self'" in policy
    assert "object-src 'none'" in policy
    assert ask().header("x-content-type-options") == "nosniff"


def test_hub_may_frame_the_page_by_default() -> None:
    sites = read_frame_ancestors(Settings().frame_ancestors)
    assert policy_of(sites).endswith("; frame-ancestors 'self' https://huggingface.co https://*.hf.space")


@pytest.mark.parametrize(
    ("setting", "sites"),
    [
        ("https://example.org", "https://example.org"),
        ("  https://a.example   https://*.b.example:8443 ", "https://a.example https://*.b.example:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("none", ""),
    ],
)
def test_setting_names_the_sites_that_may_frame_the_page(setting: str, sites: str) -> None:
    assert policy_of(read_frame_ancestors(setting)).endswith(f"; frame-ancestors 'self' {sites}".rstrip())


@pytest.mark.parametrize(
    "site", ["example.org", "*", "https://", "https://a.example/x", "https://a.example;", "'none'", "none https://a.b"]
)
def test_entry_that_is_no_site_is_refused(site: str) -> None:
    with pytest.raises(InvalidValue, match=r"frame_ancestors has .*; valid: sites such as https://example.org"):
        read_frame_ancestors(site)


def test_page_sets_an_http_only_rater_cookie() -> None:
    cookie = ask().header("set-cookie")
    assert cookie == f"{COOKIE}={RATER}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"


def test_rater_cookie_over_https_works_in_a_frame() -> None:
    assert ask(scheme="https").header("set-cookie").endswith("SameSite=None; Secure; Partitioned")


def test_rater_cookie_has_the_root_path() -> None:
    assert f"={RATER}; Path=/play; " in ask(root_path="/play").header("set-cookie")


def test_streams_switch_off_buffering_in_nginx() -> None:
    assert ask(content_type="text/event-stream; charset=utf-8").header("x-accel-buffering") == "no"
    assert ask().header("x-accel-buffering") == ""


@pytest.mark.parametrize(
    "request_",
    [
        {"headers": (("cookie", f"a=b; {COOKIE}={RATER}"),)},
        {"content_type": "application/json"},
        {"method": "POST"},
        {"status": 404},
    ],
    ids=["has one", "not a page", "not a visit", "not found"],
)
def test_no_cookie_is_set_without_need(request_: dict[str, Any]) -> None:
    assert ask(**request_).header("set-cookie") == ""


@pytest.mark.parametrize("value", ["", "short", RATER.upper(), RATER + "0", "x" * 32, f'"{RATER}'])
def test_invalid_rater_cookie_is_replaced(value: str) -> None:
    assert COOKIE in ask(headers=(("cookie", f"{COOKIE}={value}"),)).header("set-cookie")


@pytest.mark.parametrize(
    ("cookies", "rater"),
    [(f"{COOKIE}={RATER}", rater_id(RATER)), ("", None), (f"{COOKIE}=../../etc", None), (f"{COOKIE}={RATER}x", None)],
)
def test_rater_is_the_hash_of_a_valid_secret(cookies: str, rater: str | None) -> None:
    assert rater_of(Request({"type": "http", "headers": [(b"cookie", cookies.encode())]})) == rater


@pytest.mark.parametrize("foreign", ['prefs={"theme":"dark"}', "a=\xff\x80", 'q="'])
def test_foreign_cookie_makes_no_new_rater(foreign: str) -> None:
    for headers in (
        (("cookie", f"{foreign}; {COOKIE}={RATER}"),),
        (("cookie", f"{COOKIE}={RATER}"), ("cookie", foreign)),
    ):
        assert ask(headers=headers).header("set-cookie") == ""


@pytest.mark.proves("a foreign Origin")
@pytest.mark.parametrize(
    ("method", "origin", "status"),
    [
        ("POST", "https://play.example", 200),
        ("POST", "https://evil.example", 403),
        ("POST", "https://play.example.evil.example", 403),
        ("POST", "null", 403),
        ("POST", "http://[bad", 403),
        ("POST", "https://play.example:443", 200),
        ("POST", "http://play.example:80", 200),
        ("POST", "https://play.example:80", 403),
        ("POST", "https://play.example:8443", 403),
        ("POST", None, 200),
        ("OPTIONS", "https://evil.example", 403),
        ("OPTIONS", "https://play.example", 200),
        ("GET", "https://evil.example", 200),
    ],
)
def test_posts_from_other_origins_are_refused(method: str, origin: str | None, status: int) -> None:
    headers = () if origin is None else (("origin", origin),)
    assert ask(method=method, headers=headers).status == status


def test_forwarded_host_is_an_own_origin() -> None:
    headers = (("origin", "https://org-space.hf.space"), ("x-forwarded-host", "org-space.hf.space"))
    assert ask(method="POST", headers=headers).status == 200


@pytest.mark.parametrize("forwarded", ["play.org, inner.example", "inner.example,play.org", "play.org:443"])
def test_each_of_several_forwarded_hosts_is_an_own_origin(forwarded: str) -> None:
    headers = (("origin", "https://play.org"), ("x-forwarded-host", forwarded))
    assert ask(method="POST", headers=headers).status == 200
    evil = (("origin", "https://evil.example"), ("x-forwarded-host", forwarded))
    assert ask(method="POST", headers=evil).status == 403


@pytest.mark.parametrize("forwarded", ["", ",", " , "])
def test_empty_forwarded_host_is_no_origin(forwarded: str) -> None:
    assert ask(method="POST", headers=(("origin", "null"), ("x-forwarded-host", forwarded))).status == 403


def test_body_declared_too_big_is_not_read() -> None:
    answer = ask(method="POST", headers=(("content-length", "101"),), body=(b"x" * 101,))
    assert (answer.status, answer.body) == (413, b'{"error": "The request is too big; the most is 100 bytes."}')


@pytest.mark.proves("4,001 characters, 1 MB, 100 MB")
def test_body_that_turns_out_too_big_is_refused() -> None:
    assert ask(method="POST", body=(b"x" * 60, b"x" * 60)).status == 413


def test_body_at_the_limit_passes() -> None:
    answer = ask(method="POST", headers=(("content-length", "100"),), body=(b"x" * 60, b"x" * 40))
    assert (answer.status, answer.body) == (200, b"100")
