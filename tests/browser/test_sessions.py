"""Tabs in a browser: what a page view asks for, and tabs that go on after their session has ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
import pytest
from playwright.sync_api import Browser, Request

from benchmarks.tab import API, Tab
from playground.clock import Clock
from playground.settings import Settings
from playground.ui.gradio_patches import SESSION_IDLE_S, shrink_sessions
from tests.support.browsing import visiting
from tests.support.patience import wait_until
from tests.support.serving import serving
from tests.support.stub_arena import StubArena

pytestmark = pytest.mark.browser

FEW = 3
Asked = tuple[str, str, Any, Any]
"""Method, path, and of a call the number of its event and its data."""


@dataclass(frozen=True)
class LightPage:
    """The page over made-up answers, and the time of its sessions, which a test sets."""

    blocks: gr.Blocks
    port: int
    arena: StubArena
    told_s: list[float] = field(default_factory=lambda: [0.0])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sessions(self) -> set[str]:
        return set(self.blocks.app.state_holder.session_data)

    def age(self) -> None:
        """End all sessions, because nobody uses them."""

        def pass_time() -> None:
            self.told_s[0] += SESSION_IDLE_S

        self._end(pass_time)

    def others_come(self) -> None:
        """End all sessions, because more are used later."""
        self._end(lambda: Tab(self.port).open())

    def _end(self, so: Callable[[], None]) -> None:
        """Go on until each session of now has ended; an open tab may begin another at any time."""
        wait_until(lambda: self.sessions)  # a busy tab's first event may come after its network was idle for a moment
        before = dict(self.blocks.app.state_holder.session_data)

        def ended() -> bool:
            so()
            now = self.blocks.app.state_holder.session_data
            return all(now.get(session_id) is not session for session_id, session in before.items())

        wait_until(ended)


End = Callable[[LightPage], None]


@pytest.fixture
def light() -> Iterator[LightPage]:
    arena = StubArena(Settings(views_per_minute=0), chars_per_s=400.0, loading_s=0.4)
    with serving(arena) as blocks:
        page = LightPage(blocks, blocks.server_port, arena)
        shrink_sessions(blocks, Clock(monotonic=lambda: page.told_s[0]), FEW)
        yield page


@pytest.mark.proves("session state evicted")
@pytest.mark.parametrize("end", [LightPage.age, LightPage.others_come], ids=["idle", "many others"])
def test_tab_whose_session_ended_compares_and_votes(browser: Browser, light: LightPage, end: End) -> None:
    with visiting(browser, light.url) as visitor:
        visitor.open().page.wait_for_load_state("networkidle")  # its load events have been answered
        end(light)
        visitor.compare().reaches("open")
        end(light)
        with light.arena.time.held():
            visitor.press("b").reaches("voted")
            end(light)
            visitor.press("u").reaches("open")
            end(light)
            visitor.press("a").reaches("voted")
        end(light)
        visitor.press("r").reaches("revealed")
        end(light)
        visitor.press("Enter").reaches("compose")
        visitor.compare().reaches("open")


@pytest.mark.proves("session state evicted")
def test_tab_goes_on_reading_while_others_come(browser: Browser, light: LightPage) -> None:
    with visiting(browser, light.url) as visitor:
        visitor.open()
        with light.arena.time.held():
            visitor.compare().reaches("generating")
            wait_until(lambda: light.blocks._queue.event_ids_to_events)
            (own,) = light.sessions
            for _ in range(4 * FEW):
                Tab(light.port).open()
            light.told_s[0] += SESSION_IDLE_S
            wait_until(lambda: light.sessions == {own})
        visitor.reaches("open").press("b").reaches("voted")


@pytest.mark.parametrize("path", ["/", "/leaderboard", "/models", "/terms"])
def test_page_view_of_the_benchmark_is_that_of_a_browser(browser: Browser, light: LightPage, path: str) -> None:
    asked: list[Asked] = []

    def note(request: Request) -> None:
        where = request.url.removeprefix(light.url)
        if request.resource_type == "document" or where.startswith(API):
            asked.append(as_asked(request.method, where, json.loads(request.post_data or "null")))

    tab = RecordedTab(light.port)
    tab.open(path)
    with visiting(browser, light.url) as visitor:
        visitor.page.on("request", note)
        visitor.page.goto(light.url + path)
        wait_until(lambda: visitor.page.wait_for_timeout(50) or len(asked) >= len(tab.asked))
        visitor.page.wait_for_load_state("networkidle")
    assert sorted(asked, key=str) == sorted(tab.asked, key=str)
    assert len(asked) > 1


class RecordedTab(Tab):
    """A tab that notes what it asks for."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.asked: list[Asked] = []

    def ask(self, method: str, path: str, body: object = None) -> str:
        self.asked.append(as_asked(method, path, body))
        return super().ask(method, path, body)


def as_asked(method: str, path: str, body: Any) -> Asked:
    return (method, path, body["fn_index"], body["data"]) if body else (method, path, None, None)
