"""A page continues without a reload after its server restarted or forgot the tab."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Request, expect

from tests.browser.conftest import LOADING_S, Server
from tests.conftest import StubPage
from tests.support.browsing import Visitor, visiting
from tests.support.patience import wait_until
from tests.support.processes import frozen_models

pytestmark = pytest.mark.browser


@pytest.fixture
def visitor(browser: Browser, server: Server) -> Iterator[Visitor]:
    with visiting(browser, server.app.url) as visitor:
        yield visitor.open()


def unloaded(visitor: Visitor) -> bool:
    """Return True if the page was reloaded since it was marked."""
    return not visitor.page.evaluate("window.marked === true")


def calls_of(visitor: Visitor) -> set[Request]:
    """Return the calls without an answer yet, as they come and go: Gradio reloads a page that loses one."""
    waiting: set[Request] = set()
    visitor.page.on("request", lambda call: waiting.add(call) if call.url.endswith("/run/predict") else None)
    for ended in ("requestfinished", "requestfailed"):
        visitor.page.on(ended, lambda call: waiting.discard(call))  # Playwright marks the function that it is given
    return waiting


def test_voting_continues_after_a_restart(visitor: Visitor, server: Server) -> None:
    waiting = calls_of(visitor)
    visitor.compare().reaches("open", LOADING_S)
    battle_id = visitor.battle_id
    visitor.page.evaluate("window.marked = true")
    server.kill()
    server.start()
    visitor.press("a").reaches("voted")
    expect(visitor.page.locator("#vote-words")).to_have_text("Saved. You chose A.")
    visitor.press("u").reaches("open")
    server.kill()
    server.start()
    visitor.press("b").reaches("voted")
    server.kill()
    server.start()
    visitor.page.get_by_label("correct", exact=True).check()
    expect(visitor.page.locator("#status")).to_have_text("Saved. Thank you.")
    visitor.page.get_by_label("Comment").fill("Short and right.")
    visitor.page.get_by_label("Comment").press("Enter")
    visitor.column("b").get_by_role("button", name="Report answer B").click()
    visitor.page.get_by_label("What is wrong with answer B?").fill("It is rude.")
    wait_until(lambda: visitor.page.wait_for_timeout(50) or not waiting)  # the comment is saved, twice
    server.kill()
    server.start()
    visitor.page.locator("#report-send").click()
    expect(visitor.page.locator("#status")).to_have_text("Reported. The report is stored with this battle.")
    visitor.press("r").reaches("revealed")
    expect(visitor.page.locator("#vote-words")).to_contain_text("You chose B: Pocket")
    assert visitor.battle_id == battle_id
    assert not unloaded(visitor)
    votes = server.rows("SELECT choice FROM votes WHERE battle_id = ? ORDER BY revision", battle_id)
    assert votes == [("a",), ("undo",), ("b",)]
    notes = server.rows("SELECT kind, text FROM vote_notes WHERE battle_id = ? ORDER BY kind", battle_id)
    assert notes == [("comment", "Short and right."), ("reason", "correct"), ("report", "It is rude.")]


def test_new_battle_starts_after_a_restart(visitor: Visitor, server: Server) -> None:
    visitor.compare().reaches("open", LOADING_S)
    first = visitor.battle_id
    server.kill()
    server.start()
    visitor.page.locator("#regenerate").click()
    visitor.page.wait_for_function(f"!location.search.includes('{first}')")
    visitor.reaches("open", LOADING_S)
    (parent,) = server.rows("SELECT parent_id FROM battles WHERE id = ?", visitor.battle_id)
    assert parent == (first,)


@pytest.mark.parametrize("kept", ["before a word", "with words"])
def test_interrupted_battle_says_how_it_ended(visitor: Visitor, server: Server, kept: str) -> None:
    visitor.page.locator("#settings > button").click()
    visitor.page.locator("#sampling-max_new_tokens textarea, #sampling-max_new_tokens input").fill("400")
    visitor.page.locator("#sampling-repetition_penalty textarea, #sampling-repetition_penalty input").fill("0.5")
    if kept == "with words":
        visitor.compare("Write a long story about a river.").reaches("generating")
        expect(visitor.page.locator("#answer-a")).not_to_be_empty(timeout=LOADING_S * 1000)
    else:
        visitor.compare("What is rust?").reaches("open", LOADING_S)  # the models are loaded
        with frozen_models(server.app.process.pid):
            visitor.compare("Write a long story about a river.").reaches("generating")
            server.kill()
    battle_id = visitor.battle_id
    if server.app.process.poll() is None:
        server.kill()
    server.start()
    visitor.page.wait_for_function("['open', 'void'].includes(document.body.dataset.phase)", timeout=LOADING_S * 1000)
    (state, reason) = server.rows("SELECT state, void_reason FROM battles WHERE id = ?", battle_id)[0]
    assert (visitor.battle_id, visitor.phase) == (battle_id, state)
    if state == "void":
        assert reason == "interrupted"
        expect(visitor.page.locator("#status")).to_contain_text("restart")


def test_tab_that_gradio_forgot_continues(browser: Browser, stub: StubPage) -> None:
    sessions = stub.sessions
    with visiting(browser, stub.url) as visitor:
        visitor.open().compare().reaches("open")
        sessions.clear()
        with stub.time.held():
            visitor.press("a").reaches("voted")
            sessions.clear()
            visitor.press("u").reaches("open")
            sessions.clear()
            visitor.press("b").reaches("voted")
        sessions.clear()
        visitor.reaches("revealed")
        sessions.clear()
        visitor.press("Enter").reaches("compose")
        with stub.time.held():
            visitor.compare().reaches("generating")
            sessions.clear()
        visitor.reaches("open")
        assert "soft wool" in visitor.answer("a")
