"""What stands between the network and Gradio: security headers, body size, foreign origins, the rater's cookie.

Boundary: pure ASGI; knows nothing of Gradio but that its page is ``text/html``. What may be asked of Gradio, and how
often, is `gate`'s.
"""

from __future__ import annotations

import html
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any, Protocol
from urllib.parse import urlsplit

from playground.rater import is_secret, new_secret, rater_id

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "playground_rater"
COOKIE_MAX_AGE_S = 365 * 24 * 3600
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
        "frame-ancestors 'self' https://huggingface.co https://*.hf.space",
    )
)
REFUSED_PAGE = (
    "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
    "<title>{words}</title><p>{words}</p></html>\n"
)
SECURITY_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), clipboard-write=(self)"),
)


class HasCookies(Protocol):
    """A request, of Gradio or Starlette."""

    @property
    def cookies(self) -> Any: ...


def secret_of(request: HasCookies) -> str | None:
    """What the page gave this browser to keep; None when it has nothing, or nothing of ours."""
    value = request.cookies.get(COOKIE)
    return value if is_secret(value) else None


def rater_of(request: HasCookies) -> str | None:
    """The id of the rater whose browser asks; None when it keeps no secret of ours."""
    secret = secret_of(request)
    return None if secret is None else rater_id(secret)


class PageMiddleware:
    """Headers on every reply, a cookie with the page, and a refusal of what is too big or comes from elsewhere."""

    def __init__(
        self,
        app: ASGIApp,
        max_body_bytes: int = MAX_BODY_BYTES,
        new_rater: Callable[[], str] = new_secret,
    ) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._new_rater = new_rater

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = headers_of(scope)
        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and _is_foreign(headers):
            await refuse(send, 403, "This page does not take requests from other sites.", SECURITY_HEADERS)
        elif int_or_zero(headers.get("content-length")) > self._max_body_bytes:
            await refuse(send, 413, self._too_big, SECURITY_HEADERS)
        else:
            await self._serve(scope, receive, send, headers)

    @property
    def _too_big(self) -> str:
        return f"The request is too big; the most is {self._max_body_bytes} bytes."

    async def _serve(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        """Pass the request on, counting a body that did not state its size."""
        received, started, refused = 0, False, False

        async def counted() -> Message:
            nonlocal received, refused
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body_bytes and not started:
                refused = True
                await refuse(send, 413, self._too_big, SECURITY_HEADERS)
                return {"type": "http.disconnect"}
            return message

        async def marked(message: Message) -> None:
            nonlocal started
            if refused:
                return
            if message["type"] == "http.response.start":
                started = True
                own = list(message.get("headers", []))
                named = {name for name, _ in own}  # of two policies a browser would take the last
                added = self._added(scope, headers, message)
                message["headers"] = [*own, *((n, value) for n, value in added if n == b"set-cookie" or n not in named)]
            await send(message)

        await self._app(scope, counted, marked)

    def _added(self, scope: Scope, headers: dict[str, str], message: Message) -> Iterable[tuple[bytes, bytes]]:
        yield from SECURITY_HEADERS
        if scope["method"] == "GET" and _is_page(message) and not _has_rater(headers.get("cookie", "")):
            yield b"set-cookie", cookie_header(self._new_rater(), secure=is_https(scope, headers)).encode()


def cookie_header(rater: str, secure: bool) -> str:
    """The value of Set-Cookie; over https it also works inside another site's frame, as on a Space."""
    site = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
    return f"{COOKIE}={rater}; Path=/; Max-Age={COOKIE_MAX_AGE_S}; HttpOnly; {site}"


def headers_of(scope: Scope) -> dict[str, str]:
    """Return a request's headers by lower-case name; of a repeated one the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}


def _is_page(message: Message) -> bool:
    content_type = dict(message.get("headers", [])).get(b"content-type", b"")
    return message.get("status") == 200 and bytes(content_type).startswith(b"text/html")


def _has_rater(cookie: str) -> bool:
    try:
        morsel = SimpleCookie(cookie).get(COOKIE)
    except CookieError:
        return False
    return morsel is not None and is_secret(morsel.value)


def is_https(scope: Scope, headers: dict[str, str]) -> bool:
    """Return whether the browser came over https, as far as a proxy says."""
    return scope.get("scheme") == "https" or "https" in headers.get("x-forwarded-proto", "")


def _is_foreign(headers: dict[str, str]) -> bool:
    """Whether a browser says that the request comes from another site's page; programs send no Origin."""
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
    """Host and port as an Origin has them: without the port that goes without saying."""
    return host.strip().lower().removesuffix(DEFAULT_PORTS.get(scheme, ""))


def int_or_zero(text: str | None) -> int:
    """A header's number; 0 when it is missing or none."""
    return int(text) if text is not None and text.isdecimal() else 0


async def refuse(send: Send, status: int, words: str, more: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Answer with the words and nothing else."""
    await _answer(send, status, b"application/json", json.dumps({"error": words}), more)


async def refuse_page(send: Send, status: int, words: str, more: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Answer with the words as a page of their own, for who reads them in a browser."""
    said = html.escape(words)
    await _answer(send, status, b"text/html; charset=utf-8", REFUSED_PAGE.format(words=said), more)


async def _answer(send: Send, status: int, kind: bytes, text: str, more: Iterable[tuple[bytes, bytes]]) -> None:
    body = text.encode()
    size = (b"content-length", str(len(body)).encode())
    headers = [(b"content-type", kind), size, *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
