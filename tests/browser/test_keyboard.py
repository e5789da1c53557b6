"""The Compare page by keyboard alone: the loop of a fast rater, any layout, focus, tab stops, the list of keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import StubPage
from tests.support.browsing import PHONE, Visitor, visiting

pytestmark = pytest.mark.browser

ROUNDS, STARTERS = 30, 7
"""Battles of a sitting, and the starters of the stub, which repeat."""
CYRILLIC = {"a": "ф", "b": "и", "t": "е", "n": "т", "u": "г", "r": "к", "s": "ы"}
"""Letters of the Russian layout on these keys."""


@pytest.fixture
def visitor(browser: Browser, stub: StubPage) -> Iterator[Visitor]:
    with visiting(browser, stub.url) as visitor:
        yield visitor.open()
    stub.time.go_on()
    stub.arena.stop_all()


class Keyboard:
    """Counts what is pressed; nothing is clicked, and no focus is moved."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.strokes = visitor, 0

    def press(self, key: str) -> Visitor:
        self.visitor.page.keyboard.press(key)
        self.strokes += 1
        return self.visitor


def keep_going(visitor: Visitor) -> None:
    visitor.page.locator("#keep-going input").check()
    visitor.page.evaluate("document.activeElement.blur()")


def next_battle(visitor: Visitor, last: str) -> str:
    visitor.page.wait_for_function(
        "last => !['', last].includes(new URL(location.href).searchParams.get('battle') || '')", arg=last
    )
    visitor.reaches("open")
    return visitor.battle_id


def test_thirty_battles_by_keyboard_alone_take_two_strokes_each(visitor: Visitor, stub: StubPage) -> None:
    field, keyboard = visitor.page.locator("#instruction textarea"), Keyboard(visitor)
    expect(field).to_be_focused()
    keyboard.press("Enter")  # in the empty field: a surprise
    expect(field).not_to_have_value("")
    battles = [next_battle(keyboard.press("Control+Enter"), "")]
    keyboard.press("a").reaches("voted")
    keyboard.press("g")
    expect(visitor.page.locator("#keep-going input")).to_be_checked()
    keyboard.strokes = 0
    for _ in range(ROUNDS):
        battles.append(next_battle(keyboard.press("Enter"), battles[-1]))
        keyboard.press("b").reaches("voted")
    assert keyboard.strokes == 2 * ROUNDS
    assert len(set(battles)) == ROUNDS + 1
    asked = [stub.arena._battles[battle_id].instruction for battle_id in battles]
    assert len({starter for group in stub.arena.starters.values() for starter in group}) == STARTERS
    assert len(set(asked[:STARTERS])) == STARTERS, "every starter came once"
    assert [stub.arena._battles[battle_id].choice for battle_id in battles] == ["a"] + ["b"] * ROUNDS
    expect(visitor.page.locator("#vote-hint")).to_contain_text(f"{ROUNDS + 1} votes today")


def test_keys_act_in_the_empty_field_after_a_battle_and_everything_else_is_typed(visitor: Visitor) -> None:
    page, field = visitor.page, visitor.page.locator("#instruction textarea")
    visitor.compare().reaches("open").press("a").reaches("voted").press("r").reaches("revealed")
    page.keyboard.press("Enter")
    visitor.reaches("compose")
    expect(field).to_be_focused()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    expect(field).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).not_to_have_value("")
    page.keyboard.press("Control+a")
    page.keyboard.type("say so?")
    page.keyboard.press("Enter")
    page.keyboard.type("s")
    expect(field).to_have_value("say so?\ns")
    expect(keys).to_be_hidden()


def test_next_starter_runs_after_the_reveal_too(visitor: Visitor) -> None:
    visitor.compare().reaches("open").press("a").reaches("voted")
    keep_going(visitor)
    first = visitor.battle_id
    visitor.press("r").reaches("revealed")
    assert next_battle(visitor.press("Enter"), first) != first
    expect(visitor.page.locator("#instruction textarea")).not_to_have_value("")


def test_keep_going_survives_a_reload_and_can_be_ended(visitor: Visitor) -> None:
    visitor.compare().reaches("open").press("a").reaches("voted")
    keep_going(visitor)
    visitor.press("r").reaches("revealed").reload().reaches("revealed")
    expect(visitor.page.locator("#keep-going input")).to_be_checked()
    visitor.press("g").press("Enter").reaches("compose")


def test_mode_and_columns_stay_while_going_on(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare(columns=4).reaches("open").press("a").reaches("voted")
    keep_going(visitor)
    next_battle(visitor.press("Enter"), visitor.battle_id)
    assert visitor.columns_shown == 4


def test_surprises_do_not_repeat(visitor: Visitor, stub: StubPage) -> None:
    visitor.page.keyboard.press("Escape")
    field, seen = visitor.page.locator("#instruction textarea"), [""]
    for _ in range(7):
        visitor.page.keyboard.press("s")
        expect(field).not_to_have_value(seen[-1])
        seen.append(field.input_value())
    assert len(set(seen[1:])) == 7


def strike(visitor: Visitor, key: str, code: str) -> None:
    """Press a key as a keyboard of another layout does."""
    visitor.page.evaluate(
        "([key, code]) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, code, bubbles: true }))",
        [key, code],
    )


def test_keys_act_on_a_layout_without_latin_letters(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    battle = stub.arena._battles[visitor.battle_id]
    with stub.time.held():
        visitor.page.evaluate("document.activeElement?.blur()")
        for key, choice in {"a": "a", "t": "tie"}.items():
            strike(visitor, CYRILLIC[key], f"Key{key.upper()}")
            visitor.reaches("voted")
            assert battle.choice == choice
            strike(visitor, CYRILLIC["u"], "KeyU")
            visitor.reaches("open")


def test_other_letters_do_nothing(visitor: Visitor) -> None:
    """On a French keyboard A stands on the key Q of others."""
    visitor.compare().reaches("open")
    strike(visitor, "q", "KeyA")
    strike(visitor, "й", "KeyQ")
    visitor.page.wait_for_timeout(300)
    assert visitor.phase == "open"


def test_keys_vote_after_a_reload_and_after_a_followed_link(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    battle = stub.arena._battles[visitor.battle_id]
    with stub.time.held():
        visitor.reload().reaches("open")
        expect(visitor.page.locator("#answer-a")).to_be_focused()
        visitor.page.keyboard.press("t")
        visitor.reaches("voted")
        assert battle.choice == "tie"
        visitor.press("u").reaches("open").open("/leaderboard").open(f"/?battle={battle.id}").reaches("open")
        expect(visitor.page.locator("#answer-a")).to_be_focused()
        visitor.page.keyboard.press("b")
        visitor.reaches("voted")
        assert battle.choice == "b"


def test_focus_is_in_the_instruction_of_an_empty_page(visitor: Visitor) -> None:
    expect(visitor.page.locator("#instruction textarea")).to_be_focused()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator("#instruction textarea")).not_to_be_focused()


def test_list_of_keys_opens_and_keeps_other_keys_away(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open").press("?")
    keys = visitor.page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("surprise me")
    visitor.page.keyboard.press("a")
    visitor.page.wait_for_timeout(300)
    assert visitor.phase == "open"
    visitor.page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    visitor.page.get_by_role("button", name="all keys").click()
    expect(keys).to_be_visible()
    visitor.page.keyboard.press("?")
    expect(keys).to_be_hidden()
    with stub.time.held():
        visitor.press("a").reaches("voted")


def test_list_of_keys_opens_in_a_narrow_window(browser: Browser, stub: StubPage) -> None:
    with visiting(browser, stub.url, viewport=PHONE) as visitor:
        visitor.open().compare().reaches("open").press("?")
        expect(visitor.page.get_by_role("dialog", name="Keys")).to_be_in_viewport()
        assert not visitor.scrolls_sideways


def test_few_tab_stops_lead_to_compare(visitor: Visitor) -> None:
    """Each group of radio buttons is one stop."""
    visitor.type("What is rust?")
    stops = []
    while len(stops) < 40 and (not stops or stops[-1] != "compare"):
        visitor.page.keyboard.press("Tab")
        stops.append(visitor.page.evaluate("document.activeElement.closest('[id]')?.id || ''"))
    assert stops[-1] == "compare", stops
    assert len(stops) <= 8, stops
    assert stops.count("mode") == 1
    assert stops.count("columns-count") == 1
