"""Say each request's texts in the language that its visitor asks for by ``Accept-Language``.

Boundary: pure ASGI; chooses among the languages it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playground.ui.http.asgi import ASGIApp, Receive, Scope, Send, headers_of
from playground.ui.texts.language import ENGLISH, Language, negotiated, speaking

LANGUAGE = "playground.language"
"""The scope's key for the language."""


class Speaking:
    """Set the language of each request."""

    def __init__(self, app: ASGIApp, languages: Sequence[Language] = ()) -> None:
        self._app = app
        self._languages = languages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        language = negotiated(headers_of(scope).get("accept-language", ""), self._languages)
        with speaking(language):
            await self._app({**scope, LANGUAGE: language}, receive, send)


def language_of(request: Any) -> Language:
    """Return the language of a request of Gradio's; English if it did not pass through `Speaking`.

    Events that wait in Gradio's queue do not run in the context of their request.
    """
    language = getattr(getattr(request, "request", None), "scope", {}).get(LANGUAGE)
    return language if isinstance(language, Language) else ENGLISH
