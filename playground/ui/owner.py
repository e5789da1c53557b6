"""Who may load and unload models from the page: whoever sits at the machine that runs it, and nobody else.

Boundary: decides from one request and the settings; every doubt is a no. On a Space nobody may: the page has no login
by which its author could be known.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from playground.settings import Settings

FORWARDED = ("forwarded", "x-forwarded", "via", "x-real-ip", "x-original", "cf-connecting-ip", "true-client-ip")
"""How headers begin that a request has when somebody passed it on: its sender is not who is connected."""


class HasSender(Protocol):
    """A request, of Gradio or Starlette."""

    @property
    def headers(self) -> Any: ...
    @property
    def client(self) -> Any: ...


def may_manage(request: HasSender, settings: Settings, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the request comes from this machine, straight, to a page that is not shared."""
    if settings.locked or settings.share or environ.get("SYSTEM") == "spaces":
        return False
    headers = {str(name).lower(): str(value) for name, value in dict(request.headers).items()}
    if any(name.startswith(FORWARDED) for name in headers):
        return False
    return _is_here(getattr(request.client, "host", "")) and _asks_here(headers)


def _asks_here(headers: Mapping[str, str]) -> bool:
    """Whether it was addressed to this machine by a name of its own: any other name may be another site's."""
    host = f"//{headers.get('host', '')}"
    return all(_is_here(_host(address)) for address in (host, headers.get("origin", host)))


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # brackets that do not close
        return ""


def _is_here(host: object) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False
