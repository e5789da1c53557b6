"""The path below which a proxy shows the playground (`GRADIO_ROOT_PATH`), and addresses and cookies in it.

Boundary: pure ASGI; the server puts the path into a request's scope as `root_path`.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from playground.ui.http.middleware import ASGIApp, Receive, Scope, Send, is_https


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


def cookie_path(scope: Scope) -> str:
    """Return the path for which a cookie is kept."""
    return root_of(scope) or "/"


def set_cookie(scope: Scope, name: str, value: str, max_age_s: int, same_site: str) -> tuple[bytes, bytes]:
    """Return the Set-Cookie header of a cookie that scripts cannot read; a `max_age_s` of 0 deletes it."""
    ending = "; Secure" if is_https(scope) else ""
    text = f"{name}={value}; Path={cookie_path(scope)}; Max-Age={max_age_s}; HttpOnly; SameSite={same_site}{ending}"
    return b"set-cookie", text.encode("latin-1")


def address(scope: Scope, page: str) -> str:
    """Return the address of a page, given without a leading slash, as a link in the reply to this request.

    Where no root path is known, the address is relative: a proxy may have stripped a path that nobody told us.
    """
    root = root_of(scope)
    if root:
        return f"{root}/{page}"
    return ("../" * (scope["path"].count("/") - 1) or "./") + page
