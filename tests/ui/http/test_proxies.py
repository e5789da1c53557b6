"""Forwarding headers are used from trusted proxies and dropped from all other senders."""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from playground.errors import InvalidValue
from playground.rater_ids import COOKIE
from playground.ui.http.asgi import Scope
from playground.ui.http.proxies import (
    VARIABLE,
    ForwardedHeaders,
    Proxies,
    read_proxies,
)
from tests.conftest import LiveApp, start_app, stop_app, without_models

PROXY, VISITOR = "10.1.2.3", "203.0.113.7"
PASSED_ON = {
    "x-forwarded-for": VISITOR,
    "x-forwarded-proto": "https",
    "x-forwarded-host": "play.example",
    "host": "inner.example",
}


def seen_by_the_page(trusted: str, peer: str = PROXY, **headers: str) -> Scope:
    """Return the scope of one request after the middleware."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        seen.append(scope)

    async def nothing(*_: Any) -> None: ...

    sent = headers or PASSED_ON
    scope = {
        "type": "http",
        "client": (peer, 1),
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }
    asyncio.run(ForwardedHeaders(app, Proxies(trusted))(scope, nothing, nothing))  # type: ignore[arg-type]
    return seen[0]


@pytest.mark.parametrize("trusted", [PROXY, "10.0.0.0/8", f"::1, {PROXY}", "*"])
def test_headers_of_a_trusted_proxy_are_used(trusted: str) -> None:
    scope = seen_by_the_page(trusted)
    assert (scope["client"][0], scope["scheme"]) == (VISITOR, "https")
    assert (b"x-forwarded-host", b"play.example") in scope["headers"]


@pytest.mark.parametrize("trusted", ["", " ", "127.0.0.1", "10.1.2.4", "::1", "10.2.0.0/16"])
def test_headers_of_other_senders_are_dropped(trusted: str) -> None:
    scope = seen_by_the_page(trusted)
    assert (scope["client"][0], scope["scheme"]) == (PROXY, "http")
    names = {name for name, _ in scope["headers"]}
    assert names == {b"host", b"x-forwarded-for"}


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1"])
def test_loopback_is_not_trusted_by_default(peer: str) -> None:
    assert seen_by_the_page(read_proxies({}).trusted, peer)["client"][0] == peer


def test_direct_request_is_unchanged() -> None:
    scope = seen_by_the_page("", VISITOR, host="play.example")
    assert scope["headers"] == [(b"host", b"play.example")]


def test_last_address_outside_the_proxies_is_the_visitors() -> None:
    forged = {"x-forwarded-for": f"192.0.2.66, {VISITOR}, 10.9.9.9"}
    assert seen_by_the_page("10.0.0.0/8", **forged)["client"][0] == VISITOR


@pytest.mark.parametrize(
    ("environ", "share", "inside", "outside"),
    [
        ({}, False, [], ["127.0.0.1", "10.0.0.1", "::1", "", "testclient"]),
        ({}, True, ["127.0.0.1", "::1"], ["10.0.0.1"]),
        ({"SYSTEM": "spaces"}, False, ["10.16.3.4", "172.17.0.1", "192.168.0.9", "fd00::1"], ["127.0.0.1", VISITOR]),
        ({"SYSTEM": "spaces", VARIABLE: ""}, False, [], ["10.16.3.4"]),
        ({"SYSTEM": "spaces", VARIABLE: "10.0.0.0/16"}, False, ["10.0.3.4"], ["10.16.3.4"]),
        ({VARIABLE: "127.0.0.1"}, False, ["127.0.0.1"], ["::1"]),
        ({VARIABLE: "*"}, False, [VISITOR, ""], []),
    ],
)
def test_proxies_trusted_by_setting_and_place(
    environ: dict[str, str], share: bool, inside: list[str], outside: list[str]
) -> None:
    proxies = read_proxies(environ, share)
    assert [host for host in inside if host not in proxies] == []
    assert [host for host in outside if host in proxies] == []


@pytest.mark.parametrize("value", ["nginx", "10.0.0.1/8", "127.0.0.1;::1", "127.0.0.1:80", "*,127.0.0.1"])
def test_invalid_entry_is_refused(value: str) -> None:
    with pytest.raises(InvalidValue, match=f"{VARIABLE} is .*valid: addresses and networks"):
        read_proxies({VARIABLE: value})


def test_untrusted_proxy_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def app(*_: Any) -> None: ...

    middleware = ForwardedHeaders(app, Proxies())
    scope = {"type": "http", "client": (PROXY, 1), "headers": [(b"x-forwarded-for", VISITOR.encode())]}
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            asyncio.run(middleware(scope, app, app))  # type: ignore[arg-type]
    assert [record.getMessage() for record in caplog.records] == [
        "10.1.2.3 sends forwarding headers and is not trusted; "
        "if it is your proxy, start with FORWARDED_ALLOW_IPS=10.1.2.3"
    ]


def page(app: LiveApp, **headers: str) -> tuple[str, str]:
    """Return the cookie that the page sets, and the address that it takes for its own."""
    asked = urllib.request.Request(app.url, headers=headers)
    with urllib.request.urlopen(asked, timeout=60) as reply:
        config = reply.read().decode().split("window.gradio_config = ", 1)[1]
        return reply.headers["set-cookie"], json.JSONDecoder().raw_decode(config)[0]["root"]


def test_app_trusts_loopback_only_if_set(tmp_path: Path, live_app: LiveApp) -> None:
    passed_on = {name: value for name, value in PASSED_ON.items() if name != "host"}
    cookie, root = page(live_app, **passed_on)
    assert cookie.endswith("SameSite=Lax")
    assert root == live_app.url
    app = start_app(tmp_path, *without_models(tmp_path), PLAYGROUND_VIEWS_PER_MINUTE="3", **{VARIABLE: "127.0.0.1"})
    try:
        cookie, root = page(app, **passed_on)
        assert cookie.startswith(f"{COOKIE}=")
        assert cookie.endswith("SameSite=None; Secure; Partitioned")
        assert root == "https://play.example"
        with pytest.raises(urllib.error.HTTPError) as refused:
            all(page(app, **passed_on) for _ in range(8))
        assert refused.value.code == 429
        assert page(app, **{"x-forwarded-for": "203.0.113.8"}), "another address has its own limit"
    finally:
        stop_app(app)
