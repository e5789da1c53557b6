"""Tabs in a browser whose sessions are kept, and one whose session ended behind its back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr
import pytest
from playwright.sync_api import Browser

from benchmarks.tab import Tab
from playground.clock import Clock
from playground.settings import Settings
from playground.ui.pages import build_pages, launch_options
from playground.ui.sessions import IDLE_S, lighten_sessions
from tests.browsing import visiting
from tests.conftest import free_port
from tests.patience import wait_until
from tests.stub_arena import StubArena

pytestmark = pytest.mark.browser

FEW = 3
DAY_S = 86_400.0


@dataclass(frozen=True)
class LightPage:
    """The page over made-up answers; sessions age when they are told to."""

    blocks: gr.Blocks
    port: int
    told_s: list[float]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sessions(self) -> set[str]:
        return set(self.blocks.app.state_holder.session_data)


@pytest.fixture
def light() -> Iterator[LightPage]:
    arena = StubArena(Settings(views_per_minute=0), chars_per_s=400.0, loading_s=0.4)
    page, port, told_s = build_pages(arena), free_port(), [0.0]
    page.launch(server_port=port, prevent_thread_lock=True, quiet=True, **launch_options(arena))
    lighten_sessions(page, Clock(monotonic=lambda: told_s[0]), FEW)
    yield LightPage(page, port, told_s)
    page.close()


def test_a_tab_that_is_open_for_a_day_votes_on_its_battle(browser: Browser, light: LightPage) -> None:
    with visiting(browser, light.url) as visitor:
        visitor.open().compare().reaches("open")
        for tab in [Tab(light.port) for _ in range(4 * FEW)]:
            with tab.opened():
                pass
        light.told_s[0] += DAY_S
        wait_until(lambda: not light.sessions)
        visitor.press("b").reaches("voted").press("r").reaches("revealed")


def test_a_tab_whose_session_ended_compares(browser: Browser, light: LightPage) -> None:
    with visiting(browser, light.url) as visitor:
        visitor.open().page.wait_for_load_state("networkidle")  # its load events have been answered
        assert light.sessions
        light.told_s[0] += IDLE_S + 1
        wait_until(lambda: not light.sessions)
        visitor.compare().reaches("open")
        visitor.press("b").reaches("voted")
