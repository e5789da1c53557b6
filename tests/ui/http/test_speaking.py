"""Each request speaks the language that its visitor asks for."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from playground.ui.http.asgi import Receive, Scope, Send
from playground.ui.http.speaking import Speaking, language_of
from playground.ui.texts.language import ENGLISH, Language, present
from tests.support.pseudo import pseudo_language

PSEUDO = pseudo_language()


def spoken(accepted: str | None, kind: str = "http") -> tuple[Language, Language]:
    """Return the language of the context and of the request, as the app behind sees them."""
    seen: list[tuple[Language, Language]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((present(), language_of(SimpleNamespace(request=SimpleNamespace(scope=scope)))))

    headers = [] if accepted is None else [(b"accept-language", accepted.encode())]
    scope: Scope = {"type": kind, "headers": headers}
    asyncio.run(Speaking(app, [PSEUDO])(scope, None, None))  # type: ignore[arg-type]  # the app reads nothing
    return seen[0]


@pytest.mark.parametrize(
    ("accepted", "language"), [("en-XA,en;q=0.5", PSEUDO), ("en", ENGLISH), ("xx", ENGLISH), (None, ENGLISH)]
)
def test_request_speaks_the_language_of_its_visitor(accepted: str | None, language: Language) -> None:
    assert spoken(accepted) == (language, language)
    assert present() is ENGLISH


def test_other_connections_speak_english() -> None:
    assert spoken("en-XA", kind="lifespan") == (ENGLISH, ENGLISH)
    assert language_of(SimpleNamespace()) is ENGLISH
