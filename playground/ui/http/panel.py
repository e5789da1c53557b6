"""The link by which a panel sends a rater to a study: it is checked, and the Rate page opens without the panel's id.

The id stays in no address, and in no log of this program. What the browser is sent on with stands behind a `#`, which
browsers keep to themselves.

Boundary: pure ASGI, behind `PageMiddleware`; the arena decides whether a link is valid.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import parse_qsl, urlencode

from playground.arena.arena import Arena
from playground.errors import InvalidLink, KeysUnavailable, StorageError
from playground.messages import Message
from playground.studies.panel_links import PARAMETERS
from playground.ui.http.asgi import ASGIApp, Header, Receive, Scope, Send
from playground.ui.http.forms import page_html
from playground.ui.http.gate import refusal_of
from playground.ui.http.limits import RateLimits, RequestKind
from playground.ui.http.responses import redirect, respond_page, retry_after
from playground.ui.http.root_path import link_to
from playground.ui.rendering import escape
from playground.ui.texts import panel as texts
from playground.ui.texts.language import said

PATH = "/rate"
MAX_PARAMETERS = 50
THREADS = 2
"""Threads of their own: one that waits for a panel's keys keeps no vote waiting."""


class PanelEntry:
    """Answer GET of the Rate page by a panel's link; pass everything else on."""

    def __init__(self, app: ASGIApp, arena: Arena, limits: RateLimits) -> None:
        self._app = app
        self._arena = arena
        self._limits = limits
        self._threads = ThreadPoolExecutor(THREADS, "panel")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].rstrip("/") == PATH:
            sent = _parameters(scope)
            if sent is None or any(name in PARAMETERS for name, _ in sent):
                await self._enter(scope, send, sent)
                return
        await self._app(scope, receive, send)

    async def _enter(self, scope: Scope, send: Send, sent: list[tuple[str, str]] | None) -> None:
        busy = refusal_of(self._limits, scope, RequestKind.VIEW, "")
        if busy is not None:
            await _refuse(scope, send, 429, busy.message, retry_after(busy.wait_s))
            return
        try:
            query = _once_each(sent)
            study = query.pop("study", "")
            entering = partial(self._arena.studies.enter, study, query)
            token = await asyncio.get_running_loop().run_in_executor(self._threads, entering)
        except InvalidLink as error:
            await _refuse(scope, send, 403, error.public)
        except KeysUnavailable as error:
            await _refuse(scope, send, 503, error.public)
        except StorageError:
            await _refuse(scope, send, 503, texts.LATER)
        else:
            page = f"rate?{urlencode({'study': study})}#{urlencode({'key': token})}"
            await redirect(scope, send, 303, link_to(scope, page))


def _parameters(scope: Scope) -> list[tuple[str, str]] | None:
    """Return the parameters of an address; None if they cannot be read."""
    try:
        query = scope.get("query_string", b"").decode("ascii")
        return parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return None


def _once_each(sent: list[tuple[str, str]] | None) -> dict[str, str]:
    """Return parameters by name.

    Raises:
        InvalidLink: they could not be read, or one stands there twice.
    """
    query = dict(sent or ())
    if sent is None or len(query) < len(sent):
        raise InvalidLink(Message("This link is damaged. Open the study from the page of your panel again."))
    return query


async def _refuse(scope: Scope, send: Send, status: int, words: str, headers: Iterable[Header] = ()) -> None:
    page = page_html(texts.TITLE, f"<p>{escape(said(words))}</p>")
    await respond_page(scope, send, status, page, headers)
