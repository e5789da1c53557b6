"""What survives: the draft, settings, and the way back through the battles of a tab."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.conftest import StubPage
from tests.support.browsing import Visitor, visiting
from tests.support.slow_network import SlowNetwork
from tests.support.stub_arena import ALPACA

pytestmark = pytest.mark.browser

NO_STORAGE = """
for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("forbidden", "SecurityError"); } });
"""

HEAR = """() => {
  const keep = window.playground.keep;
  window.playground.keep = (values) => { keep(values); window.heard = values.instruction; };
}"""
"""Tell the test which instruction the draft was last asked to keep."""
RESTORED = """() => {
  const kept = window.playground.kept;
  window.playground.kept = () => {
    setTimeout(() => (window.restored = true), 500); // Gradio draws the values
    return kept();
  };
}"""
"""Tell the test when the draft was put back."""


@pytest.fixture
def visitor(browser: Browser, stub: StubPage) -> Iterator[Visitor]:
    with visiting(browser, stub.url) as visitor:
        yield visitor.open()
    stub.time.go_on()
    stub.arena.stop_all()


def write(visitor: Visitor) -> None:
    """Type an instruction and an input, and change every kind of setting."""
    page = visitor.page
    visitor.type("Shorten this.")
    page.get_by_label("+ input").check()
    page.locator("#input textarea").fill("A long sentence.")
    page.locator("#mode label").nth(1).click()
    page.locator("#columns-count label").nth(1).click()
    page.locator("#settings > button").click()
    page.locator("#who-chooses label").nth(1).click()
    page.locator("#model-2 input").click()
    page.get_by_role("option", name="pocket-minotaur").click()
    page.locator("#sampling-seed :is(input, textarea)").fill("42")
    page.locator("#sampling-temperature :is(input, textarea)").fill("0.3")
    page.locator("#sampling-temperature :is(input, textarea)").blur()
    expect(page.locator("#settings")).to_contain_text("temperature 0.3")


def settings_are_back(visitor: Visitor) -> None:
    page = visitor.unfold().page
    expect(page.locator("#mode input[value=open]")).to_be_checked()
    expect(page.locator("#columns-count label").nth(1).locator("input")).to_be_checked()
    expect(page.locator("#settings")).to_contain_text("temperature 0.3")
    if not page.locator("#who-chooses").is_visible():
        page.locator("#settings > button").click()
    expect(page.locator("#who-chooses label").nth(1).locator("input")).to_be_checked()
    expect(page.locator("#model-2 input")).to_have_value("pocket-minotaur")
    expect(page.locator("#model-4")).to_be_hidden()
    expect(page.locator("#sampling-seed :is(input, textarea)")).to_have_value("42")


def test_optional_fields_open_with_the_click_itself(visitor: Visitor) -> None:
    """A field that the server opened moved the boxes under the next click, which was lost."""
    page = visitor.page
    page.route("**/gradio_api/**", lambda route: None)  # no answer
    page.get_by_label("+ input").check()
    expect(page.locator("#input textarea")).to_be_visible()
    page.get_by_label("+ system").check()
    expect(page.locator("#system textarea")).to_be_visible()
    page.locator("#input textarea").fill("A long sentence.")
    page.get_by_label("+ input").uncheck()
    expect(page.locator("#input textarea")).to_be_hidden()
    page.get_by_label("+ input").check()
    expect(page.locator("#input textarea")).to_have_value("")
    page.unroute_all(behavior="ignoreErrors")


def test_settings_that_are_chosen_before_the_server_answers_all_count(visitor: Visitor) -> None:
    """Each answer came from what was chosen when it was asked for, and one that was late undid later clicks."""
    page, held, is_holding = visitor.page, list[Route](), True
    page.locator("#settings > button").click()
    expect(page.locator("#who-chooses")).to_be_visible()
    page.route("**/gradio_api/run/**", lambda route: held.append(route) if is_holding else route.continue_())
    page.locator("#mode label").nth(1).click()
    page.locator("#columns-count label").nth(1).click()
    page.locator("#who-chooses label").nth(1).click()
    page.wait_for_timeout(500)  # until every request is on its way
    is_holding = False
    for route in reversed(held):
        with page.expect_response("**/gradio_api/run/**"):
            route.continue_()
    expect(page.locator("#model-3 input")).to_be_visible()
    page.wait_for_timeout(500)  # until an answer that is late has been drawn
    expect(page.locator("#model-3 input")).to_be_visible()


@pytest.mark.parametrize("how", ["reload", "another page"])
def test_draft_survives(visitor: Visitor, how: str) -> None:
    write(visitor)
    if how == "reload":
        visitor.reload()
    else:
        visitor.page.get_by_role("link", name="Leaderboard").click()
        visitor.page.wait_for_selector("#board h1", state="attached")
        visitor.page.get_by_role("link", name="Compare", exact=True).click()
        visitor.arrived()
    expect(visitor.page.locator("#instruction textarea")).to_have_value("Shorten this.")
    expect(visitor.page.locator("#input textarea")).to_have_value("A long sentence.")
    settings_are_back(visitor)


def test_settings_survive_a_battle_and_its_reload(visitor: Visitor) -> None:
    write(visitor)
    visitor.page.locator("#compare").click()
    visitor.reaches("open").reload().reaches("open")
    expect(visitor.page.locator("#instruction textarea")).to_have_value("Shorten this.")
    settings_are_back(visitor)
    visitor.press("a").reaches("voted").press("Enter").reaches("compose").reload()
    expect(visitor.page.locator("#instruction textarea")).to_have_value("")
    settings_are_back(visitor)


def test_settings_of_each_model_survive(visitor: Visitor) -> None:
    write(visitor)
    own = "#own-2 :is(input, textarea)"
    visitor.page.locator(own).fill("temperature 0.9, seed 7")
    visitor.page.locator(own).blur()
    expect(visitor.page.locator("#settings > button")).to_contain_text("chosen for each model")
    visitor.reload()
    expect(visitor.page.locator("#settings > button")).to_contain_text("chosen for each model")
    visitor.page.locator("#settings > button").click()
    expect(visitor.page.locator(own)).to_have_value("temperature 0.9, seed 7")


def test_edited_instruction_beside_a_battle_survives_its_reload(visitor: Visitor) -> None:
    visitor.compare().reaches("open").unfold()
    visitor.page.locator("#instruction textarea").press_sequentially(" Briefly.")
    visitor.page.wait_for_function("JSON.stringify({...sessionStorage}).includes('Briefly.')")  # Gradio tells it later
    visitor.reload().reaches("open")
    expect(visitor.page.locator("#instruction textarea")).to_have_value(re.compile("Briefly"))
    with visitor.page.expect_response(lambda response: "/queue/join" in response.url or "/run/" in response.url):
        visitor.page.evaluate("document.getElementById('recall').click()")  # as the page does if a reply is late
    visitor.page.wait_for_timeout(1000)  # until the reply is drawn over the draft
    expect(visitor.page.locator("#instruction textarea")).to_have_value(re.compile("Briefly"))


def test_another_battle_brings_its_own_instruction(visitor: Visitor) -> None:
    visitor.compare("What is rust?").reaches("open")
    first = visitor.battle_id
    visitor.compare_another("What is a glacier?").reaches("open").unfold()
    visitor.page.locator("#instruction textarea").press_sequentially(" Briefly.")
    visitor.open(f"/?battle={first}").reaches("open")
    visitor.page.wait_for_timeout(500)
    expect(visitor.page.locator("#instruction textarea")).to_have_value("What is rust?")


def test_nothing_of_a_blind_battle_is_kept(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    stored = visitor.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert ALPACA not in stored
    with stub.time.held():
        visitor.press("a").reaches("voted")
        stored = visitor.page.evaluate("JSON.stringify({...localStorage})")
        assert visitor.battle_id not in stored


def test_draft_that_is_not_to_be_stored_is_not_kept(visitor: Visitor) -> None:
    visitor.page.get_by_label("do not store").check()
    visitor.page.evaluate(HEAR)
    visitor.type("My secret.")
    visitor.page.wait_for_function("window.heard === 'My secret.'")
    assert "secret" not in visitor.page.evaluate("JSON.stringify({...sessionStorage})")


def test_what_is_typed_at_once_is_not_replaced_by_the_draft(visitor: Visitor) -> None:
    visitor.type("An old draft.")
    visitor.page.wait_for_function("JSON.stringify({...sessionStorage}).includes('An old draft.')")
    visitor.page.reload(wait_until="commit")
    visitor.page.locator("#instruction textarea").press_sequentially("New")
    visitor.page.wait_for_timeout(700)
    value = visitor.page.locator("#instruction textarea").input_value()
    assert value.endswith("New")


@pytest.mark.parametrize("changed", ["setting", "text"])
def test_draft_leaves_what_was_changed_before_the_reply(visitor: Visitor, stub: StubPage, changed: str) -> None:
    visitor.compare("What is rust?").reaches("open").unfold()
    page = visitor.page
    page.locator("#instruction textarea").fill("An old draft.")
    page.wait_for_function("JSON.stringify({...sessionStorage}).includes('An old draft.')")
    network = SlowNetwork(page, stub.url, replies={"restore"})
    page.reload()
    network.wait_until(lambda: len(network.held) == 1 and network.held[0].is_here)
    visitor.unfold()
    text, mode = page.locator("#instruction textarea"), page.locator("#mode input[value=open]")
    if changed == "setting":
        page.locator("#mode label").nth(1).click()
    else:
        page.locator("#surprise").click()
        expect(text).not_to_have_value("")
    surprise = text.input_value()
    page.evaluate(RESTORED)
    network.release()
    visitor.reaches("open")
    page.wait_for_function("window.restored")
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    expect(text).to_have_value("An old draft." if changed == "setting" else surprise)
    expect(mode).to_be_checked(checked=changed == "setting")


def test_page_works_without_storage(browser: Browser, stub: StubPage) -> None:
    with visiting(browser, stub.url) as visitor:
        visitor.page.add_init_script(NO_STORAGE)
        visitor.open().compare().reaches("open")
        with stub.time.held():
            visitor.press("a").reaches("voted")
            visitor.page.locator("#keep-going input").check()
            last = visitor.battle_id
        visitor.press("Enter")
        visitor.page.wait_for_function(f"!['', '{last}'].includes(new URL(location.href).searchParams.get('battle'))")
        visitor.reaches("open")


# Back and Forward


def test_back_returns_to_the_last_battle_and_forward_works(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare("What is rust?").reaches("open").press("a").reaches("voted").press("r").reaches("revealed")
    first = visitor.battle_id
    visitor.press("Enter").reaches("compose")
    visitor.compare("What is a glacier?").reaches("open")
    second = visitor.battle_id
    page = visitor.page
    page.go_back()
    visitor.reaches("compose")
    assert visitor.battle_id == ""
    page.go_back()
    visitor.reaches("revealed")
    assert visitor.battle_id == first
    expect(page.locator("#vote-words")).to_contain_text("You chose A")
    expect(page.locator("#instruction textarea")).to_have_value("What is rust?")
    page.go_forward()
    visitor.reaches("compose")
    page.go_forward()
    visitor.reaches("open")
    assert visitor.battle_id == second
    expect(page.locator("#instruction textarea")).to_have_value("What is a glacier?")
    with stub.time.held():
        visitor.press("b").reaches("voted")
        assert stub.arena._battles[second].choice == "b"


def test_compare_after_back_ends_on_the_new_battle(visitor: Visitor) -> None:
    visitor.compare("What is rust?").reaches("open")
    first = visitor.battle_id
    visitor.compare_another("What is a glacier?").reaches("open").unfold()
    visitor.page.go_back()
    expect(visitor.page.locator("#instruction textarea")).to_have_value("What is rust?")
    assert visitor.battle_id == first
    visitor.compare_another("List three colours.").reaches("open")
    expect(visitor.page.locator("#instruction textarea")).to_have_value("List three colours.")


@pytest.mark.parametrize("begins", ["before the reply", "after the reply"])
def test_battle_from_back_leaves_what_is_typed_meanwhile(visitor: Visitor, stub: StubPage, begins: str) -> None:
    visitor.compare("What is rust?").reaches("open")
    first = visitor.battle_id
    visitor.compare_another("What is a glacier?", mode="open").reaches("open").unfold()
    page, network = visitor.page, SlowNetwork(visitor.page, stub.url, replies={"restore"})
    page.go_back()
    network.wait_until(lambda: len(network.held) == 1 and network.held[0].is_here)
    visitor.type("List three colours.")
    if begins == "before the reply":
        page.locator("#compare").click()
        page.wait_for_function(f"!location.search.includes('{first}')")
        network.release()
    else:
        network.release()
        expect(page.locator("#mode input[value=blind]")).to_be_checked()
        expect(page.locator("#instruction textarea")).to_be_focused()  # in a composer that stays unfolded
        page.locator("#compare").click()
        page.wait_for_function(f"!location.search.includes('{first}')")
    visitor.reaches("open")
    expect(page.locator("#recalled textarea")).to_have_value(re.compile("What is rust"))
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    expect(page.locator("#instruction textarea")).to_have_value("List three colours.")
    assert stub.arena._battles[visitor.battle_id].instruction.instruction == "List three colours."


def test_page_begins_at_its_top_after_next(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 390, "height": 500})
    visitor.compare(columns=6).reaches("open").press("a").reaches("voted").press("r").reaches("revealed")
    visitor.page.evaluate("scrollTo(0, 900)")
    below = visitor.page.evaluate("scrollY")
    assert below > 300
    visitor.press("Enter").reaches("compose")
    visitor.page.wait_for_function("scrollY < 50")
    visitor.page.go_back()
    visitor.reaches("revealed")
    visitor.page.wait_for_function(f"Math.abs(scrollY - {below}) < 40")
