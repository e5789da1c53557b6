"""The Compare page on screens of every size: how much is answer, what folds, what stays in sight; ranking, differences.

A window of 720 by 450 is one of 1440 by 900 at 200 % zoom.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_page import journey
from tests.conftest import StubPage
from tests.support.browsing import DESKTOP, PHONE, Visitor, violations, visiting

pytestmark = pytest.mark.browser

LYING, ZOOMED = {"width": 844, "height": 390}, {"width": 720, "height": 450}
SMALL = {"phone": PHONE, "phone on its side": LYING, "200 % zoom": ZOOMED}
IN_SIGHT = """() => {
    let hits = 0, all = 0;
    for (let y = 4; y < innerHeight; y += 8) for (let x = 4; x < innerWidth; x += 8) {
        all += 1;
        hits += Boolean(document.elementFromPoint(x, y)?.closest(".side"));
    }
    return hits / all;
}"""
"""The share of the window in which one sees answers: their cards, where nothing covers them."""
TOPS = """() => [...document.querySelectorAll("#judge button")].filter((button) => button.offsetParent)
    .map((button) => Math.round(button.getBoundingClientRect().top))"""


@pytest.fixture(autouse=True)
def _stop_all(stub: StubPage) -> Iterator[None]:
    yield
    stub.time.go_on()
    stub.arena.stop_all()


@pytest.fixture
def visitor(browser: Browser, stub_url: str) -> Iterator[Visitor]:
    with visiting(browser, stub_url, reduced_motion="reduce") as visitor:
        yield visitor.open()


@pytest.fixture
def phone(browser: Browser, stub_url: str) -> Iterator[Visitor]:
    with visiting(browser, stub_url, viewport=PHONE, reduced_motion="reduce") as visitor:
        yield visitor.open()


def sees_answers(visitor: Visitor, share: float) -> None:
    """Wait until answers take so much of the window, and see that it stays so."""
    visitor.page.wait_for_function(f"share => ({IN_SIGHT})() >= share", arg=share)
    visitor.page.wait_for_timeout(300)
    assert float(visitor.page.evaluate(IN_SIGHT)) >= share


# How much is answer


@pytest.mark.parametrize("columns", [2, 4])
@pytest.mark.parametrize("size", SMALL)
def test_half_of_a_small_screen_is_answer(browser: Browser, stub: StubPage, size: str, columns: int) -> None:
    with visiting(browser, stub.url, viewport=SMALL[size], reduced_motion="reduce") as visitor:
        with stub.time.held():
            visitor.open().compare(columns=columns).reaches("generating")
            sees_answers(visitor, 0.5)
            expect(visitor.page.locator("#stop")).to_be_in_viewport()
        visitor.reaches("open")
        sees_answers(visitor, 0.5)
        stub.time.hold()
        visitor.press("a").reaches("voted")
        sees_answers(visitor, 0.4)
        visitor.press("r").reaches("revealed")
        sees_answers(visitor, 0.4)
        assert not visitor.scrolls_sideways


@pytest.mark.parametrize("columns", [2, 6])
def test_choices_stand_in_one_row(visitor: Visitor, columns: int) -> None:
    visitor.compare(columns=columns).reaches("open")
    for size in SMALL.values():
        visitor.page.set_viewport_size(size)
        for button in ("vote-a", "vote-tie", "vote-bad"):
            expect(visitor.page.locator(f"#{button}")).to_be_in_viewport(ratio=1)
        assert len(set(visitor.page.evaluate(TOPS))) == 1, size
        assert visitor.page.locator("#votebar").bounding_box()["height"] <= 80, size


def test_saved_vote_takes_little_of_a_phone(phone: Visitor, stub: StubPage) -> None:
    def height(id: str) -> float:
        return float(phone.page.locator(f"#{id}").bounding_box()["height"])

    phone.compare(columns=6).reaches("open")
    with stub.time.held():
        for key in ("o", *"abcdef", "Enter"):
            phone.press(key)
        phone.reaches("voted")
        assert height("vote-words") <= 42
        assert height("votebar") <= 145
    phone.press("r").reaches("revealed")
    assert height("votebar") <= 145
    expect(phone.page.get_by_label("keep going")).to_be_in_viewport(ratio=1)
    expect(phone.page.locator("#next-battle")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [660, 720])
def test_nothing_of_header_and_vote_bar_is_cut(browser: Browser, stub: StubPage, width: int) -> None:
    with visiting(browser, stub.url, viewport={"width": width, "height": 450}) as visitor:
        expect(visitor.open().page.locator(".chip")).to_be_in_viewport(ratio=1)
        visitor.compare(columns=6).reaches("open").press("o")
        for side in "abcdef":
            visitor.press(side)
        for button in ("vote-a", "rank-save", "rank-cancel"):
            expect(visitor.page.locator(f"#{button}")).to_be_in_viewport(ratio=1)
        stub.time.hold()
        visitor.press("Enter").reaches("voted")
        for part in ("vote-words", "undo", "reveal", "next-battle", "keep-going"):
            expect(visitor.page.locator(f"#{part}")).to_be_in_viewport(ratio=1)


def test_mark_stands_apart_from_the_license(visitor: Visitor) -> None:
    visitor.compare().reaches("open").press("a").reaches("voted").press("r").reaches("revealed")
    license, mark = (visitor.page.locator(f"#head-a {part}").bounding_box() for part in ("small", ".mark"))
    assert mark["y"] >= license["y"] + license["height"] or mark["x"] >= license["x"] + license["width"] + 6


@pytest.mark.parametrize("columns", [5, 6])
def test_columns_stand_in_one_row_from_1600_px(visitor: Visitor, columns: int) -> None:
    visitor.compare(columns=columns).reaches("open")
    for width, rows in ((1440, 2), (1600, 1), (1920, 1)):
        visitor.page.set_viewport_size({"width": width, "height": 900})
        boxes = [visitor.column(side).bounding_box() for side in "abcdef"[:columns]]
        assert len({round(box["y"]) for box in boxes}) == rows, width
        assert max(box["x"] + box["width"] for box in boxes) > width - 160
        assert not visitor.scrolls_sideways


# Folding


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_composer_folds_after_compare_and_edit_opens_it(
    browser: Browser, stub: StubPage, viewport: dict[str, int]
) -> None:
    with visiting(browser, stub.url, viewport=viewport, reduced_motion="reduce") as visitor:
        field = visitor.open().page.locator("#instruction textarea")
        with stub.time.held():
            visitor.compare("What is an alpaca?").reaches("generating")
            expect(field).to_be_hidden()
            expect(visitor.page.locator("#folded p")).to_have_text("What is an alpaca?")
            expect(visitor.page.locator("#stop")).to_be_visible()
            assert visitor.page.locator("#composer").bounding_box()["height"] <= 90
        visitor.reaches("open").page.locator("[data-edit]").click()
        expect(field).to_be_focused()
        expect(field).to_have_value("What is an alpaca?")
        with stub.time.held():
            visitor.compare("What is a llama?").reaches("generating")
            expect(field).to_be_hidden()
        visitor.reaches("open").press("a").reaches("voted").press("r").reaches("revealed").press("Enter").reaches(
            "compose"
        )
        expect(field).to_be_visible()


def test_letters_and_stop_stay_in_sight_while_scrolling(phone: Visitor, stub: StubPage) -> None:
    stub.time.hold()
    phone.compare(columns=4).reaches("generating")
    phone.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    phone.page.wait_for_timeout(200)
    for sought in ("#stop", "#jump a:nth-child(1)", "#jump a:nth-child(4)"):
        expect(phone.page.locator(sought)).to_be_in_viewport(ratio=1)
    phone.page.locator("#jump a").nth(3).click()
    strip = phone.page.locator("#composer").bounding_box()
    head = phone.page.locator("#head-d").bounding_box()
    assert strip["y"] + strip["height"] <= head["y"] + 1, "the answer's head is below the letters"


def test_starter_leaves_compare_in_sight(phone: Visitor) -> None:
    for starter in range(3):
        phone.page.locator("#starter-samples button").nth(starter).click()
        expect(phone.page.locator("#instruction textarea")).not_to_have_value("")
        expect(phone.page.locator("#compare")).to_be_in_viewport(ratio=1)


def test_long_answer_is_cut_on_a_phone_and_shown_as_a_whole(phone: Visitor) -> None:
    phone.compare(columns=6).reaches("open")
    button = phone.column("f").get_by_role("button", name="show all")
    expect(button).to_be_visible()
    assert phone.column("a").get_by_role("button", name="show all").count() == 0
    before = phone.page.locator("#answer-f").bounding_box()["height"]
    assert before < PHONE["height"] * 0.65
    button.click()
    less = phone.column("f").get_by_role("button", name="show less")
    expect(less).to_have_attribute("aria-expanded", "true")
    assert phone.page.locator("#answer-f").bounding_box()["height"] > before
    less.click()
    assert phone.page.locator("#answer-f").bounding_box()["height"] == before


def test_refused_vote_is_said_where_it_is_seen(phone: Visitor, stub: StubPage, browser: Browser) -> None:
    phone.compare(columns=4).reaches("open")
    stub.time.hold()
    battle = stub.arena._battles[phone.battle_id]
    battle.choice, battle.final_s, battle.revision = "b", stub.time.now() + 5, 1  # in another tab
    phone.press("a").reaches("voted")
    expect(phone.page.locator("#status.error")).to_contain_text("another tab")
    expect(phone.page.locator("#status.error")).to_be_in_viewport(ratio=1)


# Sentences


def test_introduction_follows_the_controls(visitor: Visitor) -> None:
    intro = visitor.page.locator("#intro p:visible")
    for columns, mode, words in [
        (2, 0, "goes to 2 models at once. Their names stay hidden"),
        (4, 1, "goes to 4 models at once, each named"),
        (6, 1, "all 5 models at once, each named above its answer; to fill 6 columns some answer twice"),
    ]:
        visitor.page.locator("#columns-count label").nth(columns - 2).click()
        visitor.page.locator("#mode label").nth(mode).click()
        expect(intro).to_have_count(1)
        expect(intro).to_contain_text(words)
    visitor.compare(columns=3, mode="open").reaches("open").press("a").reaches("voted")
    visitor.press("r").reaches("revealed").press("Enter").reaches("compose")
    expect(intro).to_contain_text("goes to 3 models at once, each named")


def test_nothing_is_called_saved_beside_do_not_store(visitor: Visitor, stub: StubPage) -> None:
    expect(visitor.page.locator("#chip")).to_contain_text("votes saved")
    visitor.page.get_by_label("do not store").check()
    visitor.compare().reaches("open")
    stub.time.hold()
    visitor.press("a").reaches("voted")
    expect(visitor.page.locator("#vote-words")).to_have_text("You chose A. Not stored.")
    assert "saved" not in visitor.page.locator("body").inner_text().lower()
    visitor.page.goto(f"{visitor.url}/models")
    expect(visitor.page.locator("#chip .chip")).to_contain_text("pocket")
    expect(visitor.page.locator("#chip .saved")).to_be_hidden()
    visitor.open().page.get_by_label("do not store").uncheck()
    expect(visitor.page.locator("#chip .saved")).to_be_visible()


# Ranking


def test_answers_are_ranked_by_clicks(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare(columns=3).reaches("open")
    visitor.page.locator("#rank").click()
    for side in "bac":
        visitor.page.locator(f"#vote-{side}").click()
    expect(visitor.page.locator("#rank-order")).to_have_text("B > A > C")
    visitor.page.locator("#vote-a").click()  # takes it out again
    expect(visitor.page.locator("#rank-order")).to_have_text("B > C")
    expect(visitor.page.locator("#rank-save")).to_be_disabled()
    visitor.page.locator("#rank-equal").click()
    visitor.page.locator("#vote-a").click()
    expect(visitor.page.locator("#rank-order")).to_have_text("B > C = A")
    stub.time.hold()
    visitor.page.locator("#rank-save").click()
    visitor.reaches("voted")
    expect(visitor.page.locator("#vote-words")).to_have_text("Saved. You ranked B > C = A.")
    assert stub.arena._battles[visitor.battle_id].choice == "b>c=a"
    visitor.press("r").reaches("revealed")
    assert visitor.page.locator(".mark").all_inner_texts() == ["rank 2", "rank 1", "rank 2"]


def test_answers_are_ranked_by_keys(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare("fail:d", columns=4).reaches("open")
    for key in "oca=b":
        visitor.press(key)
    assert visitor.phase == "open"
    stub.time.hold()
    visitor.press("Enter").reaches("voted")
    assert stub.arena._battles[visitor.battle_id].choice == "c>a=b"


def test_rank_stands_on_its_letter(visitor: Visitor) -> None:
    visitor.compare(columns=3).reaches("open").press("o").press("b").press("a")
    shown = [
        visitor.page.evaluate(f"getComputedStyle(document.getElementById('vote-{side}'), '::after').content")
        for side in "abc"
    ]
    assert shown == ['"2"', '"1"', '"c"']


def test_ranking_begins_with_the_letter_of_the_layout(visitor: Visitor) -> None:
    visitor.compare(columns=3).reaches("open")
    for key, code, ranks in (("r", "KeyO", False), ("o", "KeyS", True), ("щ", "KeyO", True)):
        visitor.page.evaluate(
            "([key, code]) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, code, bubbles: true }))",
            [key, code],
        )
        expect(visitor.page.locator("#rank-save")).to_be_visible(visible=ranks)
        visitor.press("Escape")


def test_ranking_on_a_phone_shows_the_order_above_the_letters(phone: Visitor) -> None:
    phone.compare(columns=6).reaches("open").press("o")
    for side in "bcadef":
        phone.press(side)
    order, letter = (phone.page.locator(f"#{id}").bounding_box() for id in ("rank-order", "vote-a"))
    assert order["y"] + order["height"] <= letter["y"]
    assert phone.page.locator("#votebar").bounding_box()["height"] <= 130
    for button in ("vote-f", "rank-save", "rank-cancel"):
        expect(phone.page.locator(f"#{button}")).to_be_in_viewport(ratio=1)


def test_list_of_keys_keeps_the_ranking_away(visitor: Visitor) -> None:
    visitor.compare(columns=3).reaches("open").press("?").press("o")
    assert not visitor.page.locator("body[data-ranking]").count()
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_escape_leaves_the_ranking_and_letters_vote_again(visitor: Visitor, stub: StubPage) -> None:
    visitor.compare(columns=3).reaches("open").press("o").press("b").press("Escape")
    expect(visitor.page.locator("#vote-tie")).to_be_visible()
    stub.time.hold()
    visitor.press("c").reaches("voted")
    assert stub.arena._battles[visitor.battle_id].choice == "c"


# In depth


def test_reveal_marks_the_chosen_column_and_says_how_often_it_won(visitor: Visitor) -> None:
    visitor.compare().reaches("open").press("b").reaches("voted").press("r").reaches("revealed")
    expect(visitor.column("b").locator(".mark")).to_have_text("your choice")
    assert visitor.column("a").locator(".mark").count() == 0
    expect(visitor.page.locator("#vote-hint")).to_contain_text("here, B beat A in 60 % of 35 votes")
    for width, height in ((1440, 900), (768, 1024), (720, 450), (844, 390), (390, 844)):
        visitor.page.set_viewport_size({"width": width, "height": height})
        copy = visitor.page.get_by_role("button", name="copy link")
        assert copy.evaluate(UNCOVERED), width


UNCOVERED = """(link) => {
  const { left, right, top, bottom } = link.getBoundingClientRect();
  return link.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2));
}"""


def test_differences_of_two_answers_are_shown(visitor: Visitor) -> None:
    visitor.compare(columns=3).reaches("open")
    expect(visitor.page.locator("#differences")).to_be_hidden()
    visitor.compare(columns=3, mode="open").reaches("open")
    visitor.page.locator("#differences > button").click()
    compared = visitor.page.locator(".compared")
    expect(compared).to_have_count(2)
    expect(compared.nth(0)).to_contain_text("soft wool")
    assert compared.nth(0).locator("mark").count() > 1
    visitor.page.locator("#differences-right label").nth(2).click()
    expect(compared.nth(1)).to_contain_text("def is_llama(kg):")


# Every state on every screen


WIDE = " ".join(f"word_{number}" for number in range(40))
SCROLLED = (
    f"say:```python\n{WIDE}\n```\n\n$$x = {' + '.join('abcdefghij' * 9)}$$\n\n| {' | '.join('abcdefghij')} |\n"
    + (f"{'|---' * 10}|\n| {' | '.join(['1,000,000'] * 10)} |")
)
"""Code and a table that are wider than their columns, and a formula that wraps."""
PRESSED = {
    "editing": "[data-edit]",
    "ranking": "#rank",
    "differences": "#differences > button",
    "reporting": "#head-a [data-press=report-a]",
}
"""What is pressed to reach a state."""


@pytest.mark.parametrize("state", [*PRESSED, "not stored", "open failed", "settings"])
def test_axe_finds_nothing_in_further_states(visitor: Visitor, stub: StubPage, state: str) -> None:
    page = visitor.page
    if state == "settings":
        page.locator("#settings > button").click()
        page.locator("#who-chooses label").nth(1).click()
    elif state in ("differences", "open failed"):
        visitor.compare("fail:c" if state == "open failed" else SCROLLED, columns=3, mode="open").reaches("open")
    elif state == "not stored":
        page.get_by_label("do not store").check()
        visitor.compare().reaches("open")
        stub.time.hold()
        visitor.press("a").reaches("voted")
    else:
        visitor.compare(columns=4).reaches("open")
    if state in PRESSED:
        page.locator(PRESSED[state]).click()
    if state == "differences":  # its answers scroll, also by keyboard
        for part in ("pre", "table"):
            expect(page.locator(f"#answer-a {part}")).to_have_attribute("tabindex", "0")
    assert violations(page) == []


@pytest.mark.parametrize("way", ["judged", "generating"])
def test_axe_finds_nothing_on_small_screens(phone: Visitor, stub: StubPage, way: str) -> None:
    found = {}
    for phase in journey(phone, stub, way):
        for size in SMALL if phase in ("generating", "open", "revealed") else ():
            phone.page.set_viewport_size(SMALL[size])
            found[phase, size] = violations(phone.page)
        phone.page.set_viewport_size(PHONE)
    assert len(found) == len(SMALL) * (2 if way == "judged" else 1)
    assert {where: bad for where, bad in found.items() if bad} == {}
