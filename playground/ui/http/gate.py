"""The gate in front of Gradio: only routes that this page uses, well-formed calls, and as many as the limits allow.

The form of a call is checked by `calls`, the number of calls by `limits`. Gradio's page does not show the message of a
429: an event of the page that comes too soon is let through with the refusal in its scope, and its handler shows the
message. Comparisons that arrive together begin one after another; votes pass by.

Boundary: pure ASGI.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from contextlib import nullcontext
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from playground.errors import Busy, PlaygroundError, Unknown, without_folders
from playground.ui.http.asgi import ASGIApp, Message, Receive, Scope, Send, headers_of, host_of, read_body
from playground.ui.http.calls import PREFIX, READABLE, Call, Endpoint, GradioEndpoints, read_call
from playground.ui.http.limits import RateLimits, RequestKind, kind_of, network
from playground.ui.http.operator import scope_status
from playground.ui.http.rater_cookie import rater_of
from playground.ui.http.responses import redirect, refuse, retry_after
from playground.ui.http.turnstile import Leave, Turnstile
from playground.ui.texts import refusals as texts

RATER_HEADER = "x-playground-rater"
REFUSAL = "playground.refusal"
"""The scope's key for the refusal of an event of the page."""
FREE = re.compile(r"/(assets|static|svelte)/.+|/(favicon\.ico|picture\.png|theme\.css|robots\.txt)")
"""Files of the page itself, dozens in a visit: not counted."""
CONFIG = "/config"
"""The configuration of the page, for programs and for pages that were left open."""
BODY_HEADERS = (b"content-length", b"content-type")


class CallGate:
    """Pass allowed requests on to Gradio; `PageMiddleware` in front has limited their size."""

    def __init__(
        self,
        app: ASGIApp,
        limits: RateLimits,
        turnstile: Turnstile,
        endpoints: Callable[[Scope], GradioEndpoints],
        pages: Collection[str],
    ) -> None:
        self._app = app
        self._pages = (*pages, CONFIG)
        self._limits = limits
        self._turnstile = turnstile
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_file(scope):
            await self._app(scope, receive, send)
            return
        is_post = scope["method"] == "POST"  # counted apart, so that open streams keep no vote away
        with self._limits.open.counting((network(host_of(scope)), is_post)) as is_allowed:
            if not is_allowed and not scope_status(scope).is_operator:
                await refuse(scope, send, 429, texts.TOO_MANY_OPEN.format(count=self._limits.open.most))
            elif is_post:
                await self._post(scope, receive, send)
            else:
                await self._get(scope, receive, send)

    async def _get(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if not self._is_readable(path):
            await refuse(scope, send, 404, texts.NO_SUCH_PLACE)
        elif path not in self._pages and path.removesuffix("/") in self._pages:
            await redirect(scope, send, 301, _without_slash(scope))
        elif not await self._is_limited(scope, send, RequestKind.VIEW, None):
            try:
                await self._app(scope, receive, send)
            except RuntimeError as error:
                if not isinstance(error.__cause__, HTTPException):
                    raise
                await send({"type": "http.response.body"})  # a stream of nothing; Gradio has said so in it

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is None:
            return
        try:
            call = read_call(scope["path"].removeprefix(PREFIX), body, self._endpoints(scope))
        except PlaygroundError as error:
            # a malformed call costs work too, and is counted as any other
            if not await self._is_limited(scope, send, RequestKind.VIEW, None):
                await refuse(scope, send, 404 if isinstance(error, Unknown) else 400, error.message)
            return
        passed, kind = _with_body(scope, call.body), _kind(call)
        is_of_page = call.endpoint is not None and not call.endpoint.is_public  # the API takes its turn itself
        turn = self._turnstile.turn() if is_of_page and kind is RequestKind.COMPARE else nullcontext(_leave_nothing)
        if kind is not RequestKind.VIEW and call.endpoint is not None and is_of_page:
            passed[REFUSAL] = self._refusal(scope, kind, call.endpoint)
            kind = RequestKind.VIEW
        if not await self._is_limited(scope, send, kind, call.endpoint):
            async with turn as leave:
                await self._app(passed, _replayed(call.body, receive), _explained(scope, _leaving(leave, send)))

    async def _is_limited(self, scope: Scope, send: Send, kind: RequestKind, endpoint: Endpoint | None) -> bool:
        """Count the request; refuse it and return True if it comes too soon."""
        refusal = self._refusal(scope, kind, endpoint)
        if refusal is not None:
            await refuse(scope, send, 429, str(refusal), retry_after(refusal.wait_s))
        return refusal is not None

    def _refusal(self, scope: Scope, kind: RequestKind, endpoint: Endpoint | None) -> Busy | None:
        """Count the request; return the refusal if it comes too soon."""
        return refusal_of(self._limits, scope, kind, _rater(scope, endpoint))

    def _is_readable(self, path: str) -> bool:
        if path.startswith(PREFIX):
            return READABLE.fullmatch(path.removeprefix(PREFIX).strip("/")) is not None
        return path in self._pages or path.removesuffix("/") in self._pages


def refusal_of(limits: RateLimits, scope: Scope, kind: RequestKind, rater: str) -> Busy | None:
    """Count a request of a rater; return the refusal if it comes too soon. The operator has no limits."""
    if scope_status(scope).is_operator:
        return None
    wait_s = limits.wait_s(kind, rater, host_of(scope))
    return Busy(texts.too_often(kind, limits.per_minute[kind], wait_s), wait_s) if wait_s else None


def check_pace(request: Any) -> None:
    """Raise Busy if an event of the page came too soon; `request` is Gradio's."""
    refusal = getattr(getattr(request, "request", None), "scope", {}).get(REFUSAL)
    if refusal is not None:
        raise refusal


def _is_file(scope: Scope) -> bool:
    return scope["method"] in ("GET", "HEAD") and FREE.fullmatch(scope["path"]) is not None


def _without_slash(scope: Scope) -> str:
    """Return the page's address relative to the one that ends in a slash: a proxy may serve it below another path."""
    query = scope.get("query_string", b"").decode("latin-1")
    return f"../{scope['path'].split('/')[-2]}{'?' if query else ''}{query}"


def _kind(call: Call) -> RequestKind:
    return RequestKind.VIEW if call.endpoint is None else kind_of(call.endpoint.name)


def _rater(scope: Scope, endpoint: Endpoint | None) -> str:
    """Return the rater to count for; a program's name counts per address, or others could use its limit up."""
    if endpoint is not None and endpoint.is_public:
        return f"{headers_of(scope).get(RATER_HEADER, '')[:64]} {host_of(scope)}"
    return rater_of(Request(scope)) or ""


def _with_body(scope: Scope, body: bytes) -> Scope:
    """Return the scope with the headers of another body, of JSON."""
    headers = [header for header in scope["headers"] if header[0] not in BODY_HEADERS]
    size = (b"content-length", str(len(body)).encode())
    return {**scope, "headers": [*headers, size, (b"content-type", b"application/json")]}


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return `body` as the first message, then those of the connection."""
    left = [body]

    async def replayed() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replayed


def _leave_nothing() -> None:
    """Do nothing: the request had no turn to leave."""


def _leaving(leave: Leave, send: Send) -> Send:
    """Call `leave` before each message: a client that does not read may keep `send` waiting."""

    async def sent(message: Message) -> None:
        leave()
        await send(message)

    return sent


def _explained(scope: Scope, send: Send) -> Send:
    """Turn Gradio's 500 for a refusal into a 400 with its message, and any other 500 into one without details."""
    held: list[Message] = []

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 500:
            held.append(message)
        elif held:
            kept = [header for header in held.pop()["headers"] if header[0] not in BODY_HEADERS]
            refusal = _refusal_in(message.get("body", b""))
            await refuse(scope, send, 400 if refusal else 500, refusal or texts.BROKEN, kept)
        else:
            await send(message)

    return sent


def _refusal_in(body: bytes) -> str:
    """Return the message of an error of Gradio's, without paths of the server; "" if it has none."""
    try:
        message = json.loads(body)["error"]
    except (ValueError, TypeError, KeyError):
        return ""
    return without_folders(message) if isinstance(message, str) else ""
