"""The password of a private instance: everything but `/health` is behind it, page and API alike.

Boundary: pure ASGI, in front of Gradio. A browser types the password once and keeps a cookie; a program sends it as
HTTP Basic with each request, or posts it to `/login` as `gradio_client` does with its `auth`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from urllib.parse import quote

from playground.ui.http.cookies import cookie_values
from playground.ui.http.forms import (
    SecretForm,
    is_browser,
    page_html,
    read_form,
    reply_elsewhere,
    reply_json,
    reply_page,
)
from playground.ui.http.middleware import ASGIApp, Receive, Scope, Send, headers_of
from playground.ui.http.root_path import address, set_cookie
from playground.ui.http.tries import WrongTries
from playground.ui.rendering import escape
from playground.ui.texts import access as texts

COOKIE = "playground_password"
COOKIE_MAX_AGE_S = 30 * 24 * 3600
LOGIN = "/login"
STARTED = "/gradio_api/startup-events"
"""Gradio asks its own server for this once while it starts, and gives up where it is refused."""
KEY_ROUNDS = 200_000
CHALLENGE = (b"www-authenticate", f'Cookie realm="playground", cookie-name={COOKIE}'.encode())
"""Not ``Basic``: a browser that has once been asked for it sends it with other sites' requests too."""
_NEXT = re.compile(r"[\w\-./?=&%+~:@!$()*,]*", re.ASCII)


class PasswordGate:
    """Refuse whoever does not know the password; the reply is a form for a browser, words for a program."""

    def __init__(
        self,
        app: ASGIApp,
        password: str,
        tries: WrongTries | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        secret = password.encode("utf-8", "surrogateescape")
        self._digest = hashlib.sha256(secret).digest()
        # A cookie that is stolen should not make it cheap to find the password, which may open other doors too.
        self._key = hashlib.pbkdf2_hmac("sha256", secret, b"playground password cookie", KEY_ROUNDS)
        self._tries = tries or WrongTries()
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
            await self._refuse(scope, send, 401, texts.PASSWORD_WANTED)
        elif wait_s := self._tries.wait_s(scope, "basic"):
            await self._refuse(scope, send, 429, texts.PASSWORD_TOO_OFTEN.format(wait=wait_s), wait_s)
        elif self._is_right(given):
            await self._app(scope, receive, send)
        else:
            self._tries.count(scope, "basic")
            await self._refuse(scope, send, 401, texts.PASSWORD_WRONG)

    async def _login(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            if self._has_cookie(scope):
                await reply_elsewhere(scope, send, address(scope, ""))
            else:
                await self._ask(scope, send, 200)
            return
        sent = await read_form(receive)
        then = _next(sent.get("next", ""))
        if wait_s := self._tries.wait_s(scope, "form"):
            await self._refuse(scope, send, 429, texts.PASSWORD_TOO_OFTEN.format(wait=wait_s), wait_s, then)
        elif not self._is_right(sent.get("password", "").encode()):
            self._tries.count(scope, "form")
            await self._refuse(scope, send, 401, texts.PASSWORD_WRONG, then=then)
        elif is_browser(scope):
            await reply_elsewhere(scope, send, address(scope, then), [self._cookie(scope)])
        else:
            await reply_json(scope, send, 200, {"success": True}, [self._cookie(scope)])

    async def _refuse(
        self, scope: Scope, send: Send, status: int, words: str, wait_s: int = 0, then: str | None = None
    ) -> None:
        more = [CHALLENGE] if status == 401 else [(b"retry-after", str(wait_s).encode())]
        if is_browser(scope):
            await self._ask(scope, send, status, "" if words == texts.PASSWORD_WANTED else words, then, more)
        else:
            await reply_json(scope, send, status, {"error": words}, more)

    async def _ask(
        self,
        scope: Scope,
        send: Send,
        status: int,
        error: str = "",
        then: str | None = None,
        more: list[tuple[bytes, bytes]] | None = None,
    ) -> None:
        """Answer with the form, or with a link to it from inside another site's frame, where no cookie is kept."""
        here = _here(scope) if then is None else then
        if headers_of(scope).get("sec-fetch-dest") in ("iframe", "frame", "embed", "object"):
            link = f"<a href='{escape(address(scope, here))}' target='_blank' rel='noopener'>"
            body = f"<p>{escape(texts.PASSWORD_FRAMED)}</p><p>{link}{escape(texts.PASSWORD_FRAMED_LINK)}</a></p>"
            await reply_page(scope, send, status, page_html(texts.PASSWORD_TITLE, body), more or ())
            return
        form = SecretForm(
            title=texts.PASSWORD_TITLE,
            lead=texts.PASSWORD_LEAD,
            label=texts.PASSWORD_LABEL,
            button=texts.PASSWORD_BUTTON,
            action=address(scope, LOGIN.lstrip("/")),
            hidden={"next": here},
        )
        await reply_page(scope, send, status, form.html(error), more or ())

    def _is_right(self, given: bytes) -> bool:
        return hmac.compare_digest(hashlib.sha256(given).digest(), self._digest)

    def _has_cookie(self, scope: Scope) -> bool:
        return any(self._proves(value) for value in cookie_values(headers_of(scope).get("cookie", ""), COOKIE))

    def _proves(self, value: str) -> bool:
        expires, _, mac = value.partition(".")
        if not (expires.isdecimal() and len(expires) < 20):
            return False
        return hmac.compare_digest(mac, self._mac(expires)) and self._now_s() < int(expires)

    def _cookie(self, scope: Scope) -> tuple[bytes, bytes]:
        """Proves the password to this program and to a later start of it; holds no part of it."""
        expires = str(int(self._now_s()) + COOKIE_MAX_AGE_S)
        # SameSite=Strict would ask again after each link from another site.
        return set_cookie(scope, COOKIE, f"{expires}.{self._mac(expires)}", COOKIE_MAX_AGE_S, "Lax")

    def _mac(self, expires: str) -> str:
        return hmac.digest(self._key, expires.encode(), "sha256").hex()

    def _is_starting(self, scope: Scope) -> bool:
        """Return whether this is Gradio's own request while it starts: the first of its kind."""
        if self._has_started or scope["path"] != STARTED:
            return False
        self._has_started = True
        return True


def _basic(header: str) -> bytes | None:
    """Return the password of an HTTP Basic header, whatever its user name; None where it is none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return password if colon else None


def _here(scope: Scope) -> str:
    """Return the page that was asked for, to go back to it after the form."""
    if scope["method"] not in ("GET", "HEAD") or scope["path"].rstrip("/") == LOGIN:
        return ""
    query = scope.get("query_string", b"").decode("latin-1")
    return _next(quote(scope["path"].lstrip("/")) + (f"?{query}" if query else ""))


def _next(page: str) -> str:
    """Return a page of this playground, without a leading slash; the start page for anything else."""
    return page if not page.startswith("/") and ".." not in page and _NEXT.fullmatch(page) else ""
