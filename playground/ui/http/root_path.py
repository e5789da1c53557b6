"""The path below which a proxy shows the playground (`GRADIO_ROOT_PATH`), and addresses, links and cookies in it.

Boundary: pure ASGI; the server puts the path into a request's scope as `root_path`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote, urlsplit

from playground.errors import InvalidValue
from playground.ui.http.asgi import ASGIApp, Header, Receive, Scope, Send, is_https

VARIABLE = "GRADIO_ROOT_PATH"
EVERYWHERE: Mapping[str, str] = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}
"""Addresses to listen on that a browser cannot open, and the one to open instead."""
_ROOT = re.compile(r"(https?://[^\s/?#@]+)?((?:/[\w.~%-]+)*)", re.ASCII)


def read_root_path(environ: Mapping[str, str]) -> str:
    """Return the path below which a proxy serves the page, or its whole address; "" at the top of a host.

    Raises:
        InvalidValue: the variable holds neither.
    """
    given = environ.get(VARIABLE, "").strip()
    root = given.rstrip("/")
    if not _ROOT.fullmatch(root):
        raise InvalidValue(f"{VARIABLE} is {given!r}; valid: a path such as /play, or https://example.org/play")
    return root


def base_url(host: str, port: int, root_path: str) -> str:
    """Return the address of the start page for a browser on this machine, without a slash at its end."""
    if urlsplit(root_path).scheme in ("http", "https"):
        return root_path.rstrip("/")
    bare = host.strip("[]")
    name = EVERYWHERE.get(bare, bare)
    path = root_path.strip("/")
    return f"http://{f'[{name}]' if ':' in name else name}:{port}{f'/{path}' if path else ''}"


def read_space_id(environ: Mapping[str, str]) -> str:
    """Return owner and name of the Space that this process serves; "" if it serves none."""
    return environ.get("SPACE_ID", "") if environ.get("SYSTEM") == "spaces" else ""


class StripRootPath:
    """Take the root path off a request's path, so that a proxy may strip it or leave it there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = root_of(scope) if scope["type"] in ("http", "websocket") else ""
        if root and (scope["path"] == root or scope["path"].startswith(f"{root}/")):
            path = scope["path"].removeprefix(root) or "/"
            scope = {**scope, "path": path, "raw_path": quote(path).encode()}
        await self._app(scope, receive, send)


def root_of(scope: Scope) -> str:
    """Return the root path as a browser sees it, such as ``/play``; "" at the top of a host."""
    return quote(urlsplit(str(scope.get("root_path", ""))).path.rstrip("/"), safe="/%~+@!$&'()*")


def link_to(scope: Scope, page: str) -> str:
    """Return the address of a page, given without a leading slash, for the response to this request.

    It is relative if no root path is set: a proxy may have stripped one that this server does not know.
    """
    root = root_of(scope)
    if root:
        return f"{root}/{page}"
    return ("../" * (scope["path"].count("/") - 1) or "./") + page


def set_cookie(
    scope: Scope, name: str, value: str, max_age_s: int, same_site: Literal["Strict", "Lax", "None"]
) -> Header:
    """Return the Set-Cookie header of a cookie that scripts cannot read; a `max_age_s` of 0 deletes it.

    With "None" the cookie also works inside another site's frame, as on a Space. Browsers allow that over https alone:
    over http it is "Lax".
    """
    ending: str = "Lax" if same_site == "None" and not is_https(scope) else same_site
    if is_https(scope):
        ending += "; Secure; Partitioned" if same_site == "None" else "; Secure"
    path = root_of(scope) or "/"
    text = f"{name}={value}; Path={path}; Max-Age={max_age_s}; HttpOnly; SameSite={ending}"
    return b"set-cookie", text.encode("latin-1")
