"""Types of ASGI, and readers of a request, whatever cookies other programs on the same host have set.

Boundary: pure; knows no route, header or cookie of this page by its name.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any, Protocol

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

COOKIE_VALUE = re.compile(r"[\w.~-]+", re.ASCII)
"""A cookie of this page is hexadecimal or URL-safe base64; another value under its name was set by another program."""


class HttpRequest(Protocol):
    """A request of Gradio or Starlette."""

    @property
    def client(self) -> Any: ...

    @property
    def headers(self) -> Any: ...


def headers_of(scope: Scope) -> dict[str, str]:
    """Return each header by its name: the last of several, but all cookies."""
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope.get("headers", [])]
    return {**dict(pairs), "cookie": whole_header(value for name, value in pairs if name == "cookie")}


def whole_header(headers: Iterable[str]) -> str:
    """Join the Cookie headers of one request: HTTP/2 allows several."""
    return "; ".join(headers)


def cookie_values(header: str, name: str) -> Iterator[str]:
    """Yield every value of the cookie `name` that this page could have set, in the order sent.

    A browser sends one for each path under which the name was set, the longest path first.
    """
    for pair in header.split(";"):
        key, _, value = pair.partition("=")
        if key.strip() == name and COOKIE_VALUE.fullmatch(value.strip()):
            yield value.strip()


def cookies_of(scope: Scope, name: str) -> Iterator[str]:
    """Yield the values of a cookie of this request; see `cookie_values`."""
    return cookie_values(headers_of(scope)["cookie"], name)


def host_of(scope: Scope) -> str:
    """Return the address that sent the request, as far as its proxies are trusted; "" if it is unknown."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def address_of(request: HttpRequest | None) -> str:
    """Return the address that sent the request, as far as its proxies are trusted; "" if it is unknown."""
    return request.client.host if request is not None and request.client else ""


def is_https(scope: Scope) -> bool:
    """Return True if the browser came over https, as far as this server or a trusted proxy knows."""
    return scope.get("scheme") == "https"


def is_browser(scope: Scope) -> bool:
    """Return True if the sender takes pages, not only data."""
    return "text/html" in headers_of(scope).get("accept", "")


async def read_body(receive: Receive) -> bytes | None:
    """Return the body of the request; None if the client has gone, or was sent away, before its end."""
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
