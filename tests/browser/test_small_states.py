"""Rarer states on small screens: void, failed, reasoning, a guest of a shared link, the next battle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_keyboard import next_battle
from tests.browser.test_layout import LYING, SMALL, ZOOMED, sees_answers
from tests.conftest import StubPage
from tests.support.browsing import DESKTOP, PHONE, Visitor, violations, visiting

pytestmark = pytest.mark.browser

TABLET = {"width": 768, "height": 1024}


@pytest.fixture(autouse=True)
def _stop_all(stub: StubPage) -> Iterator[None]:
    yield
    stub.time.go_on()
    stub.arena.stop_all()


@pytest.fixture
def phone(browser: Browser, stub_url: str) -> Iterator[Visitor]:
    """A visitor with a touch screen."""
    with visiting(
        browser, stub_url, viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce"
    ) as visitor:
        yield visitor.open()


def test_battle_that_cannot_be_voted_on_leads_on(phone: Visitor) -> None:
    phone.compare("fail:ab What is an alpaca?").reaches("void")
    for size in (PHONE, LYING, TABLET, DESKTOP):
        phone.page.set_viewport_size(size)  # type: ignore[arg-type]
        for button in ("compare", "regenerate"):
            expect(phone.page.locator(f"#{button}")).to_be_in_viewport(ratio=1)
        assert phone.page.locator("#folded p").bounding_box()["width"] > 90, "the instruction can be read"
        assert phone.column("a").bounding_box()["height"] < 160
        assert not phone.scrolls_sideways
    phone.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert violations(phone.page) == []


def test_failed_answer_takes_little_of_a_phone(phone: Visitor) -> None:
    phone.compare("What is an alpaca? fail:b", columns=3).reaches("open")
    assert phone.column("b").bounding_box()["height"] < 160
    assert violations(phone.page) == []


def test_legend_breaks_where_it_is_too_long(browser: Browser, stub_url: str) -> None:
    with visiting(browser, stub_url, viewport=TABLET) as visitor:
        visitor.open()
        for key in visitor.page.locator("#legend span").all():
            box = key.bounding_box()
            assert box["x"] + box["width"] <= TABLET["width"] - 20


def test_guest_of_a_shared_link_votes_with_a_few_taps(phone: Visitor, browser: Browser) -> None:
    phone.compare().reaches("open").press("a").reaches("voted").press("r").reaches("revealed")
    with visiting(browser, phone.url, viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce") as guest:
        page = guest.open(f"/?battle={phone.battle_id}").reaches("shared").page
        for size in (LYING, TABLET, ZOOMED, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            for part in ("#join", "#look", "#vote-hint a"):
                expect(page.locator(part)).to_be_in_viewport(ratio=1)
                assert page.locator(part).evaluate(UNCOVERED), (part, size)
        assert violations(page) == []
        assert page.evaluate("document.activeElement === document.body"), "no answer is framed as if it were chosen"
        page.locator("#join").tap()
        guest.reaches("open").page.locator("#vote-b").tap()
        guest.reaches("voted").page.locator("#reveal").tap()
        guest.reaches("revealed")
        expect(page.locator("#vote-words")).to_contain_text("You chose B")
        page.wait_for_timeout(700)  # the button takes no tap in its first moment
        page.locator("#next-battle").tap()
        guest.reaches("compose")
        assert page.evaluate("document.activeElement.tagName") != "TEXTAREA", "the keyboard would cover the starters"


UNCOVERED = """(part) => {
  const { left, right, top, bottom } = part.getBoundingClientRect();
  return part.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2));
}"""


@pytest.mark.parametrize("size", SMALL)
def test_half_of_a_small_screen_is_answer_in_the_next_battles_too(browser: Browser, stub: StubPage, size: str) -> None:
    with visiting(browser, stub.url, viewport=SMALL[size], reduced_motion="reduce") as visitor:
        visitor.open().compare(columns=4).reaches("open")
        visitor.page.evaluate("scrollTo(0, document.body.scrollHeight)")  # the last answer was read
        first = visitor.battle_id
        visitor.unfold().page.locator("#instruction textarea").press("Control+Enter")
        second = next_battle(visitor, first)
        sees_answers(visitor, 0.5)  # compared again
        visitor.press("a").reaches("voted")
        visitor.page.locator("#keep-going input").check()
        visitor.press("Enter")
        third = next_battle(visitor, second)
        sees_answers(visitor, 0.5)  # keep going
        visitor.press("b").reaches("voted").page.locator("#keep-going input").uncheck()
        visitor.press("r").reaches("revealed").press("Enter").reaches("compose")
        visitor.type("say:Yes.")
        visitor.page.locator("#compare").click()
        next_battle(visitor, third)
        sees_answers(visitor, 0.5)  # an empty page between
