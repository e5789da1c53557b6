"""Believe what a reverse proxy says of a request where the operator trusts that proxy, and drop it elsewhere.

Boundary: pure ASGI; decides by the connected address alone. `FORWARDED_ALLOW_IPS` is uvicorn's own variable, but
uvicorn trusts loopback when it is not set, so that every local program could invent addresses; here nobody is trusted
then. Two places know their proxy without it: on a Space only the hub's proxy can connect, from a private network; and
with ``--share`` Gradio's tunnel ends on this machine.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Mapping, MutableMapping
from urllib.parse import urlsplit

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from playground.errors import InvalidValue
from playground.ui.http.middleware import ASGIApp, Receive, Scope, Send

log = logging.getLogger(__name__)

VARIABLE = "FORWARDED_ALLOW_IPS"
LOOPBACK = "127.0.0.1,::1"
SPACE_NETWORKS = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
EVERYBODY = "*"
ROOT_VARIABLE = "GRADIO_ROOT_PATH"
_ROOT = re.compile(r"(https?://[^\s/?#@]+)?((?:/[\w.~%-]+)*)", re.ASCII)
WHERE_FROM = (b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-server")
"""What Gradio and `PageMiddleware` take the page's own address from."""


class Proxies:
    """The addresses that are trusted; ``"192.0.2.1" in proxies``."""

    def __init__(self, trusted: str = "") -> None:
        self.trusted = trusted.strip()
        self._networks = () if self.trusted == EVERYBODY else tuple(_networks(self.trusted))

    def __contains__(self, host: object) -> bool:
        if self.trusted == EVERYBODY:
            return True
        try:
            address = ipaddress.ip_address(str(host))
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def read_proxies(environ: Mapping[str, str], share: bool = False) -> Proxies:
    """Return the proxies that this installation trusts.

    Raises:
        InvalidValue: an entry is neither an address nor a network.
    """
    by_default = SPACE_NETWORKS if environ.get("SYSTEM") == "spaces" else LOOPBACK if share else ""
    return Proxies(environ.get(VARIABLE, by_default))


def read_root_path(environ: Mapping[str, str]) -> str:
    """Return the path below which a proxy serves the page, or its whole address; empty for the top of a host.

    Raises:
        InvalidValue: it is neither.
    """
    given = environ.get(ROOT_VARIABLE, "").strip()
    root = given.rstrip("/")
    if not _ROOT.fullmatch(root):
        raise InvalidValue(f"{ROOT_VARIABLE} is {given!r}; valid: a path such as /play, or https://example.org/play")
    return root


def path_of(root_path: str) -> str:
    """Return the path of a root path or address: where the page's cookie belongs."""
    return urlsplit(root_path).path or "/"


def take_from_uvicorn(environ: MutableMapping[str, str]) -> None:
    """Have a server that starts with this environment leave forwarded headers to `ForwardedHeaders`."""
    environ[VARIABLE] = ""


class ForwardedHeaders:
    """Outermost of the middleware: what is inside sees the visitor's address and scheme, not the trusted proxy's."""

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies
        self._believing = ProxyHeadersMiddleware(app, proxies.trusted)  # type: ignore[arg-type]  # ASGI, spelt otherwise
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _peer(scope) in self._proxies:
            await self._believing(scope, receive, send)  # type: ignore[arg-type]
        else:
            await self._app({**scope, "headers": self._own(scope)}, receive, send)

    def _own(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Return the headers without what only a proxy may say."""
        headers = list(scope["headers"])
        own = [(name, value) for name, value in headers if name not in WHERE_FROM]
        if not self._warned and any(name.startswith(b"x-forwarded-") for name, _ in headers):
            self._warned = True
            log.warning(
                "%s says for whom it passes requests on, and is not trusted: if it is your proxy, start with %s=%s",
                _peer(scope),
                VARIABLE,
                _peer(scope),
            )
        return own


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _networks(trusted: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(entry.strip()) for entry in trusted.split(",") if entry.strip()]
    except ValueError as error:
        raise InvalidValue(
            f"{VARIABLE} is {trusted!r}: {error}; valid: addresses and networks, comma separated, or *"
        ) from error
