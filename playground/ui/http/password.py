"""The password of a private instance, for everything but `/health`.

In a browser the password is typed once and a cookie is kept; a program sends it as HTTP Basic with each request, or
posts it to `/login` as `gradio_client` does with its `auth`.

Boundary: pure ASGI, in front of Gradio.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterable
from urllib.parse import quote

from playground.ui.http.asgi import ASGIApp, Header, Receive, Scope, Send, cookies_of, headers_of, host_of, is_browser
from playground.ui.http.forms import SecretForm, page_html, read_form
from playground.ui.http.limits import FailedAttempts
from playground.ui.http.responses import redirect, respond_json, respond_page, retry_after
from playground.ui.http.root_path import link_to, set_cookie
from playground.ui.rendering import escape
from playground.ui.texts import access as texts

COOKIE = "playground_password"
COOKIE_MAX_AGE_S = 30 * 24 * 3600
LOGIN = "/login"
STARTED = "/gradio_api/startup-events"
"""Gradio sends this to its own server once while it starts, and gives up if it is refused."""
KEY_ROUNDS = 200_000
CHALLENGE = (b"www-authenticate", f'Cookie realm="playground", cookie-name={COOKIE}'.encode())
"""Not ``Basic``: a browser that has once been asked for it sends it with other sites' requests too."""
_NEXT = re.compile(r"[\w\-./?=&%+~:@!$()*,]*", re.ASCII)


class PasswordGate:
    """Refuse requests without the password: with a form to browsers, with a message to programs."""

    def __init__(
        self,
        app: ASGIApp,
        password: str,
        attempts: FailedAttempts | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        secret = password.encode("utf-8", "surrogateescape")
        self._digest = hashlib.sha256(secret).digest()
        # Slow to compute: a stolen cookie should not make it cheap to guess the password.
        self._key = hashlib.pbkdf2_hmac("sha256", secret, b"playground password cookie", KEY_ROUNDS)
        self._attempts = attempts or FailedAttempts()
        self._now_s = now_s
        self._has_started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket" and not self._has_cookie(scope):
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = _basic(headers_of(scope).get("authorization", ""))
        if scope["path"].rstrip("/") == LOGIN and scope["method"] in ("GET", "HEAD", "POST"):
            await self._login(scope, receive, send)
        elif self._has_cookie(scope) or self._is_starting(scope):
            await self._app(scope, receive, send)
        elif given is None:
            await self._refuse(scope, send, texts.PASSWORD_WANTED, _here(scope))
        elif await self._is_accepted(scope, send, given, "basic", _here(scope)):
            await self._app(scope, receive, send)

    async def _login(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            if self._has_cookie(scope):
                await redirect(scope, send, 303, link_to(scope, ""))
            else:
                await self._ask(scope, send, 200, "")
            return
        sent = await read_form(receive)
        then = _next(sent.get("next", ""))
        if await self._is_accepted(scope, send, sent.get("password", "").encode(), "form", then):
            if is_browser(scope):
                await redirect(scope, send, 303, link_to(scope, then), [self._cookie(scope)])
            else:
                await respond_json(scope, send, 200, {"success": True}, [self._cookie(scope)])

    async def _is_accepted(self, scope: Scope, send: Send, given: bytes, way: str, then: str) -> bool:
        """Return True if the password is right; else refuse the request, and count it."""
        if wait_s := self._attempts.wait_s(host_of(scope), way):
            await self._refuse(scope, send, texts.PASSWORD_TOO_OFTEN.format(wait=wait_s), then, wait_s)
        elif hmac.compare_digest(hashlib.sha256(given).digest(), self._digest):
            return True
        else:
            self._attempts.count(host_of(scope), way)
            await self._refuse(scope, send, texts.PASSWORD_WRONG, then)
        return False

    async def _refuse(self, scope: Scope, send: Send, message: str, then: str, wait_s: int = 0) -> None:
        status, headers = (429, retry_after(wait_s)) if wait_s else (401, [CHALLENGE])
        if is_browser(scope):
            await self._ask(scope, send, status, then, "" if message == texts.PASSWORD_WANTED else message, headers)
        else:
            await respond_json(scope, send, status, {"error": message}, headers)

    async def _ask(
        self, scope: Scope, send: Send, status: int, then: str, error: str = "", headers: Iterable[Header] = ()
    ) -> None:
        """Send the form; a link to it inside another site's frame, where no cookie is kept."""
        if headers_of(scope).get("sec-fetch-dest") in ("iframe", "frame", "embed", "object"):
            link = f"<a href='{escape(link_to(scope, then))}' target='_blank' rel='noopener'>"
            body = f"<p>{escape(texts.PASSWORD_FRAMED)}</p><p>{link}{escape(texts.PASSWORD_FRAMED_LINK)}</a></p>"
            await respond_page(scope, send, status, page_html(texts.PASSWORD_TITLE, body), headers)
            return
        form = SecretForm(
            title=texts.PASSWORD_TITLE,
            lead=texts.PASSWORD_LEAD,
            label=texts.PASSWORD_LABEL,
            button=texts.PASSWORD_BUTTON,
            action=link_to(scope, LOGIN.lstrip("/")),
            hidden={"next": then},
        )
        await respond_page(scope, send, status, form.html(error), headers)

    def _has_cookie(self, scope: Scope) -> bool:
        return any(self._proves(value) for value in cookies_of(scope, COOKIE))

    def _proves(self, value: str) -> bool:
        expires, _, mac = value.partition(".")
        if not (expires.isdecimal() and len(expires) < 20):
            return False
        return hmac.compare_digest(mac, self._mac(expires)) and self._now_s() < int(expires)

    def _cookie(self, scope: Scope) -> Header:
        """Return a cookie that proves the password, also after a restart, and holds no part of it."""
        expires = str(int(self._now_s()) + COOKIE_MAX_AGE_S)
        # SameSite=Strict would ask again after each link from another site.
        return set_cookie(scope, COOKIE, f"{expires}.{self._mac(expires)}", COOKIE_MAX_AGE_S, "Lax")

    def _mac(self, expires: str) -> str:
        return hmac.digest(self._key, expires.encode(), "sha256").hex()

    def _is_starting(self, scope: Scope) -> bool:
        """Return True for Gradio's own request while it starts: the first of its kind."""
        if self._has_started or scope["path"] != STARTED:
            return False
        self._has_started = True
        return True


def _basic(header: str) -> bytes | None:
    """Return the password of an HTTP Basic header with any user name; None for another header."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return password if colon else None


def _here(scope: Scope) -> str:
    """Return the requested page, to go on to it after the form; the start page if it cannot be opened."""
    if scope["method"] not in ("GET", "HEAD") or scope["path"].rstrip("/") == LOGIN:
        return ""
    query = scope.get("query_string", b"").decode("latin-1")
    return _next(quote(scope["path"].lstrip("/")) + (f"?{query}" if query else ""))


def _next(page: str) -> str:
    """Return the page if it is one of this playground, without a leading slash; else "", the start page."""
    return page if not page.startswith("/") and ".." not in page and _NEXT.fullmatch(page) else ""
