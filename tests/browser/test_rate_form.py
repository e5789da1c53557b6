"""The form of the Rate page in a browser, over made-up replies: refusals, reloads and limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.middleware import Middleware

from playground.settings import Settings
from tests.browser.test_rate import Rating
from tests.support.browsing import visiting
from tests.support.rate_stub import RateStub, RateStubRoutes
from tests.support.serving import address_of, serving
from tests.support.stub_arena import StubArena

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIELD, NOTE = "#rate-words-of-rater", "#rate-write-said"
FULL = "This study has all the ratings that it needs. Thank you."


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, RateStub]]:
    stub = RateStub()
    with serving(StubArena(Settings()), [], outer=[Middleware(RateStubRoutes, stub=stub)]) as page:
        yield address_of(page), stub


@pytest.fixture
def rating(browser: Browser, site: tuple[str, RateStub]) -> Iterator[Rating]:
    url, stub = site
    stub.reset(live="write")
    with visiting(browser, url, reduced_motion="reduce") as visitor:
        visitor.page.goto(f"{url}/rate?study=helpful&key=k")
        form_is_shown(visitor.page)
        yield Rating(visitor, stub)


def form_is_shown(page: Page) -> None:
    expect(page.locator("#rate[data-state=writing]")).to_be_visible()


def write(page: Page, words: str) -> None:
    page.locator(FIELD).fill(words)
    page.locator(FIELD).press("Enter")


def test_study_that_fills_up_meanwhile_gives_the_code(rating: Rating) -> None:
    stub, page = rating.stub, rating.page
    stub.write_answer, stub.live, stub.count, stub.code = (400, {"error": FULL}), "", 0, "CDONE"
    write(page, "Name a sea.")
    expect(page.locator("#rate[data-state=ended]")).to_contain_text("CDONE")


def test_refused_instruction_stays_in_the_form_with_the_reason(rating: Rating) -> None:
    rating.stub.write_answer = (400, {"error": "instruction is too long"})
    with rating.page.expect_response("**/rate/next"):
        write(rating.page, "Name a sea.")
    expect(rating.page.locator(NOTE)).to_have_text("instruction is too long")
    expect(rating.page.locator(FIELD)).to_have_value("Name a sea.")
    expect(rating.page.locator(FIELD)).to_be_editable()
    rating.stub.write_answer = (200, {"accepted": True})
    rating.stub.live = "wait"
    rating.page.locator(FIELD).press("Enter")
    expect(rating.page.locator("#rate[data-state=loading]")).to_be_visible()
    assert rating.stub.written == ["Name a sea."] * 2


def test_refused_instruction_is_there_after_the_one_of_another_tab(rating: Rating) -> None:
    stub, page = rating.stub, rating.page
    stub.write_answer, stub.live = (400, {"error": "Judge the answers to your last instruction first."}), "wait"
    write(page, "Name a sea.")
    expect(page.locator("#rate[data-state=loading]")).to_be_visible()
    stub.live, stub.count = "", 1
    rating.rates()
    stub.live = "write"
    page.keyboard.press("a")
    form_is_shown(page)
    expect(page.locator(FIELD)).to_have_value("Name a sea.")


def test_judged_instruction_is_not_offered_again_after_a_reload(rating: Rating) -> None:
    stub, page = rating.stub, rating.page
    stub.live = "wait"
    with page.expect_response("**/rate/write"):
        write(page, "Name a sea.")
    expect(page.locator("#rate[data-state=loading]")).to_be_visible()
    stub.live, stub.count = "", 1
    page.reload()  # the first reply is the battle
    rating.rates()
    stub.live = "write"
    page.keyboard.press("a")
    form_is_shown(page)
    expect(page.locator(FIELD)).to_have_value("")


def test_instruction_without_answers_is_offered_again_after_a_reload(rating: Rating) -> None:
    stub, page = rating.stub, rating.page
    stub.live = "wait"
    write(page, "Name a sea.")
    expect(page.locator("#rate[data-state=loading]")).to_be_visible()
    stub.live, stub.why_no_battle = "write", "A model gave no answer."
    page.reload()
    form_is_shown(page)
    expect(page.locator(NOTE)).to_have_text("A model gave no answer.")
    expect(page.locator(FIELD)).to_have_value("Name a sea.")


def test_limit_is_said_in_the_words_of_the_server(rating: Rating) -> None:
    stub, page = rating.stub, rating.page
    said = "Too many comparisons: each visitor may start 20 a minute. Try again in 3 s."
    stub.write_answer = (429, {"error": said})
    write(page, "Name a sea.")
    expect(page.locator(NOTE)).to_have_text(said)
    stub.write_answer, stub.live = (200, {"accepted": True}), "wait"
    expect(page.locator("#rate[data-state=loading]")).to_be_visible()
    assert set(stub.written) == {"Name a sea."}
