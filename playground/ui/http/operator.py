"""The operator, who may load and unload models and has no rate limits: tokens, sign-ins and the login of a Space.

The address and the Host of a request decide nothing: behind a plain proxy every request comes from this machine. Every
doubt means no.

Boundary: pure ASGI, in front of Gradio.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from playground.clock import Clock
from playground.errors import InvalidValue
from playground.settings import Settings
from playground.ui.http.asgi import ASGIApp, Header, Receive, Scope, Send, cookies_of, headers_of, host_of
from playground.ui.http.forms import SecretForm, page_html, read_form
from playground.ui.http.limits import FailedAttempts
from playground.ui.http.responses import redirect, refuse, respond_page, retry_after
from playground.ui.http.root_path import base_url, link_to, set_cookie
from playground.ui.rendering import escape
from playground.ui.texts import access as texts

PATH = "/operator"
COOKIE = "playground_operator"
HEADER = "x-playground-operator"
"""The header in which a program sends the token."""
SIGN_IN_S = 7 * 24 * 3600
MOST_SIGN_INS = 100
HUB_LOGIN = "/login/huggingface"
HUB_ROUTES = (HUB_LOGIN, "/login/callback")
"""Gradio's routes of a Hugging Face login that a browser is sent to."""
HUB_VARIABLES = ("SPACE_ID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPES", "OPENID_PROVIDER_URL")
_STATUS = "playground.operator"


@dataclass(frozen=True, slots=True)
class OperatorAccess:
    """The ways to become the operator; without any nobody can."""

    token: str = ""
    is_new: bool = False  # the token was made at this start and has to be printed
    hub_names: tuple[str, ...] = ()  # Hugging Face users who become it by the login of a Space
    hub_login: str = ""  # the address of that login, outside of the hub's frame if that is known
    names_are_set: bool = False

    @property
    def is_open(self) -> bool:
        """Return True if there is any way."""
        return bool(self.token or self.hub_names)


NOBODY = OperatorAccess()


def operator_access(
    settings: Settings, environ: Mapping[str, str], new_token: Callable[[int], str] = secrets.token_urlsafe
) -> OperatorAccess:
    """Return the ways to become the operator of a playground with these settings.

    Raises:
        InvalidValue: a Space has a Hugging Face login, but lacks a variable for it.
    """
    if settings.locked or (settings.share and not settings.share_operator):
        return NOBODY
    if environ.get("SYSTEM") != "spaces":
        return OperatorAccess(settings.operator_token or new_token(32), is_new=not settings.operator_token)
    if not environ.get("OAUTH_CLIENT_ID"):
        return OperatorAccess(settings.operator_token)
    # Without these Gradio attaches a made-up login with a known secret.
    missing = [name for name in HUB_VARIABLES if not environ.get(name)]
    if missing:
        raise InvalidValue(
            f"OAUTH_CLIENT_ID is set, but not {missing[0]}; a Space sets both if its README.md says `hf_oauth: true`"
        )
    author = environ.get("SPACE_AUTHOR_NAME") or environ["SPACE_ID"].partition("/")[0]
    host = environ.get("SPACE_HOST", "").partition(",")[0].strip()  # a Space with a domain of its own has two
    login = f"{HUB_LOGIN}?{urlencode({'_target_url': PATH})}"
    return OperatorAccess(
        settings.operator_token,
        hub_names=settings.operator_names or (author,),
        hub_login=f"https://{host}{login}" if host else login,
        names_are_set=bool(settings.operator_names),
    )


def operator_notice(access: OperatorAccess, host: str, port: int, root_path: str) -> str:
    """Return the line to print at the start, with the address to become the operator; "" if no token opens it."""
    if not access.token:
        return ""
    line = texts.OPERATOR_PRINTED if access.is_new else texts.OPERATOR_PRINTED_SET
    return line.format(url=operator_url(access, base_url(host, port, root_path))) + "\n"


def operator_url(access: OperatorAccess, base: str) -> str:
    """Return the address for a browser to become the operator, with the token if it was made at this start."""
    return f"{base}{PATH}?{urlencode({'token': access.token})}" if access.is_new else f"{base}{PATH}"


@dataclass(frozen=True, slots=True)
class OperatorStatus:
    """The relation of a request to the operator: sent by them or not, and the ways to become them."""

    is_operator: bool = False
    access: OperatorAccess = NOBODY


def operator_status(request: Any) -> OperatorStatus:
    """Return the status of a request of Starlette, or of Gradio's request around one."""
    inner = getattr(request, "request", None)
    scope = getattr(request if inner is None else inner, "scope", None) or {}
    return scope_status(scope)


def scope_status(scope: Scope) -> OperatorStatus:
    """Return the status that `OperatorGate` has noted; without it nobody is the operator."""
    status = scope.get(_STATUS)
    return status if isinstance(status, OperatorStatus) else OperatorStatus()


class SignIns:
    """Browsers that are signed in as the operator, by random ids of which only hashes are kept."""

    def __init__(self, clock: Clock | None = None, new_id: Callable[[int], str] = secrets.token_urlsafe) -> None:
        self._clock = clock or Clock()
        self._new_id = new_id
        self._ends_s: OrderedDict[bytes, float] = OrderedDict()

    def start(self) -> str:
        """Return the id of a new sign-in; the oldest of too many ends."""
        sign_in_id = self._new_id(32)
        self._ends_s[_digest(sign_in_id)] = self._clock.monotonic() + SIGN_IN_S
        if len(self._ends_s) > MOST_SIGN_INS:
            self._ends_s.popitem(last=False)
        return sign_in_id

    def __contains__(self, sign_in_id: str) -> bool:
        return self._ends_s.get(_digest(sign_in_id), 0.0) > self._clock.monotonic()

    def end(self, sign_in_id: str) -> None:
        """End a sign-in, if it exists."""
        self._ends_s.pop(_digest(sign_in_id), None)


class OperatorGate:
    """Answer `PATH`; note the operator status of every other request in its scope and pass it on."""

    def __init__(
        self,
        app: ASGIApp,
        access: OperatorAccess,
        sign_ins: SignIns | None = None,
        attempts: FailedAttempts | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._access = access
        self._sign_ins = SignIns() if sign_ins is None else sign_ins
        self._attempts = attempts or FailedAttempts()
        self._now_s = now_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_own = self._access.is_open and scope["path"].rstrip("/") == PATH
        if is_own and scope["method"] in ("GET", "HEAD"):
            await self._get(scope, receive, send)
        elif is_own and scope["method"] == "POST":
            await self._post(scope, receive, send)
        elif (token := headers_of(scope).get(HEADER)) is not None and not self._is_token(token):
            await refuse(scope, send, *self._count_wrong(scope))
        else:
            is_operator = token is not None or self._is_signed_in(scope)
            await self._app({**scope, _STATUS: OperatorStatus(is_operator, self._access)}, receive, send)

    async def _get(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [None])[0]
        hub_name = self._hub_name(scope)
        if token is not None:
            await self._enter(scope, send, token)
        elif hub_name is not None:
            await self._enter_by_name(scope, send, hub_name)
        elif self._is_signed_in(scope):
            await self._app({**scope, _STATUS: OperatorStatus(True, self._access)}, receive, send)
        else:
            await self._ask(scope, send, 200)

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = await read_form(receive)
        if "sign_out" in sent:
            for sign_in_id in cookies_of(scope, COOKIE):
                self._sign_ins.end(sign_in_id)
            await redirect(scope, send, 303, link_to(scope, "models"), [_cookie(scope, "", 0)])
        else:
            await self._enter(scope, send, sent.get("token", ""))

    async def _enter(self, scope: Scope, send: Send, token: str) -> None:
        """Sign the browser in if the token is right; a right token is never refused."""
        if self._is_token(token):
            await self._start(scope, send)
        else:
            await self._ask(scope, send, *self._count_wrong(scope))

    async def _enter_by_name(self, scope: Scope, send: Send, name: str) -> None:
        """Sign the browser in if the hub's user is an operator; the login is used once and not kept."""
        scope["session"].pop("oauth_info", None)
        if name in self._access.hub_names:
            await self._start(scope, send)
            return
        words = texts.OPERATOR_IS_ELSE if self._access.names_are_set else texts.OPERATOR_IS_AUTHOR
        said = words.format(name=name, author=self._access.hub_names[0])
        back = f"<p><a href='{escape(link_to(scope, 'models'))}'>{escape(texts.OPERATOR_BACK)}</a></p>"
        await respond_page(scope, send, 403, page_html(texts.OPERATOR_TITLE, f"<p>{escape(said)}</p>{back}"))

    async def _start(self, scope: Scope, send: Send) -> None:
        """Sign the browser in and open the Operator page.

        A browser that another site has sent, as the hub's login does, would ask for that page without the strict
        cookie, and be asked for the token: it gets the Models page, whose header links it.
        """
        cookie = _cookie(scope, self._sign_ins.start(), SIGN_IN_S)
        page = PATH.lstrip("/") if _is_from_here(scope) else "models"
        await redirect(scope, send, 303, link_to(scope, page), [cookie])

    async def _ask(
        self, scope: Scope, send: Send, status: int, error: str = "", headers: Iterable[Header] = ()
    ) -> None:
        login = hub_link(self._access)
        if not self._access.token:
            told = f"<p class='error' role='alert'>{escape(error)}</p>" if error else ""
            page = page_html(texts.OPERATOR_TITLE, f"{told}<p>{login}</p>")
        else:
            form = SecretForm(
                title=texts.OPERATOR_TITLE,
                lead=texts.OPERATOR_LEAD if self._access.is_new else texts.OPERATOR_LEAD_SET,
                label=texts.OPERATOR_LABEL,
                button=texts.OPERATOR_BUTTON,
                action=link_to(scope, PATH.lstrip("/")),
                name="token",
            )
            page = form.html(error, f"<p>{login}</p>" if login else "")
        await respond_page(scope, send, status, page, headers)

    def _count_wrong(self, scope: Scope) -> tuple[int, str, list[Header]]:
        """Count a wrong token; return status, message and headers of the refusal."""
        if wait_s := self._attempts.wait_s(host_of(scope)):
            return 429, texts.OPERATOR_TOO_OFTEN.format(wait=wait_s), retry_after(wait_s)
        self._attempts.count(host_of(scope))
        return 403, texts.OPERATOR_WRONG, []

    def _is_token(self, token: str) -> bool:
        known = self._access.token
        return bool(known) and hmac.compare_digest(_digest(token), _digest(known))

    def _is_signed_in(self, scope: Scope) -> bool:
        """Return True if the operator's page sends the request; SameSite lets this host's other ports through."""
        if not self._access.is_open or not _is_from_here(scope):
            return False
        return any(sign_in_id in self._sign_ins for sign_in_id in cookies_of(scope, COOKIE))

    def _hub_name(self, scope: Scope) -> str | None:
        """Return the user name of a Hugging Face login that was just made, as the hub gave it; None without one."""
        if not self._access.hub_names:
            return None
        login = scope.get("session", {}).get("oauth_info")
        if not isinstance(login, dict) or login.get("expires_at", 0) <= self._now_s():
            return None
        name = login.get("userinfo", {}).get("preferred_username")
        return name if isinstance(name, str) and name else None


def hub_link(access: OperatorAccess) -> str:
    """Return the link to the Hugging Face login, in a new tab: in the hub's frame no login is kept."""
    if not access.hub_login:
        return ""
    return f"<a href='{escape(access.hub_login)}' target='_blank' rel='noopener'>{escape(texts.OPERATOR_HUB)}</a>"


def _is_from_here(scope: Scope) -> bool:
    """Return False if another site, or another port of this host, has the browser send the request."""
    return headers_of(scope).get("sec-fetch-site", "none") in ("same-origin", "none")


def _cookie(scope: Scope, sign_in_id: str, max_age_s: int) -> Header:
    return set_cookie(scope, COOKIE, sign_in_id, max_age_s, "Strict")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
