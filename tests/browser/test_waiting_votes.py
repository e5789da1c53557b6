"""Votes that are given while the server is away: sent once when it is back, or reported as not saved."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from playground.battles import Ballot, Viewer
from tests.browser.conftest import LOADING_S, Server
from tests.conftest import StubPage
from tests.support.browsing import RATER, SECRET, Visitor, visiting

pytestmark = pytest.mark.browser

NOTE = "#vote-note"


def votes(server: Server, battle_id: str) -> list[str]:
    found = server.rows("SELECT choice FROM votes WHERE battle_id = ? ORDER BY revision", battle_id)
    return [choice for (choice,) in found]


@pytest.mark.parametrize("reloads", [False, True])
def test_vote_while_the_server_is_away_is_saved_once(browser: Browser, server: Server, reloads: bool) -> None:
    with visiting(browser, server.app.url) as visitor:
        visitor.open().compare().reaches("open", LOADING_S)
        battle = visitor.battle_id
        server.kill()
        visitor.press("b")
        expect(visitor.page.locator(NOTE)).to_contain_text("Your vote (B) is kept")
        if reloads:
            visitor.page.evaluate("document.getElementById('again').click()")  # Gradio gives the connection up
        server.start()
        visitor.reaches("voted")
        expect(visitor.page.locator("#vote-words")).to_have_text("Saved. You chose B.")
        assert votes(server, battle) == ["b"]
        assert visitor.page.evaluate("Object.keys(localStorage).filter((key) => key.includes('vote'))") == []


def test_vote_is_sent_when_the_visitor_returns_later(browser: Browser, server: Server) -> None:
    with visiting(browser, server.app.url) as visitor:
        visitor.open().compare().reaches("open", LOADING_S)
        battle = visitor.battle_id
        server.kill()
        visitor.press("t")
        expect(visitor.page.locator(NOTE)).to_contain_text("Your vote (tie) is kept")
        visitor.page.goto("about:blank")
        server.start()
        visitor.open("/leaderboard")
        expect(visitor.page.locator(NOTE)).to_have_text("Your vote (tie) is saved.")
        assert votes(server, battle) == ["tie"]


# Over the stub


@pytest.fixture
def visitor(browser: Browser, stub: StubPage) -> Iterator[Visitor]:
    with visiting(browser, stub.url, secret=SECRET) as visitor:
        yield visitor.open()
    stub.time.go_on()
    stub.arena.stop_all()


class Line:
    """A line on which Gradio's votes get lost: before they reach the server, or on the way back."""

    def __init__(self, visitor: Visitor, is_saved: bool = False) -> None:
        self.is_saved, self.posts, self.is_away = is_saved, 0, True
        visitor.page.route("**/gradio_api/run/**", self._gradio)
        visitor.page.route("**/vote", self._vote)

    def _gradio(self, route: Route) -> None:
        if '"choice":"' not in (route.request.post_data or "") or not self.is_away:
            route.continue_()
            return
        if self.is_saved:
            route.fetch()
        route.abort("connectionreset")

    def _vote(self, route: Route) -> None:
        self.posts += 1
        if self.is_away:
            route.abort("connectionrefused")
        else:
            route.continue_()


def test_answer_that_got_lost_is_asked_for_again(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    line = Line(visitor, is_saved=True)
    with stub.time.held():
        visitor.press("b")
        expect(visitor.page.locator(NOTE)).to_contain_text("is kept")
        line.is_away = False
        visitor.reaches("voted")
        battle = stub.arena._battles[visitor.battle_id]
        assert (battle.choice, battle.revision) == ("b", 1)


def test_last_choice_is_the_one_that_is_sent(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    line = Line(visitor)
    with stub.time.held():
        visitor.press("b")
        expect(visitor.page.locator(NOTE)).to_contain_text("(B) is kept")
        visitor.press("a")
        expect(visitor.page.locator(NOTE)).to_contain_text("(A) is kept")
        line.is_away = False
        visitor.reaches("voted")
        battle = stub.arena._battles[visitor.battle_id]
        assert (battle.choice, battle.revision) == ("a", 1)


def test_ranking_is_kept_and_sent_once(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare(columns=3).reaches("open")
    line = Line(visitor)
    with stub.time.held():
        for key in ("o", "b", "a", "=", "c", "Enter"):
            visitor.press(key)
        expect(visitor.page.locator(NOTE)).to_contain_text("Your vote (B > A = C) is kept")
        line.is_away = False
        visitor.reaches("voted")
        expect(visitor.page.locator("#vote-words")).to_have_text("Saved. You ranked B > A = C.")
        battle = stub.arena._battles[visitor.battle_id]
        assert (battle.choice, battle.revision) == ("b>a=c", 1)


def test_vote_of_another_tab_stays_and_is_shown(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    line = Line(visitor)
    with stub.time.held():
        visitor.press("b")
        expect(visitor.page.locator(NOTE)).to_contain_text("is kept")
        stub.arena.vote(visitor.battle_id, Viewer(RATER), Ballot("a"))
        line.is_away = False
        expect(visitor.page.locator(NOTE)).to_have_text(
            "Your vote (B) was not saved: this battle already has a vote (A)."
        )
        visitor.reaches("voted")
        expect(visitor.page.locator("#vote-words")).to_have_text("Saved. You chose A.")


def test_vote_on_a_battle_that_changed_meanwhile_is_not_saved(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    line, battle = Line(visitor), visitor.battle_id
    with stub.time.held():
        visitor.press("b")
        expect(visitor.page.locator(NOTE)).to_contain_text("is kept")
        stub.arena.vote(battle, Viewer(RATER), Ballot("a"))
        stub.arena.undo(battle, Viewer(RATER))
        line.is_away = False
        expect(visitor.page.locator(NOTE)).to_contain_text("Your vote (B) was not saved: This battle changed")
        assert stub.arena._battles[battle].choice is None
        expect(visitor.page.locator("#status")).to_have_attribute("data-revision", "2")
        visitor.press("b").reaches("voted")
        expect(visitor.page.locator(NOTE)).to_be_hidden()


def test_vote_on_a_battle_that_is_gone_is_not_saved(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    line = Line(visitor)
    visitor.press("b")
    expect(visitor.page.locator(NOTE)).to_contain_text("is kept")
    del stub.arena._battles[visitor.battle_id]
    line.is_away = False
    expect(visitor.page.locator(NOTE)).to_contain_text("Your vote (B) was not saved: There is no such battle")
    visitor.reaches("compose")


def test_vote_is_sent_although_gradio_sends_nothing(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    visitor.page.route("**/queue/**", lambda route: route.abort("connectionrefused"))
    with stub.time.held():
        visitor.page.evaluate("() => { window.playground.judged = () => { throw new Error('given up'); }; }")
        visitor.press("b")
        visitor.reaches("voted")
        assert stub.arena._battles[visitor.battle_id].choice == "b"


def test_ordinary_votes_do_not_use_the_route(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    line = Line(visitor)
    line.is_away = False
    with stub.time.held():
        visitor.press("b").reaches("voted")
        visitor.page.wait_for_timeout(1300)
        assert line.posts == 0
        expect(visitor.page.locator(NOTE)).to_be_hidden()
