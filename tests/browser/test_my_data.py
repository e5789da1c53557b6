"""My data in Chromium over the real program: list, file, receipt, erasure."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from playground.rater_ids import new_secret, rater_id
from tests.conftest import LiveApp
from tests.support.browsing import PHONE, Visitor, visiting

pytestmark = pytest.mark.browser

LOADING_S = 120
MARMOTS = "Where do marmots sleep? <b>Bold</b> ${1+1}"


@pytest.fixture
def secret() -> str:
    return new_secret()


@pytest.fixture
def visitor(browser: Browser, live_app: LiveApp, secret: str) -> Iterator[Visitor]:
    with visiting(browser, live_app.url, secret=secret) as visitor:
        yield visitor.open()


def at_my_data(visitor: Visitor) -> Visitor:
    visitor.page.goto(f"{visitor.url}/yours")
    expect(visitor.page.locator("#my-data-lead h1")).to_be_visible()
    return visitor


def judged(visitor: Visitor, instruction: str = MARMOTS) -> str:
    """Make a revealed battle; return its id."""
    visitor.compare(instruction).reaches("open", LOADING_S).press("b").reaches("voted").press("r").reaches("revealed")
    return visitor.battle_id


def test_stored_battles_are_listed_and_erased(visitor: Visitor, live_app: LiveApp) -> None:
    battle_id = judged(visitor)
    page = at_my_data(visitor).page
    expect(page.locator("#my-data-lead")).to_contain_text("Stored for this browser: 1 battle, 1 vote")
    expect(page.locator(".own a")).to_have_text(MARMOTS)
    page.locator("#my-data-erase").click()
    expect(page.locator("#my-data-question")).to_contain_text("This erases the instructions and answers of 1 battle")
    page.locator("#my-data-keep").click()
    expect(page.locator("#my-data-confirm")).to_be_hidden()
    page.locator("#my-data-erase").click()
    page.locator("#my-data-erase-now").click()
    expect(page.locator("#my-data-words")).to_contain_text("Erased: the texts of 1 battle")
    expect(page.locator("#my-data-lead")).to_contain_text("No texts are left of 1 erased battle, only votes.")
    page.locator(".own a").click()
    visitor.reaches("revealed")
    assert visitor.battle_id == battle_id
    expect(page.locator("#status")).to_have_text("The texts of this battle were erased by its rater.")
    expect(page.locator("#foot-a")).to_contain_text("Erased by its rater.")
    expect(page.locator("#comment")).to_be_hidden()
    expect(page.locator("#column-a .who b")).to_be_visible()
    deadline = time.monotonic() + 60
    while left := [p for p in live_app.db.parent.rglob("*") if p.is_file() and b"marmots" in p.read_bytes()]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def test_receipt_works_in_another_browser_and_is_in_no_address_and_no_log(
    browser: Browser, live_app: LiveApp, visitor: Visitor, secret: str
) -> None:
    judged(visitor)
    addresses: list[str] = []
    page = at_my_data(visitor).page
    page.on("request", lambda request: addresses.append(request.url))
    assert secret not in page.content()
    page.locator("#my-data-receipt-show").click()
    own = page.locator("#my-data-receipt-own").locator("input, textarea")
    expect(own).to_have_value(secret)
    with visiting(browser, live_app.url, secret=new_secret()) as other:
        other.page.on("request", lambda request: addresses.append(request.url))
        page = at_my_data(other).page
        expect(page.locator("#my-data-lead")).to_contain_text("Nothing is stored for this browser.")
        page.locator("#my-data-receipt-other").locator("input, textarea").fill(secret)
        page.locator("#my-data-open").click()
        expect(page.locator("#my-data-lead")).to_contain_text("Stored for that receipt: 1 battle, 1 vote")
        page.locator("#my-data-erase").click()
        page.locator("#my-data-erase-now").click()
        expect(page.locator("#my-data-words")).to_contain_text("Erased: the texts of 1 battle")
    assert addresses
    assert not [address for address in addresses if secret in address]
    assert secret not in live_app.log.read_text()
    for path in live_app.db.parent.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()


def test_data_can_be_saved_as_a_file(visitor: Visitor, secret: str) -> None:
    battle_id = judged(visitor)
    page = at_my_data(visitor).page
    expect(page.locator(".own a")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#my-data-save").click()
    document = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert document["rater_id"] == rater_id(secret)
    assert [battle["battle_id"] for battle in document["battles"]] == [battle_id]
    assert document["battles"][0]["instruction"] == MARMOTS


def test_terms_are_linked_beside_the_button(visitor: Visitor) -> None:
    page = visitor.page
    visitor.type("Half a thought")
    expect(page.locator("#agree")).to_have_text(
        "By comparing you agree to the terms: instruction, answers and vote are stored and may be published."
    )
    with page.context.expect_page() as opened:
        page.locator("#agree a").click()
    expect(opened.value.locator("#terms")).to_contain_text("Stored with each comparison")
    expect(opened.value.locator("#terms-lead h1")).to_have_text("Terms")
    assert page.locator("#instruction textarea").input_value() == "Half a thought"
    page.locator("#forget input").check()
    expect(page.locator("#agree")).to_be_hidden()


@pytest.mark.parametrize(("path", "page"), [("/yours", "my-data"), ("/terms", "terms"), ("/about", "about")])
def test_pages_fit_a_phone(browser: Browser, live_app: LiveApp, path: str, page: str) -> None:
    with visiting(browser, live_app.url, PHONE) as visitor:
        visitor.page.goto(f"{live_app.url}{path}")
        expect(visitor.page.locator(f"#{page}-lead h1")).to_be_visible()
        expect(visitor.page.locator("#foot a")).to_have_count(3)
        assert not visitor.scrolls_sideways
