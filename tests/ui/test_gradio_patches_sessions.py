"""The memory of a session, when a session ends, and the answers that outlast it."""

from __future__ import annotations

import asyncio
import gc
import json
import time
import tracemalloc
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import gradio as gr
import pytest
from gradio_client import Client

from benchmarks.tab import Tab, read_config
from playground.clock import Clock
from playground.settings import Settings
from playground.ui.gradio_patches import (
    MOST_SESSIONS,
    SESSION_IDLE_S,
    UNREAD_S,
    Sessions,
    shrink_sessions,
)
from playground.ui.http.open_files import allow_files
from playground.ui.site import PAGES
from tests.conftest import free_port
from tests.support.patience import PATIENCE_S, wait_until
from tests.support.serving import serving
from tests.support.stub_arena import StubArena

FEW = 5
"""Idle sessions that the small page keeps."""
KEPT_BYTES = 20_000
VIEWS = 30
LOOK_S = 0.2
GRADIOS_MOST = 2000
"""Sessions whose messages Gradio keeps."""
TABS = GRADIOS_MOST + 100

pytestmark = pytest.mark.slow


class Gate:
    """A gate that holds events of a page until a test opens it, and the event loop that serves the page."""

    def __init__(self) -> None:
        self._opened = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    def reached(self) -> asyncio.Event:
        self.loop = asyncio.get_running_loop()
        return self._opened

    def open(self) -> None:
        assert self.loop is not None, "no event has been called"
        self.loop.call_soon_threadsafe(self._opened.set)


@dataclass
class SmallPage:
    """A page with one event that answers at once and one that waits for the test, which sets the time."""

    blocks: gr.Blocks
    port: int
    gate: Gate
    told_s: list[float] = field(default_factory=lambda: [0.0])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sessions(self) -> Sessions:
        holder = self.blocks.app.state_holder
        assert isinstance(holder, Sessions)
        return holder

    @property
    def kept(self) -> set[str]:
        return set(self.sessions.session_data)

    @property
    def queued(self) -> set[str]:
        """Sessions with a message or an event in the queue."""
        queue = self.blocks._queue
        return {*queue.pending_messages_per_session, *queue.pending_event_ids_session}

    def call(self, name: str, session: str | None = None) -> str:
        """Begin a call as a program does; return the address of its result."""
        body = {"data": []} | ({} if session is None else {"session_hash": session})
        url = f"{self.url}/gradio_api/call/{name}"
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
            return f"{url}/{json.load(reply)['event_id']}"

    def result(self, url: str) -> str:
        """Return the whole result of a call."""
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as reply:
            return str(reply.read().decode())

    def others_come(self, count: int = 4 * FEW) -> None:
        """Use the page from as many other sessions, which read their results."""
        for _ in range(count):
            assert "event: complete" in self.result(self.call("answer"))

    def rests(self) -> None:
        """Wait until no event is running."""
        wait_until(lambda: not self.blocks._queue.event_ids_to_events)

    def sweeps(self) -> None:
        """End idle sessions now, as Gradio does once a second."""

        async def sweep() -> None:
            self.sessions.delete_all_expired_state()

        assert self.gate.loop is not None, "no event has been called"
        asyncio.run_coroutine_threadsafe(sweep(), self.gate.loop).result(PATIENCE_S)


@contextmanager
def small_page(most: int) -> Iterator[SmallPage]:
    gate = Gate()

    async def answer() -> str:
        gate.reached()  # so the gate knows the loop
        return "answered"

    async def wait() -> AsyncIterator[str]:
        yield "begun"
        await gate.reached().wait()
        yield "ended"

    with gr.Blocks() as blocks:
        shown = gr.Textbox()
        gr.Button().click(answer, None, [shown], api_name="answer", concurrency_limit=None)
        gr.Button().click(wait, None, [shown], api_name="wait", concurrency_limit=None)
    page = SmallPage(blocks, free_port(), gate)
    blocks.launch(server_port=page.port, prevent_thread_lock=True, quiet=True, max_threads=TABS)
    shrink_sessions(blocks, Clock(monotonic=lambda: page.told_s[0]), most)
    page.others_come(1)
    page.rests()
    page.told_s[0] += SESSION_IDLE_S
    page.sweeps()
    assert page.kept == set()
    yield page
    gate.open()
    blocks.close()


@pytest.fixture
def small() -> Iterator[SmallPage]:
    with small_page(FEW) as page:
        yield page


@pytest.fixture(scope="module")
def whole() -> Iterator[tuple[gr.Blocks, int]]:
    """The playground's page and its port."""
    with serving(StubArena(Settings(views_per_minute=0))) as page:
        shrink_sessions(page)
        yield page, page.server_port


def view_page(port: int, views: int) -> None:
    with ThreadPoolExecutor(2) as visitors:
        for done in [visitors.submit(Tab(port).open) for _ in range(views)]:
            done.result()
    gc.collect()


# Memory


def test_page_view_keeps_less_than_20_kb(
    whole: tuple[gr.Blocks, int], record_property: Callable[[str, object], None]
) -> None:
    page, port = whole
    view_page(port, 5)
    tracemalloc.start(1)
    try:
        before, _ = tracemalloc.get_traced_memory()
        view_page(port, VIEWS)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(page.app.state_holder.session_data) == 5 + VIEWS, "the sessions are kept"
    kept_bytes = (after - before) / VIEWS
    record_property("kept_bytes", kept_bytes)
    print(f"a page view keeps {kept_bytes:.0f} bytes")
    assert kept_bytes < KEPT_BYTES


def test_no_page_has_state_or_a_heartbeat(whole: tuple[gr.Blocks, int]) -> None:
    page, port = whole
    assert [block for block in page.blocks.values() if getattr(block, "stateful", False)] == []
    for room in (room for room in PAGES if not room.for_operator):
        assert read_config(Tab(port).ask("GET", f"/{room.path}"))["connect_heartbeat"] is False


def test_gradio_client_gets_its_results(small: SmallPage) -> None:
    client = Client(small.url, verbose=False)
    assert [client.predict(api_name="/answer") for _ in range(3)] == ["answered"] * 3
    client.close()


# When a session ends


def test_idle_session_ends(small: SmallPage) -> None:
    small.result(small.call("answer", "idle"))
    small.rests()
    small.told_s[0] += SESSION_IDLE_S - 1
    small.sweeps()
    assert small.kept == {"idle"}
    small.told_s[0] += 1
    wait_until(lambda: not small.kept)  # without the test's help
    assert small.queued == set()
    assert "answered" in small.result(small.call("answer", "idle")), "a client may come back"


def test_use_prolongs_a_session(small: SmallPage) -> None:
    for _ in range(3):
        small.result(small.call("answer", "used"))
        small.told_s[0] += SESSION_IDLE_S - 1
        small.sweeps()
        assert small.kept == {"used"}


def test_latest_used_of_many_idle_sessions_stay(small: SmallPage) -> None:
    for number in [*range(4 * FEW), 7]:
        small.result(small.call("answer", f"program{number}"))
        small.told_s[0] += 1
    small.rests()
    small.sweeps()
    assert small.kept == {f"program{number}" for number in (7, 16, 17, 18, 19)}
    assert small.queued <= small.kept


@pytest.mark.parametrize("named", [True, False], ids=["with a session", "without a session"])
def test_unread_results_are_dropped_after_a_minute(small: SmallPage, named: bool) -> None:
    urls = [small.call("answer", f"program{n}" if named else None) for n in range(4 * FEW)]
    small.rests()
    small.sweeps()
    assert len(small.kept) == 4 * FEW
    small.told_s[0] += UNREAD_S
    small.sweeps()
    assert len(small.kept) == FEW
    assert small.queued == small.kept
    assert "event: complete" in small.result(urls[-1])


def test_messages_without_a_session_are_dropped(small: SmallPage) -> None:
    queue = small.blocks._queue
    queue.pending_messages_per_session["cancelled"] = asyncio.Queue()
    queue.pending_event_ids_session["cancelled"] = set()
    small.sweeps()
    small.told_s[0] += SESSION_IDLE_S
    small.sweeps()
    assert small.queued == set()


# Sessions and answers that stay


def test_session_with_a_running_event_does_not_end(small: SmallPage) -> None:
    url = small.call("wait", "patient")
    small.others_come()

    def others_have_ended() -> bool:  # an event of theirs may still be ending: that session is used until then
        small.told_s[0] += 10 * SESSION_IDLE_S
        small.sweeps()
        assert "patient" in small.kept
        return small.kept == {"patient"}

    wait_until(others_have_ended)
    small.gate.open()
    assert "ended" in small.result(url)


def test_response_read_late_is_whole(small: SmallPage) -> None:
    url = small.call("wait", "slow")
    small.told_s[0] += 10 * SESSION_IDLE_S
    small.sweeps()
    small.gate.open()
    small.rests()
    small.told_s[0] += UNREAD_S - 1
    small.others_come()
    small.sweeps()
    said = small.result(url)
    assert [words in said for words in ("begun", "ended", "event: complete")] == [True] * 3


@pytest.mark.parametrize(
    ("most", "tabs"),
    [(FEW, 20 * FEW), (MOST_SESSIONS, TABS)],
    ids=["few", "2100 tabs"],
)
def test_tabs_above_the_cap_get_whole_responses(most: int, tabs: int) -> None:
    allow_files()
    with small_page(most) as page:
        answers = asyncio.run(answers_of(page, tabs))
        assert len(answers) == tabs
        for said in answers:
            assert [words in said for words in ("begun", "ended", "close_stream", "not_found")] == [True] * 3 + [False]
        page.told_s[0] += UNREAD_S
        page.rests()
        page.sweeps()
        assert len(page.kept) == most


async def answers_of(page: SmallPage, tabs: int) -> list[str]:
    """Return the responses to `tabs` tabs, which end after all tabs have begun to read."""
    (index,) = (fn_id for fn_id, fn in page.blocks.fns.items() if fn.api_name == "wait")
    begun = 0

    async def read(session: str) -> str:
        nonlocal begun
        body = {"data": [], "fn_index": index, "session_hash": session, "trigger_id": 0, "event_data": None}
        async for _ in lines(page.port, "POST", "/gradio_api/queue/join", json.dumps(body).encode()):
            pass
        said = []
        async for line in lines(page.port, "GET", f"/gradio_api/queue/data?session_hash={session}"):
            begun += "begun" in line
            said.append(line)
        return "".join(said)

    reading = [asyncio.create_task(read(f"tab{number}")) for number in range(tabs)]
    deadline = time.monotonic() + PATIENCE_S
    while begun < tabs and time.monotonic() < deadline:
        await asyncio.sleep(LOOK_S)
    assert begun == tabs
    assert len(page.kept) == tabs
    page.gate.open()
    return await asyncio.gather(*reading)


async def lines(port: int, method: str, path: str, body: bytes = b"") -> AsyncIterator[str]:
    """Yield the lines of a response as they come; a plain client because there are thousands of them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    try:
        status = await reader.readline()
        assert status.split()[1] == b"200", status
        async for line in reader:
            yield line.decode()
    finally:
        writer.close()


@pytest.mark.parametrize("reads", ["at once", "later"])
def test_other_sessions_do_not_cut_a_response(small: SmallPage, reads: str) -> None:
    url = small.call("wait", "patient")
    wait_until(lambda: "patient" in small.kept)
    for number in range(2 * GRADIOS_MOST):
        small.blocks._queue.pending_messages_per_session[f"other{number}"] = asyncio.Queue()
    small.gate.open()
    if reads == "later":
        small.rests()
        small.sweeps()
    assert "ended" in small.result(url)
