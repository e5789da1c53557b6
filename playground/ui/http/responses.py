"""Responses that the playground gives itself: data, pages, redirects and refusals.

Boundary: pure ASGI; knows no route.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping

from playground.ui.http.asgi import Header, Scope, Send, is_browser
from playground.ui.texts.language import all_said, present, said

NEVER_STORED: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"vary", b"Cookie, Authorization, Accept"),
)
NO_REFERRER = (b"referrer-policy", b"no-referrer")
"""For redirects only: from a page with this policy a browser posts forms with the Origin "null", as another site's."""
REFUSAL_PAGE = (
    "<!doctype html><html lang='{lang}' dir='{dir}'><meta charset='utf-8'>"
    "<meta name='viewport' content='width=device-width'><title>{message}</title><p>{message}</p></html>\n"
)


async def respond(
    scope: Scope, send: Send, status: int, content_type: str, text: str, headers: Iterable[Header] = ()
) -> None:
    """Send a whole response; a HEAD request gets its headers alone."""
    body = text.encode()
    own = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode()), *NEVER_STORED]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def respond_json(
    scope: Scope, send: Send, status: int, document: Mapping[str, object], headers: Iterable[Header] = ()
) -> None:
    """Send a document with the texts in it in the visitor's language."""
    await respond(scope, send, status, "application/json", json.dumps(all_said(document)), headers)


async def respond_page(scope: Scope, send: Send, status: int, page: str, headers: Iterable[Header] = ()) -> None:
    await respond(scope, send, status, "text/html; charset=utf-8", page, headers)


async def redirect(scope: Scope, send: Send, status: int, location: str, headers: Iterable[Header] = ()) -> None:
    elsewhere = [(b"location", location.encode("latin-1")), NO_REFERRER]
    await respond(scope, send, status, "text/plain", "", [*elsewhere, *headers])


async def refuse(scope: Scope, send: Send, status: int, message: str, headers: Iterable[Header] = ()) -> None:
    """Say a message: as a page to a browser that asks for one, as ``{"error": …}`` to anything else."""
    words, language = said(message), present()
    if scope["method"] == "GET" and is_browser(scope):
        page = REFUSAL_PAGE.format(message=html.escape(words), lang=language.tag, dir=language.direction)
        await respond_page(scope, send, status, page, headers)
    else:
        await respond_json(scope, send, status, {"error": words}, headers)


def retry_after(wait_s: int) -> list[Header]:
    """Return the header of a 429; none if there is nothing to wait for."""
    return [(b"retry-after", str(wait_s).encode())] if wait_s else []
