"""The plain JSON routes of the page's own scripts: which requests they answer, and how errors are said.

Boundary: pure ASGI; knows no route and no battle.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from playground.errors import Busy, PlaygroundError, StorageError
from playground.ui.http.asgi import Receive, Scope, Send, host_of, read_body
from playground.ui.http.limits import RateLimits, network
from playground.ui.http.responses import refuse, respond_json, retry_after
from playground.ui.texts import refusals as texts
from playground.validation.texts import TAKEN_OUT

Reply = Callable[[Scope, bytes], Awaitable[dict[str, Any]]]
"""Returns the document for a body; raises PlaygroundError."""


def is_posted_to(scope: Scope, path: str) -> bool:
    """Return True for a POST to a path, with or without a slash at its end."""
    return bool(scope["type"] == "http" and scope["method"] == "POST" and scope["path"].rstrip("/") == path)


async def answer_post(scope: Scope, receive: Receive, send: Send, limits: RateLimits, reply: Reply) -> None:
    """Send the document of a reply, or its error: 429 above a limit, 503 if nothing can be stored, else 400."""
    with limits.open.counting((network(host_of(scope)), True)) as is_allowed:
        if not is_allowed:
            await refuse(scope, send, 429, texts.TOO_MANY_OPEN.format(count=limits.open.most))
            return
        body = await read_body(receive)
        if body is None:
            return
        try:
            document = await reply(scope, body)
        except Busy as error:
            await refuse(scope, send, 429, error.message, retry_after(error.wait_s))
        except StorageError as error:
            await refuse(scope, send, 503, error.public)
        except PlaygroundError as error:
            await refuse(scope, send, 400, error.public)
        else:
            await respond_json(scope, send, 200, document)


def read_object(body: bytes, max_bytes: int) -> dict[str, Any] | None:
    """Return the JSON object in a body; None if there is none, or it is too long."""
    try:
        sent: Any = json.loads(body) if len(body) <= max_bytes else None
    except (ValueError, RecursionError):
        return None
    return sent if isinstance(sent, dict) else None


def is_number(value: object, below: int) -> bool:
    """Return True for a whole number from 0 to under `below`."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < below


def is_text(value: object) -> bool:
    """Return True for text without lone surrogates, which JSON can spell and SQLite cannot store."""
    return isinstance(value, str) and TAKEN_OUT["lone surrogate"].search(value) is None


def is_texts(value: object) -> bool:
    """Return True for a list of such texts."""
    return isinstance(value, list) and all(map(is_text, value))
