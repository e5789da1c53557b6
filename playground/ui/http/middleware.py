"""What stands between the network and Gradio: security headers, body size, foreign origins, the rater's cookie.

Boundary: pure ASGI; knows nothing of Gradio but that its page is ``text/html``. What may be asked of Gradio, and how
often, is `gate`'s.
"""

from __future__ import annotations

import html
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from playground.raters import is_secret, new_secret, rater_id
from playground.ui.http.cookies import cookie_values, whole_header
from playground.ui.texts import refusals as texts

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
ORIGIN_REFUSAL = (b"x-playground-refused", b"origin")
"""By it `connection.js` knows why a request was refused."""
SECURITY_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), clipboard-write=(self)"),
)


class HasHeaders(Protocol):
    """A request, of Gradio or Starlette."""

    @property
    def headers(self) -> Any: ...


def secret_of(request: HasHeaders) -> str | None:
    """Return the secret that this browser keeps for the page; None when it has nothing of ours."""
    return secret_in(whole_header(request.headers.getlist("cookie")))


def secret_in(cookies: str) -> str | None:
    """Return the first secret of a rater in a Cookie header."""
    return next((value for value in cookie_values(cookies, COOKIE) if is_secret(value)), None)


def rater_of(request: HasHeaders) -> str | None:
    """The id of the rater whose browser asks; None when it keeps no secret of ours."""
    secret = secret_of(request)
    return None if secret is None else rater_id(secret)


class HasClient(Protocol):
    """A request, of Gradio or Starlette."""

    @property
    def client(self) -> Any: ...


def address_of(request: HasClient | None) -> str:
    """Where a request comes from, as far as its proxies are trusted; empty where that is not known."""
    return request.client.host if request is not None and request.client else ""


class PageMiddleware:
    """Headers on every reply, a cookie with the page, and a refusal of what is too big or comes from elsewhere."""

    def __init__(
        self,
        app: ASGIApp,
        max_body_bytes: int = MAX_BODY_BYTES,
        new_rater: Callable[[], str] = new_secret,
        cookie_path: str = "/",
    ) -> None:
        self._app = app
        self._cookie_path = cookie_path
        self._max_body_bytes = max_body_bytes
        self._new_rater = new_rater

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = headers_of(scope)
        if scope["method"] not in ("GET", "HEAD") and _is_foreign(headers):
            await refuse(send, 403, texts.ORIGIN_REFUSED, (*SECURITY_HEADERS, ORIGIN_REFUSAL))
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
        if scope["method"] == "GET" and _is_page(message) and secret_in(headers.get("cookie", "")) is None:
            yield b"set-cookie", cookie_header(self._new_rater(), is_https(scope), self._cookie_path).encode()
        if _content_type(message).startswith(b"text/event-stream"):
            yield b"x-accel-buffering", b"no"  # nginx sends each piece on at once, whatever its configuration says


def cookie_header(rater: str, secure: bool, path: str = "/") -> str:
    """The value of Set-Cookie; over https it also works inside another site's frame, as on a Space."""
    site = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
    return f"{COOKIE}={rater}; Path={path}; Max-Age={COOKIE_MAX_AGE_S}; HttpOnly; {site}"


def headers_of(scope: Scope) -> dict[str, str]:
    """Return each header by its name; of one that was sent twice the last, of cookies all."""
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope.get("headers", [])]
    return {**dict(pairs), "cookie": whole_header(value for name, value in pairs if name == "cookie")}


def _is_page(message: Message) -> bool:
    return message.get("status") == 200 and _content_type(message).startswith(b"text/html")


def _content_type(message: Message) -> bytes:
    return bytes(dict(message.get("headers", [])).get(b"content-type", b""))


def is_https(scope: Scope) -> bool:
    """Return whether the browser came over https, as far as this server or a trusted proxy knows."""
    return scope.get("scheme") == "https"


def _is_foreign(headers: dict[str, str]) -> bool:
    """Whether a browser says that the request comes from another site's page; programs send no Origin.

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
