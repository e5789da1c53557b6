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
from gradio_client import Client
from starlette.middleware import Middleware

from benchmarks.tab import Tab
from playground.clock import Clock
from playground.settings import Settings
from playground.ui.pages import build_pages, launch_options
from playground.ui.sessions import UNHELD_S, WRITTEN_FOR, Sessions, TabWatch, lighten_sessions
from tests.conftest import free_port
from tests.patience import wait_until
from tests.stub_arena import StubArena

FEW = 5
"""Sessions without a heartbeat that the small page keeps."""
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
        """Begin a call as a program does that opens no heartbeat; returns where its result is."""
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
        """Call the counter and read its result."""
        said = self.result(self.call("count", session))
        return int(json.loads(said.partition("data: ")[2])[-1])

    @property
    def at_rest(self) -> bool:
        return not self.blocks._queue.event_ids_to_events


def counted(count: int) -> tuple[int, int]:
    return count + 1, count + 1


@pytest.fixture
def small() -> Iterator[SmallPage]:
    may_end, begun = threading.Event(), threading.Event()

    def wait() -> Iterator[int]:
        yield 1
        begun.set()
        may_end.wait(60)
        yield 2

    with gr.Blocks() as blocks:
        count, shown = gr.State(0), gr.Number()
        gr.Button().click(counted, [count], [count, shown], api_name="count")
        gr.Button().click(wait, None, [shown], api_name="wait")
    port, told_s = free_port(), [0.0]
    watched = {"middleware": [Middleware(TabWatch)]}
    blocks.launch(server_port=port, prevent_thread_lock=True, quiet=True, app_kwargs=watched)
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


def test_a_light_session_keeps_state_and_no_configuration(small: SmallPage) -> None:
    client = Client(small.blocks.local_url, verbose=False)
    assert [client.predict(api_name="/count") for _ in range(3)] == [1, 2, 3]
    (session,) = small.sessions.session_data.values()
    assert session.config_values == {}
    client.close()


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


def test_the_state_of_the_page_needs_no_end_of_its_own(whole: tuple[gr.Blocks, int]) -> None:
    states = [block for block in whole[0].blocks.values() if isinstance(block, gr.State)]
    assert states
    assert all(state.time_to_live == float("inf") and state.delete_callback(None) is None for state in states)


def test_the_session_of_a_closed_tab_ends(small: SmallPage) -> None:
    with Tab(small.port).opened() as tab:
        assert small.count(tab.session) == 1
        small.told_s[0] += 100 * UNHELD_S
        assert small.count(tab.session) == 2, "an open tab may be idle for as long as it likes"
    wait_until(lambda: tab.session in small.sessions._unheld)
    assert small.count(tab.session) == 3, "a tab whose stream was cut goes on"
    small.told_s[0] += UNHELD_S + 1
    wait_until(lambda: tab.session not in small.sessions.session_data)
    assert small.blocks._queue.pending_messages_per_session == {}
    assert small.blocks._queue.pending_event_ids_session == {}
    assert small.count(tab.session) == 1, "whoever comes back begins anew"


def test_an_open_tab_outlives_any_number_of_other_clients(small: SmallPage) -> None:
    with Tab(small.port).opened() as tab:
        assert small.count(tab.session) == 1
        for _ in range(4 * FEW):
            small.count()
        assert small.count(tab.session) == 2


@pytest.mark.parametrize("named", [True, False], ids=["with a session", "without a session"])
def test_clients_without_a_heartbeat_are_few_and_the_latest_used(small: SmallPage, named: bool) -> None:
    urls = [small.call("count", f"program{n}" if named else None) for n in range(4 * FEW)]
    wait_until(lambda: small.at_rest)
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
    small.told_s[0] += UNHELD_S + 1
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


def test_all_sessions_together_are_no_more_than_the_capacity(small: SmallPage) -> None:
    small.sessions.capacity = 3
    with Tab(small.port).opened() as first, Tab(small.port).opened() as second:
        for tab in (first, second):
            small.count(tab.session)
        for _ in range(3):
            small.count()
        assert {first.session, second.session} <= set(small.sessions.session_data)
        assert len(small.sessions.session_data) == 3


def test_a_session_from_before_goes_on() -> None:
    with gr.Blocks() as blocks:
        count, shown = gr.State(0), gr.Number()
        gr.Button().click(counted, [count], [count, shown], api_name="count")
    blocks.launch(server_port=free_port(), prevent_thread_lock=True, quiet=True)
    try:
        client = Client(blocks.local_url, verbose=False)
        assert client.predict(api_name="/count") == 1
        lighten_sessions(blocks)
        assert client.predict(api_name="/count") == 2
        client.close()
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
