"""Types of ASGI, and readers of a request.

Boundary: pure; knows no route, header or cookie of this page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from playground.ui.http.cookies import whole_header

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]


class HasClient(Protocol):
    """A request of Gradio or Starlette."""

    @property
    def client(self) -> Any: ...


def headers_of(scope: Scope) -> dict[str, str]:
    """Return each header by its name: the last of several, but all cookies."""
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope.get("headers", [])]
    return {**dict(pairs), "cookie": whole_header(value for name, value in pairs if name == "cookie")}


def host_of(scope: Scope) -> str:
    """Return the address that sent the request, as far as its proxies are trusted; "" if it is unknown."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def address_of(request: HasClient | None) -> str:
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
