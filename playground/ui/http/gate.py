"""What reaches Gradio: only its routes that this page uses, only calls that are well formed, only so many of them.

Boundary: pure ASGI; what a call has to look like is `calls`', how often one may call is `limits`'. Refusals are JSON
with the words in ``error``; a browser that asks for a page gets one with the words. Gradio's own page shows nobody the
words of a 429, so that an event of it which comes too soon is let through with the refusal in its scope: its handler
says the words where it says everything. Comparisons that come together begin one after another; votes pass by.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from contextlib import nullcontext
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from playground.errors import Busy, PlaygroundError, Unknown, without_folders
from playground.ui.http.calls import PREFIX, READABLE, Call, Endpoint, Endpoints, read_call
from playground.ui.http.limits import Kind, Limits, kind_of, network
from playground.ui.http.middleware import (
    ASGIApp,
    Message,
    Receive,
    Scope,
    Send,
    address_of,
    rater_of,
    refuse,
    refuse_page,
)
from playground.ui.http.operator import scope_standing
from playground.ui.http.turnstile import Leave, Turnstile
from playground.ui.texts import refusals as texts

RATER_HEADER = "x-playground-rater"
REFUSAL = "playground.refusal"
"""Where the scope of an event of the page says that it came too soon."""
FREE = re.compile(r"/(assets|static|svelte)/.+|/(favicon\.ico|theme\.css|robots\.txt)")
"""Files of the page itself, dozens per visit: not counted."""
CONFIG = "/config"
"""Where programs, and pages that were left open, read what the page is made of."""


class CallGate:
    """In front of Gradio, behind `PageMiddleware`, which has limited the size of what comes."""

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        turnstile: Turnstile,
        endpoints: Callable[[Scope], Endpoints],
        rooms: Collection[str],
    ) -> None:
        self._app = app
        self._open = (*rooms, CONFIG)
        self._limits = limits
        self._turnstile = turnstile
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_file(scope):
            await self._app(scope, receive, send)
            return
        is_post = scope["method"] == "POST"  # counted apart: a vote finds its way past whatever streams are open
        with self._limits.open.one_more((network(address_of(Request(scope))), is_post)) as fits:
            if not fits and not scope_standing(scope).is_operator:
                await _say(scope, send, 429, texts.TOO_MANY_OPEN.format(count=self._limits.open.most))
            elif is_post:
                await self._post(scope, receive, send)
            else:
                await self._get(scope, receive, send)

    async def _get(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_open(scope["path"]):
            await _say(scope, send, 404, texts.NO_SUCH_PLACE)
        elif scope["path"] not in self._open and scope["path"].removesuffix("/") in self._open:
            await _redirect(send, _without_slash(scope))
        elif not await self._is_too_often(scope, send, Kind.VIEW, None):
            try:
                await self._app(scope, receive, send)
            except RuntimeError as error:
                if not isinstance(error.__cause__, HTTPException):
                    raise
                await send({"type": "http.response.body"})  # a stream of nothing; Gradio has said so in it

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _whole(receive)
        if body is None:
            return
        try:
            call = read_call(scope["path"].removeprefix(PREFIX), body, self._endpoints(scope))
        except PlaygroundError as error:
            # what is malformed costs work too, and is counted as anything else
            if not await self._is_too_often(scope, send, Kind.VIEW, None):
                await refuse(send, 404 if isinstance(error, Unknown) else 400, str(error))
            return
        passed, kind = _sized(scope, call.body), _kind(call)
        turn = self._turnstile.turn() if kind is Kind.COMPARE else nullcontext(_nobody_waits)
        if kind is not Kind.VIEW and call.endpoint is not None and not call.endpoint.is_public:
            passed[REFUSAL] = self._refusal(scope, kind, call.endpoint)
            kind = Kind.VIEW
        if not await self._is_too_often(scope, send, kind, call.endpoint):
            async with turn as leave:
                await self._app(passed, _replayed(call.body, receive), _in_words(_first(leave, send)))

    async def _is_too_often(self, scope: Scope, send: Send, kind: Kind, endpoint: Endpoint | None) -> bool:
        """Count the request, or refuse it."""
        refusal = self._refusal(scope, kind, endpoint)
        if refusal is not None:
            await _say(scope, send, 429, str(refusal), [(b"retry-after", str(refusal.wait_s).encode())])
        return refusal is not None

    def _refusal(self, scope: Scope, kind: Kind, endpoint: Endpoint | None) -> Busy | None:
        """Count the request; where it comes too soon, what to say."""
        request = Request(scope)
        if scope_standing(scope).is_operator:
            return None
        host = address_of(request)
        wait_s = self._limits.wait_s(kind, _rater(request, endpoint, host), host)
        return Busy(texts.too_often(kind, self._limits.per_minute[kind], wait_s), wait_s) if wait_s else None

    def _is_open(self, path: str) -> bool:
        if path.startswith(PREFIX):
            return READABLE.fullmatch(path.removeprefix(PREFIX).strip("/")) is not None
        return path in self._open or path.removesuffix("/") in self._open


def check_pace(request: Any) -> None:
    """Raises Busy for an event of the page that came too soon; `request` is Gradio's."""
    refusal = getattr(getattr(request, "request", None), "scope", {}).get(REFUSAL)
    if refusal is not None:
        raise refusal


def _is_file(scope: Scope) -> bool:
    return scope["method"] in ("GET", "HEAD") and FREE.fullmatch(scope["path"]) is not None


async def _say(scope: Scope, send: Send, status: int, words: str, more: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Refuse in the form that whoever asks can read."""
    in_browser = scope["method"] == "GET" and "text/html" in Request(scope).headers.get("accept", "")
    await (refuse_page if in_browser else refuse)(send, status, words, more)


def _without_slash(scope: Scope) -> str:
    """Return the page's address as seen from one that ends in a slash: a proxy may serve it below another path."""
    query = scope.get("query_string", b"").decode("latin-1")
    return f"../{scope['path'].split('/')[-2]}{'?' if query else ''}{query}"


async def _redirect(send: Send, address: str) -> None:
    headers = [(b"location", address.encode("latin-1")), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 301, "headers": headers})
    await send({"type": "http.response.body"})


def _kind(call: Call) -> Kind:
    return Kind.VIEW if call.endpoint is None else kind_of(call.endpoint.name)


def _rater(request: Request, endpoint: Endpoint | None, host: str) -> str:
    """Who asks. A program's name is no secret: it counts per address, or one could use up another's."""
    if endpoint is not None and endpoint.is_public:
        return f"{request.headers.get(RATER_HEADER, '')[:64]} {host}"
    return rater_of(request) or ""


async def _whole(receive: Receive) -> bytes | None:
    """The body; None where the client went, or was sent, away."""
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _sized(scope: Scope, body: bytes) -> Scope:
    """The request's scope with the size of the body that it has now."""
    headers = [(name, value) for name, value in scope["headers"] if name not in (b"content-length", b"content-type")]
    size = (b"content-length", str(len(body)).encode())
    return {**scope, "headers": [*headers, size, (b"content-type", b"application/json")]}


def _replayed(body: bytes, receive: Receive) -> Receive:
    """`body` as the first message, and then what the connection says."""
    left = [body]

    async def replayed() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replayed


def _nobody_waits() -> None:
    """What is left by who was in no turn."""


def _first(leave: Leave, send: Send) -> Send:
    """`send`, after leaving: who does not read what is sent may keep it waiting."""

    async def on(message: Message) -> None:
        leave()
        await send(message)

    return on


def _in_words(send: Send) -> Send:
    """Gradio answers 500 whenever a handler refuses: with words it is the request's fault, without them it is ours."""
    held: list[Message] = []

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 500:
            held.append(message)
        elif held:
            start = held.pop()
            words = _words(message.get("body", b""))
            kept = [
                (name, value) for name, value in start["headers"] if name not in (b"content-length", b"content-type")
            ]
            await refuse(send, 400 if words else 500, words or texts.BROKEN, kept)
        else:
            await send(message)

    return sent


def _words(body: bytes) -> str:
    try:
        words = json.loads(body)["error"]
    except (ValueError, TypeError, KeyError):
        return ""
    return without_folders(words) if isinstance(words, str) else ""
