"""The operator: who may load and unload models and has no limits, and how a browser or a program becomes one.

Boundary: pure ASGI, in front of Gradio. Where a request comes from and what host it names decide nothing: behind a
plain proxy every request comes from this machine. Every doubt is a no.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from playground.clock import Clock
from playground.errors import InvalidValue
from playground.settings import Settings
from playground.ui.http.cookies import cookie_values
from playground.ui.http.forms import SecretForm, page_html, read_form, reply_elsewhere, reply_page
from playground.ui.http.middleware import ASGIApp, Receive, Scope, Send, headers_of, refuse
from playground.ui.http.root_path import address, set_cookie
from playground.ui.http.tries import WrongTries
from playground.ui.rendering import escape
from playground.ui.texts import access as texts

PATH = "/operator"
COOKIE = "playground_operator"
HEADER = "x-playground-operator"
"""A program sends the token in it."""
SESSION_S = 7 * 24 * 3600
MOST_SESSIONS = 100
HUB_LOGIN = "/login/huggingface"
HUB_ROUTES = (HUB_LOGIN, "/login/callback")
"""Gradio's routes of a Hugging Face login that a browser is sent to."""
HUB_VARIABLES = ("SPACE_ID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPES", "OPENID_PROVIDER_URL")
_STANDING = "playground.operator"
EVERYWHERE: Mapping[str, str] = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}
"""Addresses that one listens on but cannot open, and the one to open instead."""


@dataclass(frozen=True, slots=True)
class OperatorAccess:
    """The ways in which somebody can become the operator; none of them: nobody can."""

    token: str = ""
    is_new: bool = False  # the token was made at this start, so that it has to be printed
    hub_names: tuple[str, ...] = ()  # Hugging Face users, by the login of a Space
    hub_login: str = ""  # its address, outside of the hub's frame where it is known
    names_are_set: bool = False

    @property
    def is_open(self) -> bool:
        """Whether there is any."""
        return bool(self.token or self.hub_names)


NOBODY = OperatorAccess()


def operator_access(
    settings: Settings, environ: Mapping[str, str], new_token: Callable[[int], str] = secrets.token_urlsafe
) -> OperatorAccess:
    """Return how somebody becomes the operator of a playground with these settings.

    Raises:
        InvalidValue: a Space has a Hugging Face login, but not everything that it needs.
    """
    if settings.locked or (settings.share and not settings.share_operator):
        return NOBODY
    if environ.get("SYSTEM") != "spaces":
        return OperatorAccess(settings.operator_token or new_token(32), is_new=not settings.operator_token)
    if not environ.get("OAUTH_CLIENT_ID"):
        return OperatorAccess(settings.operator_token)
    # Gradio attaches a made-up login with a known secret where it does not find these.
    missing = [name for name in HUB_VARIABLES if not environ.get(name)]
    if missing:
        raise InvalidValue(
            f"OAUTH_CLIENT_ID is set, but not {missing[0]}; a Space sets both where its README.md says `hf_oauth: true`"
        )
    author = environ.get("SPACE_AUTHOR_NAME") or environ["SPACE_ID"].partition("/")[0]
    host = environ.get("SPACE_HOST", "").partition(",")[0].strip()  # with a domain of one's own there are two
    login = f"{HUB_LOGIN}?{urlencode({'_target_url': PATH})}"
    return OperatorAccess(
        settings.operator_token,
        hub_names=settings.operator_names or (author,),
        hub_login=f"https://{host}{login}" if host else login,
        names_are_set=bool(settings.operator_names),
    )


def operator_url(access: OperatorAccess, base: str) -> str:
    """Return the address at which a browser becomes the operator; with the token, if it was made at this start."""
    return f"{base}{PATH}?{urlencode({'token': access.token})}" if access.is_new else f"{base}{PATH}"


def base_url(host: str, port: int, root_path: str, protocol: str = "http") -> str:
    """Return the address of the start page, without a slash at its end, for a browser on this machine."""
    if urlsplit(root_path).scheme in ("http", "https"):
        return root_path.rstrip("/")
    bare = host.strip("[]")
    name = EVERYWHERE.get(bare, bare)
    path = root_path.strip("/")
    return f"{protocol}://{f'[{name}]' if ':' in name else name}:{port}{f'/{path}' if path else ''}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a request is the operator's, and how its sender could become the operator."""

    is_operator: bool = False
    access: OperatorAccess = NOBODY


def standing_of(request: Any) -> Standing:
    """Return the standing of a request, of Starlette or of Gradio, which has one of Starlette inside."""
    inner = getattr(request, "request", None)
    scope = getattr(request if inner is None else inner, "scope", None) or {}
    return scope_standing(scope)


def scope_standing(scope: Scope) -> Standing:
    """Return the standing that the gate has noted; where there was no gate, nobody is the operator."""
    standing = scope.get(_STANDING)
    return standing if isinstance(standing, Standing) else Standing()


class Sessions:
    """The browsers that are the operator's, by a random id each; only hashes of the ids are kept."""

    def __init__(self, clock: Clock | None = None, new_id: Callable[[int], str] = secrets.token_urlsafe) -> None:
        self._clock = clock or Clock()
        self._new_id = new_id
        self._ends_s: OrderedDict[bytes, float] = OrderedDict()

    def start(self) -> str:
        """Return the id of a new session; of too many the oldest ends."""
        session_id = self._new_id(32)
        self._ends_s[_digest(session_id)] = self._clock.monotonic() + SESSION_S
        if len(self._ends_s) > MOST_SESSIONS:
            self._ends_s.popitem(last=False)
        return session_id

    def __contains__(self, session_id: str) -> bool:
        return self._ends_s.get(_digest(session_id), 0.0) > self._clock.monotonic()

    def end(self, session_id: str) -> None:
        """End a session, if there is one."""
        self._ends_s.pop(_digest(session_id), None)


class OperatorGate:
    """Answer `PATH`, and note the standing of every other request for those behind."""

    def __init__(
        self,
        app: ASGIApp,
        access: OperatorAccess,
        sessions: Sessions | None = None,
        tries: WrongTries | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._access = access
        self._sessions = Sessions() if sessions is None else sessions
        self._tries = tries or WrongTries()
        self._now_s = now_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_own = self._access.is_open and scope["path"].rstrip("/") == PATH
        if is_own and scope["method"] in ("GET", "HEAD"):
            await self._get(scope, send)
        elif is_own and scope["method"] == "POST":
            await self._post(scope, receive, send)
        elif (token := headers_of(scope).get(HEADER)) is not None and not self._is_token(token):
            wait_s, words = self._wrong(scope)
            more = [(b"retry-after", str(wait_s).encode())] if wait_s else []
            await refuse(send, 429 if wait_s else 403, words, more)
        else:
            is_operator = token is not None or self._has_session(scope)
            await self._app({**scope, _STANDING: Standing(is_operator, self._access)}, receive, send)

    async def _get(self, scope: Scope, send: Send) -> None:
        token = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [None])[0]
        hub_name = self._hub_name(scope)
        if token is not None:
            await self._enter(scope, send, token)
        elif hub_name is not None:
            await self._enter_by_name(scope, send, hub_name)
        elif self._has_session(scope):
            await reply_elsewhere(scope, send, address(scope, "models"))
        else:
            await self._ask(scope, send, 200)

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = await read_form(receive)
        if "sign_out" in sent:
            for session_id in _session_ids(scope):
                self._sessions.end(session_id)
            await reply_elsewhere(scope, send, address(scope, "models"), [_cookie(scope, "", 0)])
        else:
            await self._enter(scope, send, sent.get("token", ""))

    async def _enter(self, scope: Scope, send: Send, token: str) -> None:
        """Start a session for the right token; a right one is never refused."""
        if self._is_token(token):
            await self._start(scope, send)
            return
        wait_s, words = self._wrong(scope)
        more = [(b"retry-after", str(wait_s).encode())] if wait_s else []
        await self._ask(scope, send, 429 if wait_s else 403, words, more)

    async def _enter_by_name(self, scope: Scope, send: Send, name: str) -> None:
        """Start a session for a user whom the hub names; the login is used once and not kept."""
        scope["session"].pop("oauth_info", None)
        if name in self._access.hub_names:
            await self._start(scope, send)
            return
        words = texts.OPERATOR_IS_ELSE if self._access.names_are_set else texts.OPERATOR_IS_AUTHOR
        said = words.format(name=name, author=self._access.hub_names[0])
        back = f"<p><a href='{escape(address(scope, 'models'))}'>{escape(texts.OPERATOR_BACK)}</a></p>"
        await reply_page(scope, send, 403, page_html(texts.OPERATOR_TITLE, f"<p>{escape(said)}</p>{back}"))

    async def _start(self, scope: Scope, send: Send) -> None:
        session = _cookie(scope, self._sessions.start(), SESSION_S)
        await reply_elsewhere(scope, send, address(scope, "models"), [session])

    async def _ask(
        self, scope: Scope, send: Send, status: int, error: str = "", more: list[tuple[bytes, bytes]] | None = None
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
                action=address(scope, PATH.lstrip("/")),
                name="token",
            )
            page = form.html(error, f"<p>{login}</p>" if login else "")
        await reply_page(scope, send, status, page, more or ())

    def _wrong(self, scope: Scope) -> tuple[int, str]:
        """Count a wrong token; returns how long to wait, if that was one too many, and the words."""
        if wait_s := self._tries.wait_s(scope):
            return wait_s, texts.OPERATOR_TOO_OFTEN.format(wait=wait_s)
        self._tries.count(scope)
        return 0, texts.OPERATOR_WRONG

    def _is_token(self, token: str) -> bool:
        known = self._access.token
        return bool(known) and hmac.compare_digest(_digest(token), _digest(known))

    def _has_session(self, scope: Scope) -> bool:
        """Return whether the operator's page sends this. SameSite lets pages of another port of this host through."""
        headers = headers_of(scope)
        if not self._access.is_open or headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return False
        return any(session_id in self._sessions for session_id in _session_ids(scope))

    def _hub_name(self, scope: Scope) -> str | None:
        """Return the user name of a Hugging Face login that has just been made, as the hub gave it."""
        if not self._access.hub_names:
            return None
        login = scope.get("session", {}).get("oauth_info")
        if not isinstance(login, dict) or login.get("expires_at", 0) <= self._now_s():
            return None
        name = login.get("userinfo", {}).get("preferred_username")
        return name if isinstance(name, str) and name else None


def hub_link(access: OperatorAccess) -> str:
    """Return the link to the Hugging Face login; it opens in a tab of its own: in the hub's frame no login is kept."""
    if not access.hub_login:
        return ""
    return f"<a href='{escape(access.hub_login)}' target='_blank' rel='noopener'>{escape(texts.OPERATOR_HUB)}</a>"


def _session_ids(scope: Scope) -> Iterator[str]:
    return cookie_values(headers_of(scope).get("cookie", ""), COOKIE)


def _cookie(scope: Scope, session_id: str, max_age_s: int) -> tuple[bytes, bytes]:
    return set_cookie(scope, COOKIE, session_id, max_age_s, "Strict")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
