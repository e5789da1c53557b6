"""Steps of events look for no library that nothing uses here, and an idle queue seldom looks for events."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import gradio as gr
import pytest
from gradio_client import Client

from playground.ui.events import LOOK_S, PROGRESS_S, UNUSED, lighten_events
from tests.conftest import free_port


class Watch(MetaPathFinder):
    """Counts how often the library is looked for, and finds nothing."""

    def __init__(self) -> None:
        self.times = 0

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        self.times += fullname == UNUSED
        return None


def size(text: str) -> int:
    return len(text)


def test_no_step_of_an_event_looks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, UNUSED, raising=False)
    watch = Watch()
    monkeypatch.setattr(sys, "meta_path", [watch, *sys.meta_path])
    with gr.Blocks() as page:
        gr.api(size, api_name="size", queue=False)
    page.launch(server_port=free_port(), prevent_thread_lock=True, quiet=True)
    try:
        client = Client(page.local_url, verbose=False)
        assert client.predict("four", api_name="/size") == 4
        before = watch.times
        assert before, "else this is not needed any more"
        lighten_events(page)
        assert client.predict("four", api_name="/size") == 4
        assert watch.times == before
        client.close()
    finally:
        page.close()
        monkeypatch.delitem(sys.modules, UNUSED, raising=False)


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


def test_one_that_is_in_use_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType(UNUSED)
    monkeypatch.setitem(sys.modules, UNUSED, module)
    lighten_events(gr.Blocks())
    assert sys.modules[UNUSED] is module
