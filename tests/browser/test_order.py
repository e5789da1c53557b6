"""Requests and replies in any order: the page ends on the state of the database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import StubPage
from tests.support.browsing import Visitor, visiting
from tests.support.slow_network import STREAM, SlowNetwork, delay

pytestmark = pytest.mark.browser

GLACIER = "What is a glacier?"
HELD_S = 3.0


class Tab:
    """A tab, its network and its server."""

    def __init__(self, visitor: Visitor, stub: StubPage) -> None:
        self.visitor, self.stub = visitor, stub
        self.net = SlowNetwork(visitor.page, stub.url)
        self._known = set(stub.arena._battles)

    def made(self, count: int = 1) -> str:
        """Wait for `count` new battles since the last call; return the id of the latest."""
        self.net.wait_until(lambda: len(set(self.stub.arena._battles) - self._known) >= count)
        new = [battle_id for battle_id in self.stub.arena._battles if battle_id not in self._known]
        assert len(new) == count
        self._known |= set(new)
        return new[-1]

    def reaches_on_the_server(self, battle_id: str, phase: str) -> None:
        arena = self.stub.arena
        self.net.wait_until(lambda: str(arena._state(arena._battles[battle_id])) == phase)

    def waits(self, name: str) -> None:
        """Wait until something that is held under this name is here."""
        self.net.wait_until(lambda: [one for one in self.net.held if one.name == name and one.is_here])

    def pause(self, seconds: float) -> None:
        self.visitor.page.wait_for_timeout(seconds * 1000)

    def shows(self, battle_id: str, phase: str) -> None:
        """Check that all parts of the page show this state, and keep it."""
        page = self.visitor.page
        self.net.wait_until(lambda: (self.visitor.battle_id, self.visitor.phase) == (battle_id, phase))
        self.visitor.reaches(phase)
        status = page.locator("#status")
        expect(status).to_have_attribute("data-phase", phase)
        if battle_id:
            expect(status).to_have_attribute("data-battle", battle_id)
        if phase in ("open", "voted", "revealed"):
            expect(page.locator("#stop")).to_be_hidden()
            for side in "ab":
                expect(page.locator(f"#answer-{side}")).to_be_visible()
                expect(page.locator(f"#answer-{side}")).not_to_be_empty()
                expect(page.locator(f"#head-{side}")).not_to_contain_text("writing")
        if phase == "open":
            expect(page.locator("#vote-a")).to_be_enabled()
        self.pause(1.2)
        assert (self.visitor.battle_id, self.visitor.phase) == (battle_id, phase)
        expect(status).to_have_attribute("data-phase", phase)


@pytest.fixture
def tab(browser: Browser, stub: StubPage) -> Iterator[Tab]:
    with visiting(browser, stub.url) as visitor:
        yield Tab(visitor, stub)
    stub.time.go_on()
    stub.arena.stop_all()


def begin(tab: Tab, path: str = "/") -> None:
    """Open the page without waiting for its first requests."""
    tab.visitor.page.goto(tab.stub.url + path)
    tab.visitor.page.wait_for_selector("#status", state="attached")
    expect(tab.visitor.page.locator("#compare")).to_be_visible()


# The page's first requests beside Compare


@pytest.mark.parametrize("late", [frozenset(), frozenset({STREAM}), frozenset({"compare"})], ids=str)
@pytest.mark.parametrize("first", ["restore", "offer_models"])
def test_compare_during_the_load_ends_on_the_new_battle(tab: Tab, first: str, late: frozenset[str]) -> None:
    tab.net.requests.add(first)
    begin(tab)
    tab.waits(first)
    tab.net.requests |= late & {STREAM}
    tab.net.replies |= late & {"compare"}
    tab.visitor.compare()
    battle_id = tab.made()
    tab.reaches_on_the_server(battle_id, "open")
    tab.net.release(first)
    tab.pause(HELD_S)
    if late:
        tab.net.release(*late)
    tab.shows(battle_id, "open")


def test_compare_before_an_old_battle_is_restored_ends_on_the_new_one(tab: Tab) -> None:
    begin(tab)
    tab.visitor.compare().reaches("open")
    old = tab.made()
    tab.net.replies.add("restore")
    begin(tab, f"/?battle={old}")
    tab.waits("restore")
    tab.visitor.compare(GLACIER)
    new = tab.made()
    tab.visitor.reaches("open")
    tab.net.release("restore")
    tab.shows(new, "open")
    expect(tab.visitor.page.locator("#instruction textarea")).to_have_value(GLACIER)


@pytest.mark.parametrize("latency_s", [0.4])
def test_compare_at_once_on_a_slow_network_reaches_the_vote(tab: Tab, latency_s: float) -> None:
    delay(tab.visitor.page, latency_s)
    begin(tab)
    tab.visitor.compare()
    battle_id = tab.made()
    tab.shows(battle_id, "open")
    tab.visitor.press("a").reaches("voted")
    tab.shows(battle_id, "voted")


# Pairs of events: the reply to the earlier one is drawn last


def opened(tab: Tab) -> str:
    begin(tab)
    tab.visitor.compare().reaches("open")
    return tab.made()


def test_late_generating_reply_does_not_undo_open(tab: Tab) -> None:
    begin(tab)
    tab.net.replies.add("compare")
    tab.visitor.compare()
    battle_id = tab.made()
    tab.reaches_on_the_server(battle_id, "open")
    tab.pause(HELD_S)
    tab.net.release("compare")
    tab.shows(battle_id, "open")


def test_answers_are_shown_after_a_silent_stream(tab: Tab) -> None:
    begin(tab)
    tab.net.requests.add(STREAM)
    tab.visitor.compare()
    tab.shows(tab.made(), "open")
    tab.net.release(STREAM)


def test_late_stream_does_not_undo_open(tab: Tab) -> None:
    begin(tab)
    tab.net.requests.add(STREAM)
    tab.visitor.compare().reaches("open")
    battle_id = tab.made()
    tab.net.release(STREAM)
    tab.shows(battle_id, "open")


@pytest.mark.parametrize("judged", ["vote", "undo", "reveal", "refresh"])
def test_late_reply_about_the_last_battle_does_not_replace_the_next(tab: Tab, judged: str) -> None:
    opened(tab)
    press = {"vote": "a", "undo": "u", "reveal": "r"}
    with tab.stub.time.held():
        if judged != "vote":
            tab.visitor.press("a").reaches("voted")
        tab.net.replies.add(judged)
        if judged == "refresh":
            tab.visitor.page.evaluate("document.getElementById('again').click()")
        else:
            tab.visitor.press(press[judged])
        tab.waits(judged)
    tab.visitor.compare(GLACIER)
    new = tab.made()
    if judged != "refresh":
        tab.visitor.reaches("open")
    else:
        tab.reaches_on_the_server(new, "open")
        tab.pause(1)
    tab.net.release(judged)
    tab.shows(new, "open")


def test_late_vote_does_not_undo_its_undo(tab: Tab) -> None:
    battle_id = opened(tab)
    with tab.stub.time.held():
        tab.net.replies.add("vote")
        tab.visitor.press("a")
        tab.waits("vote")
        tab.visitor.page.evaluate("document.getElementById('again').click()")
        tab.visitor.reaches("voted").press("u").reaches("open")
        tab.net.release("vote")
        tab.shows(battle_id, "open")


@pytest.mark.parametrize("late", ["compare", "next"])
def test_later_press_of_next_and_compare_decides(tab: Tab, late: str) -> None:
    opened(tab)
    tab.visitor.press("a").reaches("voted").press("r").reaches("revealed")
    tab.net.replies.add(late)
    buttons = ["compare", "next-battle"] if late == "compare" else ["next-battle", "compare"]
    tab.visitor.page.evaluate("ids => ids.forEach((id) => document.getElementById(id).click())", buttons)
    battle_id = tab.made()
    tab.waits(late)
    tab.pause(1)
    tab.net.release(late)
    tab.shows(battle_id if late == "next" else "", "open" if late == "next" else "compose")


@pytest.mark.parametrize("second", ["click", "submit"])
def test_two_quick_presses_make_one_battle(tab: Tab, second: str) -> None:
    begin(tab)
    tab.net.replies.add("compare")
    tab.visitor.compare()
    tab.waits("compare")
    if second == "click":
        tab.visitor.page.evaluate("document.getElementById('compare').click()")
    else:
        tab.visitor.page.locator("#instruction textarea").press("Shift+Enter")
    tab.pause(0.5)
    tab.net.release("compare")
    tab.shows(tab.made(), "open")


def test_regenerate_with_a_late_reply_ends_on_the_new_battle(tab: Tab) -> None:
    opened(tab)
    tab.net.replies.add("regenerate")
    tab.visitor.page.locator("#regenerate").click()
    new = tab.made()
    tab.reaches_on_the_server(new, "open")
    tab.net.release("regenerate")
    tab.shows(new, "open")


def test_vote_is_not_sent_while_an_older_reply_is_shown(tab: Tab) -> None:
    old = opened(tab)
    tab.net.replies.add("refresh")
    tab.visitor.page.evaluate("document.getElementById('again').click()")
    tab.waits("refresh")
    tab.visitor.compare(GLACIER)
    new = tab.made()
    tab.reaches_on_the_server(new, "open")
    tab.pause(0.5)
    held = list(tab.net.held)
    tab.net.held = held[1:]  # the answer to the question that will be asked is held too
    held[0].release()
    tab.net.wait_until(lambda: tab.visitor.page.locator("#status").get_attribute("data-battle") == old)
    tab.visitor.page.evaluate("document.getElementById('vote-a').click()")
    tab.pause(0.5)
    assert "vote" not in tab.net.seen
    tab.net.release("refresh")
    tab.shows(new, "open")


def test_compare_after_browser_back_ends_on_the_new_battle(tab: Tab) -> None:
    old = opened(tab)
    tab.visitor.page.get_by_role("link", name="Leaderboard").click()
    tab.visitor.page.wait_for_selector("#board h1", state="attached")
    tab.net.replies.add("restore")
    tab.visitor.page.go_back(wait_until="commit")
    expect(tab.visitor.page.locator("#compare")).to_be_visible()
    assert tab.visitor.battle_id == old
    tab.waits("restore")
    tab.visitor.compare(GLACIER)
    new = tab.made()
    tab.visitor.reaches("open")
    tab.net.release("restore")
    tab.shows(new, "open")
