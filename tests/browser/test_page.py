"""The Compare and Leaderboard pages in Chromium over a stub arena: every state, mouse, keyboard, phone, themes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.conftest import StubPage
from tests.support.browsing import PHONE, Visitor, violations, visiting
from tests.support.stub_arena import ANSWERS

pytestmark = pytest.mark.browser

SLOW = "Tell me slowly. slow"
WAYS = ("judged", "generating", "void")


@pytest.fixture(autouse=True)
def _stop_all(stub: StubPage) -> Iterator[None]:
    yield
    stub.time.go_on()
    stub.arena.stop_all()


@pytest.fixture
def visitor(browser: Browser, stub_url: str) -> Iterator[Visitor]:
    with visiting(browser, stub_url) as visitor:
        yield visitor.open()


def journey(visitor: Visitor, stub: StubPage, way: str) -> Iterator[str]:
    """Go from the empty page through the phases of a way; stay in each until the next is asked for."""
    if way == "generating":
        visitor.compare(SLOW, columns=4).reaches("generating")
        stub.time.hold()
        yield "generating"
    elif way == "void":
        visitor.compare("fail:ab").reaches("void")
        yield "void"
    else:
        yield "compose"
        visitor.compare(columns=4).reaches("open")
        yield "open"
        stub.time.hold()
        visitor.press("b").reaches("voted")
        yield "voted"
        visitor.press("r").reaches("revealed")
        yield "revealed"


# Comparing


@pytest.mark.parametrize("mode", ["blind", "open"])
def test_chosen_number_of_columns_is_shown(visitor: Visitor, stub: StubPage, mode: str) -> None:
    for columns in (2, 6, 4):
        with stub.time.held():
            visitor.compare(columns=columns, mode=mode).reaches("generating")
            expect(visitor.page.locator("#stop")).to_be_visible()
            expect(visitor.page.locator("#vote-a")).to_be_disabled()
        visitor.reaches("open")
        assert visitor.columns_shown == columns
        assert "soft wool" in visitor.answer("a")
        names = visitor.page.locator(".side:visible .who b").count()
        assert names == (0 if mode == "blind" else columns)
        expect(visitor.page.locator("#vote-a")).to_be_enabled()


def test_control_enter_compares(visitor: Visitor) -> None:
    visitor.type("What is an alpaca?")
    visitor.page.keyboard.press("Control+Enter")
    visitor.reaches("open")


def test_stopped_answers_can_be_voted_on(visitor: Visitor) -> None:
    visitor.compare(SLOW).reaches("generating")
    visitor.page.wait_for_function("document.querySelector('#answer-a')?.innerText.length > 5")
    visitor.press("Escape").reaches("open")
    assert len(visitor.answer("a")) > 5
    visitor.press("a").reaches("voted")


def test_open_mode_can_stop_one_column(visitor: Visitor) -> None:
    visitor.compare(SLOW, columns=3, mode="open").reaches("generating")
    visitor.page.wait_for_function("document.querySelector('#answer-b')?.innerText.length > 5")
    visitor.column("b").get_by_role("button", name="Stop answer B").click()
    expect(visitor.page.locator("#foot-b")).to_contain_text("stopped")
    stopped, other = visitor.answer("b"), visitor.answer("a")
    visitor.page.wait_for_function(f"document.querySelector('#answer-a').innerText.length > {len(other)}")
    assert visitor.answer("b") == stopped
    assert visitor.phase == "generating"


@pytest.mark.parametrize("begun_by", ["click", "submit"])
def test_shift_enter_is_refused_while_models_are_writing(visitor: Visitor, stub: StubPage, begun_by: str) -> None:
    field = visitor.page.locator("#instruction textarea")
    visitor.type(SLOW)
    if begun_by == "click":
        visitor.page.locator("#compare").click()
    else:
        field.press("Shift+Enter")
    visitor.reaches("generating")
    first = visitor.battle_id
    visitor.unfold()
    field.press("Shift+Enter")
    expect(visitor.page.locator("#status.error")).to_contain_text("Press Stop first")
    visitor.page.wait_for_timeout(600)
    expect(visitor.page.locator("#status.error")).to_contain_text("Press Stop first")
    assert (visitor.battle_id, visitor.phase) == (first, "generating")
    before = len(visitor.answer("a"))
    visitor.page.wait_for_function(f"document.querySelector('#answer-a').innerText.length > {before}")
    visitor.press("Escape").reaches("open")
    visitor.type("What is an alpaca?")
    with stub.time.held():
        field.press("Shift+Enter")
        visitor.reaches("generating")
    visitor.reaches("open")
    assert visitor.battle_id not in ("", first)
    assert "soft wool" in visitor.answer("a")


def test_regenerate_makes_another_battle(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    first = visitor.battle_id
    with stub.time.held():
        visitor.page.locator("#regenerate").click()
        visitor.reaches("generating")
    visitor.reaches("open")
    assert visitor.battle_id not in ("", first)


def test_starter_fills_in_its_input(visitor: Visitor) -> None:
    visitor.page.locator("#starter-category label").nth(3).click()
    visitor.page.get_by_role("button", name="Make it shorter.").click()
    expect(visitor.page.locator("#instruction textarea")).to_have_value("Make it shorter.")
    expect(visitor.page.locator("#input textarea")).to_have_value(re.compile("long and winding"))


def test_starter_clicked_while_others_load_is_taken(visitor: Visitor) -> None:
    """Choose a category, and click a starter of the one before while its starters are loading."""
    expect(visitor.page.locator("#starter-samples button").nth(2)).to_be_visible()
    visitor.page.evaluate(
        """() => {
            const starter = [...document.querySelectorAll("#starter-samples button")].at(2);
            document.querySelectorAll("#starter-category label")[3].click();
            starter.click();
        }"""
    )
    expect(visitor.page.locator("#instruction textarea")).to_have_value("Make it shorter.")
    expect(visitor.page.locator("#input textarea")).to_have_value(re.compile("long and winding"))


def test_surprise_me_fills_in_an_instruction(visitor: Visitor) -> None:
    visitor.page.locator("#surprise").click()
    expect(visitor.page.locator("#instruction textarea")).not_to_have_value("")


def test_empty_instruction_is_refused(visitor: Visitor) -> None:
    visitor.page.locator("#compare").click()
    expect(visitor.page.locator("#status.error")).to_have_text("Write an instruction first, or choose a starter.")
    assert visitor.battle_id == ""


def test_refusal_of_the_arena_is_shown(visitor: Visitor) -> None:
    visitor.compare().reaches("open")
    before = visitor.battle_id
    visitor.compare("refuse this")
    expect(visitor.page.locator("#status.error")).to_contain_text("room for 512")
    visitor.page.wait_for_timeout(1000)
    expect(visitor.page.locator("#status.error")).to_contain_text("room for 512")
    assert (visitor.battle_id, visitor.phase) == (before, "open")


def test_settings_are_sent_and_wrong_ones_refused(visitor: Visitor) -> None:
    visitor.page.locator("#settings > button").click()
    visitor.page.locator("#sampling-temperature textarea, #sampling-temperature input").fill("warm")
    visitor.compare()
    expect(visitor.page.locator("#status.error")).to_contain_text("temperature has to be a number")
    visitor.page.locator("#sampling-temperature textarea, #sampling-temperature input").fill("0.7")
    visitor.compare().reaches("open")
    expect(visitor.page.locator("#sampling-note")).to_have_text("temperature 0.7")


def test_models_can_be_chosen_and_may_repeat(visitor: Visitor) -> None:
    visitor.page.locator("#settings > button").click()
    visitor.page.locator("#who-chooses label").nth(1).click()
    visitor.page.locator("#model-2 input").click()
    visitor.page.get_by_role("option", name="pocket-orca-mini").click()
    visitor.compare(mode="open").reaches("open")
    assert visitor.page.locator(".side:visible .who b").all_inner_texts() == ["pocket-orca-mini"] * 2


def test_do_not_store_is_sent_and_shown(visitor: Visitor) -> None:
    visitor.page.get_by_label("do not store").check()
    visitor.compare().reaches("open")
    expect(visitor.page.locator("#sampling-note")).to_have_text("not stored")


# Judging


def test_vote_can_be_undone_and_is_revealed_later(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    with stub.time.held():
        visitor.page.locator("#vote-a").click()
        visitor.reaches("voted")
        expect(visitor.page.locator("#vote-words")).to_have_text("Saved. You chose A.")
        expect(visitor.page.locator("#reveal")).to_have_attribute("data-left", re.compile(r" \([1-5] s\)"))
        visitor.press("u").reaches("open")
        expect(visitor.page.locator("#vote-words")).to_have_text("Which answer is better?")
        visitor.press("n").reaches("voted")
        assert visitor.page.locator(".side:visible .who b").count() == 0
    visitor.reaches("revealed")
    expect(visitor.page.locator("#vote-words")).to_have_text("You found both bad.")
    assert visitor.page.locator(".side:visible .who b").count() == 2
    visitor.page.emulate_media(reduced_motion="reduce")
    assert visitor.page.evaluate(APPEARING) == ["none", "none", "auto"]


APPEARING = """() => {
  const next = document.getElementById('next-battle');
  next.style.display = 'none';
  next.getBoundingClientRect();
  next.style.display = '';
  const [settling] = next.getAnimations();
  const at = (ms) => { settling.currentTime = ms; return getComputedStyle(next).pointerEvents; };
  settling.pause();
  return [at(0), at(500), at(700)];
}"""
"""Whether "Next battle" can be pressed after so many milliseconds in the place where "Reveal" was."""

HASTY = """() => new MutationObserver((_, watching) => {
  if (document.body.dataset.phase !== 'open' || !('held' in document.body.dataset)) return;
  watching.disconnect();
  window.wasDisabled = document.getElementById('vote-a').disabled;
  const since = performance.now();
  new MutationObserver((_, waiting) => {
    if ('held' in document.body.dataset) return;
    waiting.disconnect();
    window.heldMs = performance.now() - since;
  }).observe(document.body, { attributes: true });
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'a', code: 'KeyA', bubbles: true }));
  document.querySelectorAll('button.choice').forEach((button) => button.click());
  document.getElementById('vote-b').disabled = false;
  document.getElementById('vote-b').click();
}).observe(document.body, { attributes: true })"""
"""Votes by key and click as soon as the answers are complete: no call from outside is sure to come in time."""


def test_votes_open_one_second_after_the_answers(visitor: Visitor, stub: StubPage) -> None:
    visitor.page.evaluate(HASTY)
    visitor.compare("Write slowly.")
    for side in "ab":
        expect(visitor.page.locator(f"#answer-{side}")).not_to_be_empty()
    with stub.time.held():  # a slow browser still draws them within their first second
        visitor.page.locator("#stop").click()
        visitor.page.wait_for_function("'heldMs' in window")
    assert visitor.page.evaluate("window.wasDisabled")
    assert visitor.page.evaluate("window.heldMs") > 900
    visitor.reaches("open")
    expect(visitor.page.locator("#vote-a")).to_be_enabled()
    with stub.time.held():
        visitor.press("t").reaches("voted")
        assert stub.arena._battles[visitor.battle_id].choice == "tie"


def test_battle_that_was_open_before_is_open_at_once_after_undo(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    with stub.time.held():
        visitor.press("t").reaches("voted").press("u")
        visitor.page.wait_for_selector("body[data-phase=open]", state="attached")
        assert visitor.page.locator("body[data-held]").count() == 0


def test_reloaded_open_battle_takes_votes_at_once(visitor: Visitor) -> None:
    visitor.compare().reaches("open").page.reload()
    visitor.page.wait_for_selector("body[data-phase=open]", state="attached")
    assert visitor.page.locator("body[data-held]").count() == 0
    visitor.press("a").reaches("voted")


def test_keys_vote_reveal_and_start_the_next_battle(visitor: Visitor) -> None:
    visitor.compare(columns=3).reaches("open").press("c").reaches("voted")
    visitor.press("r").reaches("revealed")
    expect(visitor.page.locator("#vote-words")).to_have_text("You chose C: pocket-galpaca.")
    visitor.press("Enter").reaches("compose")
    assert visitor.battle_id == ""
    expect(visitor.page.locator("#instruction textarea")).to_be_focused()
    expect(visitor.page.locator("#instruction textarea")).to_have_value("")
    assert visitor.columns_shown == 0


def test_keys_do_not_vote_while_typing(visitor: Visitor) -> None:
    visitor.compare().reaches("open").unfold()
    visitor.page.locator("#instruction textarea").press_sequentially("abtnur")
    assert visitor.phase == "open"


def test_reasons_and_comment_are_kept(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    with stub.time.held():
        visitor.press("b").reaches("voted")
        visitor.page.get_by_label("correct", exact=True).check()
        expect(visitor.page.locator("#status")).to_have_text("Saved. Thank you.")
        visitor.page.get_by_label("Comment").fill("Short and right.")
        visitor.page.get_by_label("Comment").press("Enter")
    visitor.reaches("revealed").reload().reaches("revealed")
    expect(visitor.page.get_by_label("correct", exact=True)).to_be_checked()
    expect(visitor.page.get_by_label("Comment")).to_have_value("Short and right.")


def test_reason_that_is_ticked_while_another_is_saved_is_saved_too(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare().reaches("open")
    held, is_holding = list[Route](), True
    with stub.time.held():
        visitor.press("b").reaches("voted")
        visitor.page.route(
            "**/gradio_api/run/**", lambda route: held.append(route) if is_holding else route.continue_()
        )
        visitor.page.get_by_label("correct", exact=True).check()
        visitor.page.get_by_label("clear", exact=True).check()
        is_holding = False
        with visitor.page.expect_response("**/gradio_api/run/**"):
            held[0].continue_()
        expect(visitor.page.locator("#status")).to_have_text("Saved. Thank you.")
        for late in held[1:]:
            late.continue_()
        visitor.page.wait_for_timeout(1000)  # until a second request, if there is one, has been answered
    visitor.reaches("revealed").reload().reaches("revealed")
    for reason in ("correct", "clear"):
        expect(visitor.page.get_by_label(reason, exact=True)).to_be_checked()


@pytest.mark.parametrize("how", ["by the clock", "by the key"])
def test_comment_being_typed_survives_the_reveal(visitor: Visitor, stub: StubPage, how: str) -> None:
    visitor.compare().reaches("open")
    with stub.time.held():
        visitor.press("b").reaches("voted")
        visitor.page.get_by_label("correct", exact=True).check()
        expect(visitor.page.locator("#status")).to_have_text("Saved. Thank you.")
        comment = visitor.page.get_by_label("Comment")
        comment.press_sequentially("Short and")
        if how == "by the key":
            visitor.page.evaluate("document.querySelector('#reveal').click()")  # the focus stays in the comment
    visitor.reaches("revealed")
    expect(comment).to_have_value("Short and")
    expect(visitor.page.get_by_label("correct", exact=True)).to_be_checked()
    visitor.page.get_by_label("Comment").press_sequentially(" right.")
    visitor.page.get_by_label("Comment").press("Enter")
    expect(visitor.page.locator("#status")).to_have_text("Saved. Thank you.")
    visitor.reload().reaches("revealed")
    expect(visitor.page.get_by_label("Comment")).to_have_value("Short and right.")
    expect(visitor.page.get_by_label("correct", exact=True)).to_be_checked()


def test_answer_can_be_reported(visitor: Visitor) -> None:
    visitor.compare().reaches("open")
    visitor.column("b").get_by_role("button", name="Report answer B").click()
    visitor.page.get_by_label("What is wrong with answer B?").fill("It is rude.")
    visitor.page.locator("#report-send").click()
    expect(visitor.page.locator("#status")).to_have_text("Reported. The report is stored with this battle.")
    expect(visitor.page.locator("#report")).to_be_hidden()


def test_failed_answer_is_explained_after_the_reveal(visitor: Visitor) -> None:
    visitor.compare("fail:d", columns=4).reaches("open")
    expect(visitor.column("d")).to_contain_text("The reason is shown after the vote.")
    expect(visitor.page.locator("#vote-d")).to_be_disabled()
    visitor.press("d").press("a").reaches("voted").press("r").reaches("revealed")
    expect(visitor.column("d")).to_contain_text("ran out of memory")


def test_void_battle_says_why_and_takes_no_vote(visitor: Visitor) -> None:
    visitor.compare("fail:ab").reaches("void")
    assert "fewer than two answers succeeded" in visitor.status
    expect(visitor.page.locator("#votebar")).to_be_hidden()


# Coming back


@pytest.mark.parametrize("way", WAYS)
def test_reload_restores_the_battle(visitor: Visitor, stub: StubPage, way: str) -> None:
    for phase in journey(visitor, stub, way):
        before, columns = visitor.battle_id, visitor.columns_shown
        visitor.reload().reaches(phase)
        assert (visitor.battle_id, visitor.columns_shown) == (before, columns), phase


def test_reload_restores_the_composer(visitor: Visitor) -> None:
    visitor.compare("What is a glacier?", columns=3, mode="open").reaches("open").reload().reaches("open")
    expect(visitor.page.locator("#instruction textarea")).to_have_value("What is a glacier?")
    expect(visitor.page.locator("#mode input[value=open]")).to_be_checked()
    expect(visitor.page.locator("#columns-count label").nth(1).locator("input")).to_be_checked()


def test_removed_characters_are_noted(visitor: Visitor) -> None:
    visitor.compare("What is\x07 an alpaca?").reaches("open")
    expect(visitor.page.locator("#sampling-note")).to_contain_text("1 control character removed from the instruction")


def test_reload_continues_reading(visitor: Visitor) -> None:
    visitor.compare(SLOW).reaches("generating").reload().reaches("generating")
    visitor.page.wait_for_function("document.querySelector('#answer-a')?.innerText.length > 10")
    visitor.press("Escape").reaches("open")


def test_other_visitors_see_revealed_battles_only(visitor: Visitor, browser: Browser, stub_url: str) -> None:
    visitor.compare().reaches("open")
    with visiting(browser, stub_url) as stranger:
        stranger.open(f"/?battle={visitor.battle_id}").reaches("compose")
        expect(stranger.page.locator("#status.error")).to_contain_text("belongs to somebody else")
        visitor.press("a").reaches("voted").press("r").reaches("revealed")
        stranger.open(f"/?battle={visitor.battle_id}").reaches("shared")
        stranger.page.get_by_role("button", name="Show the models").click()
        stranger.reaches("revealed")
        assert stranger.columns_shown == 2
        expect(stranger.page.locator("#vote-words")).to_have_text("The vote went to A: pocket-orca-mini.")
        expect(stranger.page.locator("#reasons")).to_be_hidden()


@pytest.mark.parametrize("battle", ["0" * 32, "nonsense", "%3Cscript%3E", "x" * 3000])
def test_unknown_battle_in_the_address_is_explained(browser: Browser, stub_url: str, battle: str) -> None:
    with visiting(browser, stub_url) as visitor:
        visitor.open(f"/?battle={battle}").reaches("compose")
        expect(visitor.page.locator("#status.error")).not_to_be_empty()


# Looking


def test_raw_copy_and_enlarge(browser: Browser, stub_url: str) -> None:
    with visiting(browser, stub_url, permissions=["clipboard-read", "clipboard-write"]) as visitor:
        visitor.open().compare(columns=3).reaches("open")
        tool = visitor.column("c").get_by_role("button", name="Show answer C as plain text")
        tool.click()
        expect(tool).to_have_attribute("aria-pressed", "true")
        expect(visitor.page.locator("#raw-c textarea")).to_have_value(ANSWERS[2])
        expect(visitor.page.locator("#raw-c textarea")).to_have_attribute("readonly", "")
        expect(visitor.page.locator("#answer-c")).to_be_hidden()
        visitor.column("c").get_by_role("button", name="Copy answer C").click()
        visitor.page.wait_for_function("document.querySelector('[data-done]')")
        assert visitor.page.evaluate("navigator.clipboard.readText()") == ANSWERS[2]
        visitor.column("c").get_by_role("button", name="at full width").click()
        assert visitor.columns_shown == 1
        visitor.column("c").get_by_role("button", name="at full width").click()
        assert visitor.columns_shown == 3


def test_code_keeps_indentation_and_formulas_are_rendered(visitor: Visitor) -> None:
    visitor.compare(columns=3).reaches("open")
    code = visitor.page.locator("#answer-c pre code").inner_text()
    assert code.rstrip("\n") == "def is_llama(kg):\n    return kg > 100"
    assert visitor.page.locator("#answer-c .katex").count() > 0


def test_prices_are_not_formulas(visitor: Visitor) -> None:
    visitor.compare(columns=5).reaches("open")
    assert "$5 to $7" in visitor.answer("e")
    assert visitor.page.locator("#answer-e .katex").count() == 0


@pytest.mark.proves("remote images, javascript: links, script, img, SVG")
def test_hostile_answer_stays_in_its_box(visitor: Visitor) -> None:
    visitor.compare("something hostile").reaches("open")
    box = visitor.page.locator("#answer-a")
    assert "<script>alert(1)</script>" in box.inner_text()
    for forbidden in ("script", "img", "form", "iframe", "svg.mermaid", "[onerror]", "[style*=fixed]", "b"):
        assert box.locator(forbidden).count() == 0, forbidden
    links = [link.get_attribute("href") or "" for link in box.locator("a").all()]
    assert links
    assert all(link.startswith("https://example.org") for link in links)
    assert "<b>code stays &amp; is code</b>" in box.locator("pre").all_inner_texts()[1]
    assert visitor.hosts == {visitor.url.removeprefix("http://")}


@pytest.mark.parametrize("way", WAYS)
def test_phone_does_not_scroll_sideways_and_shows_the_vote_bar(browser: Browser, stub: StubPage, way: str) -> None:
    with visiting(browser, stub.url, viewport=PHONE) as visitor:
        for phase in journey(visitor.open(), stub, way):
            visitor.page.wait_for_timeout(200)
            assert not visitor.scrolls_sideways, phase
            if phase in ("generating", "open"):
                expect(visitor.page.locator("#vote-a")).to_be_in_viewport()
                expect(visitor.page.locator("#jump a")).to_have_count(4)


def test_phone_letters_jump_to_answers(browser: Browser, stub_url: str) -> None:
    with visiting(browser, stub_url, viewport=PHONE, reduced_motion="reduce") as visitor:
        visitor.open().compare(columns=4).reaches("open")
        visitor.page.locator("#jump a").nth(3).click()
        expect(visitor.page.locator("#head-d")).to_be_in_viewport()


@pytest.mark.parametrize("how", ["system", "address"])
def test_dark_theme_follows_system_or_address(browser: Browser, stub_url: str, how: str) -> None:
    with visiting(browser, stub_url, color_scheme="dark" if how == "system" else "light") as visitor:
        visitor.open("/" if how == "system" else "/?__theme=dark")
        assert visitor.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 21, 19)"
        assert (
            visitor.page.evaluate("getComputedStyle(document.querySelector('#composer')).color") == "rgb(238, 234, 228)"
        )


def test_page_requests_no_other_host(visitor: Visitor) -> None:
    visitor.compare(columns=4).reaches("open").press("a").reaches("voted").press("r").reaches("revealed")
    visitor.page.locator("#details-a > button").click()
    visitor.press("Enter").reaches("compose").open("/leaderboard")
    assert visitor.hosts == {visitor.url.removeprefix("http://")}


# Leaderboard


def test_leaderboard_has_an_address_and_a_verdict(visitor: Visitor) -> None:
    visitor.page.get_by_role("link", name="Leaderboard").click()
    expect(visitor.page).to_have_url(re.compile("/leaderboard$"))
    expect(visitor.page.locator("#board h1")).to_contain_text("pocket-galpaca leads.")
    assert visitor.page.locator(".forest .model").count() == 5
    assert visitor.page.locator("table.heat tbody tr").count() == 15
    expect(visitor.page.get_by_role("heading", name="Can these votes be trusted?")).to_be_visible()


def test_category_without_votes_says_so(visitor: Visitor) -> None:
    visitor.open("/leaderboard?category=list")
    expect(visitor.page.locator("#board h1")).to_contain_text("No votes")
    visitor.page.get_by_role("link", name="Compare now").click()
    visitor.arrived().reaches("compose")


def test_leaderboard_fits_a_phone(browser: Browser, stub_url: str) -> None:
    with visiting(browser, stub_url, viewport=PHONE) as visitor:
        assert not visitor.open("/leaderboard").scrolls_sideways


# Accessibility


@pytest.mark.parametrize("way", WAYS)
def test_axe_finds_nothing_in_any_phase(browser: Browser, stub: StubPage, way: str) -> None:
    with visiting(browser, stub.url, reduced_motion="reduce") as visitor:
        found = {phase: violations(visitor.page) for phase in journey(visitor.open(), stub, way)}
    assert {phase: bad for phase, bad in found.items() if bad} == {}


def test_axe_finds_nothing_on_the_leaderboard(browser: Browser, stub_url: str) -> None:
    with visiting(browser, stub_url, reduced_motion="reduce") as visitor:
        assert violations(visitor.open("/leaderboard").page) == []
