"""An idle queue seldom looks for events."""

from __future__ import annotations

import asyncio

import gradio as gr
import pytest
from gradio_client import Client

from playground.ui.events import LOOK_S, PROGRESS_S, lighten_events
from tests.conftest import free_port


def size(text: str) -> int:
    return len(text)


def test_an_idle_queue_looks_seldom_and_events_still_pass_it() -> None:
    with gr.Blocks() as page:
        gr.api(size, api_name="size")
    page.launch(server_port=free_port(), prevent_thread_lock=True, quiet=True)
    try:
        queue = page._queue
        assert queue.sleep_when_free < LOOK_S, "else this is not needed any more"
        assert queue.progress_update_sleep_when_free < PROGRESS_S
        lighten_events(page)
        slept: list[float] = []
        sleep = asyncio.sleep

        async def note(delay: float) -> None:
            slept.append(delay)
            await sleep(delay)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gradio.queueing.asyncio.sleep", note)
            client = Client(page.local_url, verbose=False)
            assert client.predict("four", api_name="/size") == 4
            client.close()
        assert LOOK_S in slept
        assert not [delay for delay in slept if 0 < delay < LOOK_S]
    finally:
        page.close()
