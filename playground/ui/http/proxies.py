"""Use the forwarding headers of trusted proxies, and drop those of every other sender.

`FORWARDED_ALLOW_IPS` is uvicorn's own variable. Without it uvicorn trusts loopback, so that every local program could
invent addresses; here nobody is trusted then, but in two cases: on a Space only the hub's proxy can connect, from a
private network; and with ``--share`` Gradio's tunnel ends on this machine.

Boundary: pure ASGI; decides by the connected address alone.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping, MutableMapping

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from playground.errors import InvalidValue
from playground.ui.http.asgi import ASGIApp, Header, Receive, Scope, Send, host_of

log = logging.getLogger(__name__)

VARIABLE = "FORWARDED_ALLOW_IPS"
LOOPBACK = "127.0.0.1,::1"
SPACE_NETWORKS = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
EVERYBODY = "*"
OWN_ADDRESS = (b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-server")
"""Headers from which Gradio and `PageMiddleware` take the page's own address."""


class Proxies:
    """Trusted addresses: ``"192.0.2.1" in proxies``."""

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


def leave_headers_to_us(environ: MutableMapping[str, str]) -> None:
    """Keep uvicorn from reading forwarding headers: `ForwardedHeaders` does."""
    environ[VARIABLE] = ""


class ForwardedHeaders:
    """Replace a trusted proxy's address and scheme by the visitor's; the outermost middleware."""

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies
        self._trusting = ProxyHeadersMiddleware(app, proxies.trusted)  # type: ignore[arg-type]  # ASGI, spelt otherwise
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif host_of(scope) in self._proxies:
            await self._trusting(scope, receive, send)  # type: ignore[arg-type]
        else:
            await self._app({**scope, "headers": self._own(scope)}, receive, send)

    def _own(self, scope: Scope) -> list[Header]:
        """Return the headers without those that only a proxy may send; warn once about a proxy that is not trusted."""
        headers = list(scope["headers"])
        own = [(name, value) for name, value in headers if name not in OWN_ADDRESS]
        if not self._warned and any(name.startswith(b"x-forwarded-") for name, _ in headers):
            self._warned = True
            log.warning(
                "%s sends forwarding headers and is not trusted; if it is your proxy, start with %s=%s",
                *(host_of(scope), VARIABLE, host_of(scope)),
            )
        return own


def _networks(trusted: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(entry.strip()) for entry in trusted.split(",") if entry.strip()]
    except ValueError as error:
        raise InvalidValue(
            f"{VARIABLE} is {trusted!r}: {error}; valid: addresses and networks, comma separated, or *"
        ) from error
