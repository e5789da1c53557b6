"""Showing and following a battle."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import gradio as gr
import pytest

from playground.errors import StorageError
from playground.records import BattleState, ModelStatus, OwnBattle
from tests.ui.pages.compare.tab import Tab, fails


@pytest.mark.slow
@pytest.mark.parametrize("same", [True, False])
def test_latest_call_ends_earlier_ones_of_the_tab(tab: Tab, same: bool) -> None:
    tab.arena._chars_per_s = 5.0
    first = dict(tab.begins("slow").shown)
    second = first if same else dict(tab.begins("slow").shown)

    async def run() -> int:
        earlier, later = (aiter(tab.page.following.follow(shown, tab.request)) for shown in (first, second))
        for followed in (earlier, later):
            for _ in range(2):
                await anext(followed)
        left = len([drawn async for drawn in earlier])
        await later.aclose()
        return left

    assert asyncio.run(asyncio.wait_for(run(), 60)) == 0
    assert tab.page.following._followers == {}


def test_pulse_beats_while_nothing_changes(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.pages.compare.following.BEAT_S", 0.0)
    tab.arena._loading_s = 1e6
    tab.begins()

    async def run() -> list[str]:
        followed = aiter(tab.page.following.follow(tab.shown, tab.request))
        beats = [(await anext(followed))[tab.page.panels.pulse] for _ in range(4)]
        await followed.aclose()
        return beats

    assert len(set(asyncio.run(asyncio.wait_for(run(), 60)))) == 4


def test_event_loop_never_waits_for_the_database(tab: Tab) -> None:
    tab.begins()
    threads: list[threading.Thread] = []
    seen = tab.arena.view

    def view(*args: Any) -> Any:
        threads.append(threading.current_thread())
        return seen(*args)

    tab.arena.view = view  # type: ignore[method-assign]

    async def run() -> None:
        async for _ in tab.page.following.follow(tab.shown, tab.request):
            pass

    asyncio.run(run())
    assert threads
    assert threading.main_thread() not in threads


def test_following_continues_after_a_passing_error(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.follow.RETRY_S", 0.0)
    tab.begins()
    seen, troubles = tab.arena.view, [StorageError("busy")] * 2

    def view(*args: Any) -> Any:
        if troubles:
            raise troubles.pop()
        return seen(*args)

    tab.arena.view = view  # type: ignore[method-assign]

    async def run() -> list[Any]:
        return [drawn async for drawn in tab.page.following.follow(tab.shown, tab.request)]

    assert "soft wool" in str(asyncio.run(run())[-1])


@pytest.mark.parametrize("blind", [True, False])
def test_loading_time_is_shown_in_open_mode_only(tab: Tab, blind: bool) -> None:
    tab.arena._loading_s = 1e6
    slow, quick = (card.id for card in tab.arena.line_up[:2])
    tab.arena.known = {slow: ModelStatus(slow, "loading", eta_s=41.7), quick: ModelStatus(quick, "loading", eta_s=3.0)}
    view = tab.page.following._estimated(tab.begins(blind=blind, models=(slow, quick)).view)
    words = [column.status for column in view.columns]
    assert words == (["loading, about 1 s"] * 2 if blind else ["loading, about 42 s", "loading, about 3 s"])


def test_passing_error_on_load_leaves_the_address(tab: Tab) -> None:
    tab.arena.view = fails(StorageError("the database is busy"))  # type: ignore[method-assign]
    updates = tab.page.following.restore({"battle": "b" * 32}, tab.request)
    assert set(updates) == {tab.page.panels.status.line}
    assert "the database is busy" in tab.status(updates)


def test_page_without_a_battle_offers_the_one_that_is_not_finished(tab: Tab) -> None:
    tab.arena.left_open = OwnBattle("b" * 32, "", BattleState.OPEN, "What is <b>an alpaca</b>?", None, False)
    updates = tab.page.following.restore(None, tab.request)
    assert set(updates) == {tab.page.panels.offer}
    offer = updates[tab.page.panels.offer]
    assert f"<a href='./?battle={'b' * 32}'>“What is &lt;b&gt;an alpaca&lt;/b&gt;?”</a>" in offer


def test_page_without_a_battle_is_left_alone_if_none_is_unfinished(tab: Tab) -> None:
    assert tab.page.following.restore(None, tab.request) == {tab.page.panels.offer: gr.skip()}


def test_page_that_cannot_read_battles_offers_none(tab: Tab) -> None:
    tab.arena.unfinished = fails(StorageError("the database is busy"))  # type: ignore[method-assign]
    assert tab.page.following.restore(None, tab.request) == {tab.page.panels.offer: gr.skip()}
