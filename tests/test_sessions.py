"""What sessions cost, when they end, and what does not end with them."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import threading
import tracemalloc
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import gradio as gr
import pytest

from benchmarks.tab import Tab
from playground.clock import Clock
from playground.settings import Settings
from playground.ui.pages import build_pages, launch_options
from playground.ui.sessions import IDLE_S, READ_S, WRITTEN_FOR, Sessions, lighten_sessions
from tests.conftest import free_port
from tests.patience import wait_until
from tests.stub_arena import StubArena

FEW = 5
"""Sessions that the small page keeps."""
KEPT_BYTES = 20_000
VIEWS = 30


@dataclass
class SmallPage:
    """A page that counts, and one event that waits until it is told to end; time passes when it is told to."""

    blocks: gr.Blocks
    port: int
    told_s: list[float]
    may_end: threading.Event
    begun: threading.Event = field(default_factory=threading.Event)

    @property
    def sessions(self) -> Sessions:
        holder = self.blocks.app.state_holder
        assert isinstance(holder, Sessions)
        return holder

    def call(self, name: str, session: str | None = None) -> str:
        """Begin a call as a program does; returns where its result is."""
        body = {"data": []} | ({} if session is None else {"session_hash": session})
        url = f"http://127.0.0.1:{self.port}/gradio_api/call/{name}"
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as reply:
            return f"{url}/{json.load(reply)['event_id']}"

    def result(self, url: str) -> str:
        """Everything that a call is answered with."""
        with urllib.request.urlopen(url, timeout=60) as reply:
            return str(reply.read().decode())

    def count(self, session: str | None = None) -> int:
        """Call the function that answers 1, and read its result."""
        said = self.result(self.call("count", session))
        return int(json.loads(said.partition("data: ")[2])[-1])

    @property
    def at_rest(self) -> bool:
        return not self.blocks._queue.event_ids_to_events


@pytest.fixture
def small() -> Iterator[SmallPage]:
    may_end, begun = threading.Event(), threading.Event()

    def wait() -> Iterator[int]:
        yield 1
        begun.set()
        may_end.wait(60)
        yield 2

    with gr.Blocks() as blocks:
        shown = gr.Number()
        gr.Button().click(lambda: 1, None, [shown], api_name="count")
        gr.Button().click(wait, None, [shown], api_name="wait")
    port, told_s = free_port(), [0.0]
    blocks.launch(server_port=port, prevent_thread_lock=True, quiet=True)
    lighten_sessions(blocks, Clock(monotonic=lambda: told_s[0]), FEW)
    yield SmallPage(blocks, port, told_s, may_end, begun)
    may_end.set()
    blocks.close()


@pytest.fixture(scope="module")
def whole() -> Iterator[tuple[gr.Blocks, int]]:
    """The playground's page."""
    arena = StubArena(Settings(views_per_minute=0))
    page, port = build_pages(arena), free_port()
    page.launch(server_port=port, prevent_thread_lock=True, quiet=True, **launch_options(arena))
    lighten_sessions(page)
    yield page, port
    page.close()


def view_page(port: int, views: int) -> None:
    def view(_: int) -> None:
        with Tab(port).opened():
            pass

    with ThreadPoolExecutor(2) as visitors:
        list(visitors.map(view, range(views)))
    gc.collect()


def test_a_page_view_keeps_less_than_20_kb_once_its_tab_is_closed(whole: tuple[gr.Blocks, int]) -> None:
    _, port = whole
    view_page(port, 5)
    tracemalloc.start(1)
    try:
        before, _ = tracemalloc.get_traced_memory()
        view_page(port, VIEWS)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / VIEWS < KEPT_BYTES


def test_the_page_keeps_no_state_in_a_session(whole: tuple[gr.Blocks, int]) -> None:
    assert [block for block in whole[0].blocks.values() if isinstance(block, gr.State)] == []


def test_a_session_that_nobody_uses_ends(small: SmallPage) -> None:
    assert small.count("tab") == 1
    small.told_s[0] += IDLE_S - 1
    assert small.count("tab") == 1, "used once more, it is kept for as long again"
    small.told_s[0] += IDLE_S - 1
    assert "tab" in small.sessions.session_data
    small.told_s[0] += 2
    wait_until(lambda: "tab" not in small.sessions.session_data)
    assert small.blocks._queue.pending_messages_per_session == {}
    assert small.blocks._queue.pending_event_ids_session == {}
    assert small.count("tab") == 1, "whoever comes back begins anew"


@pytest.mark.parametrize("named", [True, False], ids=["with a session", "without a session"])
def test_the_sessions_that_are_kept_are_few_and_the_latest_used(small: SmallPage, named: bool) -> None:
    urls = []
    for number in range(4 * FEW):
        urls.append(small.call("count", f"program{number}" if named else None))
        wait_until(lambda: small.at_rest)
        small.told_s[0] += READ_S
    kept = list(small.sessions.session_data)
    assert len(kept) == FEW
    assert set(small.blocks._queue.pending_event_ids_session) == set(kept)
    assert set(small.blocks._queue.pending_messages_per_session) == set(kept)
    assert "event: complete" in small.result(urls[-1]), "a result may be read later"


def test_a_session_with_an_event_under_way_does_not_end(small: SmallPage) -> None:
    url = small.call("wait", "patient")
    small.begun.wait(60)
    for _ in range(4 * FEW):
        small.count()
    small.told_s[0] += IDLE_S + 1
    wait_until(lambda: list(small.sessions.session_data) == ["patient"])
    small.may_end.set()
    assert "event: complete" in small.result(url)


def test_two_thousand_other_sessions_do_not_end_an_answer(small: SmallPage) -> None:
    url = small.call("wait", "patient")
    small.begun.wait(60)
    for number in range(2000):
        small.blocks._queue.pending_messages_per_session[str(number)] = asyncio.Queue()
    small.may_end.set()
    assert "event: complete" in small.result(url)


def test_more_sessions_than_are_kept_are_all_answered_at_once(small: SmallPage) -> None:
    urls = [small.call("wait", f"tab{number}") for number in range(4 * FEW)]
    small.may_end.set()
    with ThreadPoolExecutor(len(urls)) as readers:
        assert all("event: complete" in result for result in readers.map(small.result, urls))


def test_a_session_from_before_is_kept() -> None:
    with gr.Blocks() as blocks:
        gr.Button().click(lambda: 1, None, [gr.Number()], api_name="count")
    port = free_port()
    blocks.launch(server_port=port, prevent_thread_lock=True, quiet=True)
    try:
        page = SmallPage(blocks, port, [0.0], threading.Event())
        assert page.count("early") == 1
        lighten_sessions(blocks)
        assert "early" in page.sessions.session_data
        assert page.count("early") == 1
    finally:
        blocks.close()


def test_another_version_of_gradio_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Launched:
        app: Any = None

    monkeypatch.setattr(gr, "__version__", "7.0.0")
    with caplog.at_level(logging.WARNING):
        lighten_sessions(Launched())  # type: ignore[arg-type]  # nothing of it is touched
    assert "Gradio is 7.0.0" in caplog.text
    assert WRITTEN_FOR in caplog.text


def test_sessions_are_written_for_the_installed_gradio() -> None:
    assert version("gradio") == WRITTEN_FOR
