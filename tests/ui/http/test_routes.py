"""No request waits for a thread that asks who has logged in, where nobody does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client

from playground.ui.http.routes import UNASKED, lighten_routes
from tests.conftest import free_port


def size(text: str) -> int:
    return len(text)


@contextmanager
def launched(**how: Any) -> Iterator[gr.Blocks]:
    with gr.Blocks() as page:
        gr.api(size, api_name="size")
    page.launch(server_port=free_port(), prevent_thread_lock=True, quiet=True, **how)
    try:
        yield page
    finally:
        page.close()


def asked_on_threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Filled with the names of what requests ask on a thread of their own."""
    asked: list[str] = []
    elsewhere = "fastapi.dependencies.utils.run_in_threadpool"

    async def run(call: Any, **values: Any) -> Any:
        asked.append(call.__name__)
        return call(**values)

    monkeypatch.setattr(elsewhere, run)
    return asked


def test_nobody_is_asked_who_has_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_on_threads(monkeypatch)
    with launched() as page:
        client = Client(page.local_url, verbose=False)
        assert client.predict("four", api_name="/size") == 4
        assert UNASKED in asked, "else this is not needed any more"
        lighten_routes(page)
        asked.clear()
        assert client.predict("four", api_name="/size") == 4
        assert asked == []
        client.close()


def test_where_somebody_has_to_log_in_everybody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_on_threads(monkeypatch)
    with launched(auth=("ada", "secret")) as page:
        lighten_routes(page)
        client = Client(page.local_url, verbose=False, auth=("ada", "secret"))
        asked.clear()
        assert client.predict("four", api_name="/size") == 4
        assert UNASKED in asked
        client.close()
