"""The outer layer in front of Gradio: security headers, size of the body, foreign origins, the rater's cookie.

Boundary: pure ASGI; knows nothing of Gradio but that its page is ``text/html``. The calls that may reach Gradio, and
their number, are limited by `gate`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from playground.errors import InvalidValue
from playground.rater_ids import new_secret
from playground.ui.http.asgi import (
    ASGIApp,
    Header,
    Message,
    Receive,
    Scope,
    Send,
    headers_of,
)
from playground.ui.http.rater_cookie import rater_cookie, secret_in
from playground.ui.http.responses import refuse
from playground.ui.texts import refusals as texts

DEFAULT_PORTS = {"http": ":80", "https": ":443"}
MAX_BODY_BYTES = 1_000_000

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # Gradio starts itself inline and compiles its templates
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "media-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-src 'none'",
    )
)
"""The policy without `frame-ancestors`, which is a setting."""
SECURITY_HEADERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), clipboard-write=(self)"),
)
NO_FRAMES = "none"
_SITE = re.compile(r"https?://(\*\.)?[\w-]+(\.[\w-]+)*(:\d+)?", re.ASCII)
ORIGIN_REFUSED = (b"x-playground-refused", b"origin")
"""Tells `connection.js` why a request was refused."""


def read_frame_ancestors(setting: str) -> str:
    """Return the sites that may show the page in a frame, as the header has them; "" for no other site.

    Raises:
        InvalidValue: an entry is not a site, naming it.
    """
    sites = [] if setting.strip() == NO_FRAMES else setting.split()
    for site in sites:
        if not _SITE.fullmatch(site):
            raise InvalidValue(
                f"frame_ancestors has {site!r}; valid: sites such as https://example.org or https://*.example.org, "
                f"space separated, or {NO_FRAMES}"
            )
    return " ".join(sites)


class PageMiddleware:
    """Add headers to every response and a cookie to the page; refuse big bodies and other sites' requests."""

    def __init__(
        self,
        app: ASGIApp,
        max_body_bytes: int = MAX_BODY_BYTES,
        new_secret: Callable[[], str] = new_secret,
        frame_ancestors: str = "",
    ) -> None:
        policy = f"{CONTENT_SECURITY_POLICY}; frame-ancestors 'self' {frame_ancestors}".strip()
        self._headers = ((b"content-security-policy", policy.encode()), *SECURITY_HEADERS)
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._new_secret = new_secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = headers_of(scope)
        if scope["method"] not in ("GET", "HEAD") and _is_foreign(headers):
            await refuse(scope, send, 403, texts.ORIGIN_REFUSED, (*self._headers, ORIGIN_REFUSED))
        elif _int_or_zero(headers.get("content-length")) > self._max_body_bytes:
            await self._refuse_size(scope, send)
        else:
            await self._serve(scope, receive, send)

    async def _refuse_size(self, scope: Scope, send: Send) -> None:
        message = f"The request is too big; the most is {self._max_body_bytes} bytes."
        await refuse(scope, send, 413, message, self._headers)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting a body whose size was not declared."""
        received, started, refused = 0, False, False

        async def counted() -> Message:
            nonlocal received, refused
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body_bytes and not started:
                refused = True
                await self._refuse_size(scope, send)
                return {"type": "http.disconnect"}
            return message

        async def marked(message: Message) -> None:
            nonlocal started
            if refused:
                return
            if message["type"] == "http.response.start":
                started = True
                own = list(message.get("headers", []))
                named = {name for name, _ in own} - {b"set-cookie"}  # of two policies a browser would take the last
                message["headers"] = own + [header for header in self._added(scope, message) if header[0] not in named]
            await send(message)

        await self._app(scope, counted, marked)

    def _added(self, scope: Scope, response: Message) -> Iterator[Header]:
        yield from self._headers
        content_type = bytes(dict(response.get("headers", [])).get(b"content-type", b""))
        is_page = response["status"] == 200 and content_type.startswith(b"text/html")
        if scope["method"] == "GET" and is_page and secret_in(headers_of(scope)["cookie"]) is None:
            yield rater_cookie(scope, self._new_secret())
        if content_type.startswith(b"text/event-stream"):
            yield b"x-accel-buffering", b"no"  # nginx sends each piece on at once, whatever its configuration says


def _is_foreign(headers: dict[str, str]) -> bool:
    """Return True if a browser says that another site's page sends the request; programs send no Origin.

    Another port of the same host is another site too: its page is sent this host's cookies.
    The scheme does not count: a proxy that ends TLS and is not trusted leaves this server with http.
    """
    if headers.get("sec-fetch-site") in ("same-site", "cross-site"):
        return True
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        sender = urlsplit(origin)
    except ValueError:  # brackets that do not close
        return True
    hosts = (headers.get("host", ""), *headers.get("x-forwarded-host", "").split(","))  # each proxy adds one
    known = {_authority(host, sender.scheme) for host in hosts} - {""}
    return _authority(sender.netloc, sender.scheme) not in known


def _authority(host: str, scheme: str) -> str:
    """Return host and port as an Origin has them: without the scheme's default port."""
    return host.strip().lower().removesuffix(DEFAULT_PORTS.get(scheme, ""))


def _int_or_zero(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0
