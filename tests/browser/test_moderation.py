"""The operator reviews reports in Chromium; the battle's rater and a guest see that it is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from playground.records import Instruction
from tests.conftest import OPERATOR_TOKEN, LiveApp, start_app, stop_app, without_models
from tests.support.browsing import DESKTOP, PHONE, RATER, SECRET, Visitor, violations, visiting
from tests.support.cast import House, house

pytestmark = pytest.mark.browser

REPORTED, OTHER = "a" * 32, "b" * 32
ASKED = "Tell me of Zanzibar."
ANSWER = "Ships full of nutmeg sail at dawn. " * 40


def fill(home: House) -> None:
    """Store two judged battles of this browser's rater, one of them reported twice."""
    for battle_id in (REPORTED, OTHER):
        asked = Instruction(ASKED, "A list of spices.", "You are a sailor.")
        ends = {"a": {"text": ANSWER}, "b": {"text": "العربية: سفن مليئة بجوزة الطيب"}}
        home.battle_is_open(battle_id, owner=RATER, instruction=asked, ends=ends)
        home.battles.vote(battle_id, "a", RATER, final=True, comment="I know Zanzibar.")
        home.time.pass_s(60)
    home.battles.note(REPORTED, RATER, report_side="a", report="It names a person: <b>Ada</b>, in Zanzibar.")
    home.time.pass_s(60)
    home.battles.note(REPORTED, RATER, report_side="b", report="Not true.")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    folder: Path = tmp_path_factory.mktemp("moderation")
    home = house(folder)
    fill(home)
    home.store.close()
    app = start_app(folder, *without_models(folder), PLAYGROUND_CONTACT="Ada Lovelace, ada@example.org")
    yield app
    stop_app(app)


def sign_in(visitor: Visitor, url: str) -> None:
    """Become the operator and open the page by its link in the header."""
    visitor.page.goto(f"{url}/operator?token={OPERATOR_TOKEN}")
    visitor.page.locator("#operator-link a[href$=operator]").click()
    expect(visitor.page.locator("#operator-lead h1")).to_have_text("Operator")
    expect(visitor.page.locator("#operator-link").get_by_role("link", name="Data")).to_be_visible()
    expect(visitor.page.locator("#operator-facts dd")).to_have_count(5)


def reset(visitor: Visitor) -> None:
    """Show the battle again and wait until nothing is hidden."""
    visitor.page.get_by_label("Look up a battle").fill(REPORTED)
    visitor.page.get_by_role("button", name="Look up").click()
    visitor.page.locator(f"#operator-list [data-do=show][data-battle='{REPORTED}']").first.click()
    expect(visitor.page.locator("#operator-list")).to_contain_text("No battle is hidden.")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["wide", "phone"])
def test_page_is_accessible_and_fits(browser: Browser, app: LiveApp, viewport: dict[str, int]) -> None:
    with visiting(browser, app.url, viewport, SECRET, reduced_motion="reduce") as visitor:
        sign_in(visitor, app.url)
        visitor.page.get_by_label("Look up a battle").fill(f"{app.url}/?battle={REPORTED}")
        visitor.page.keyboard.press("Enter")
        expect(visitor.page.locator("#operator-list")).to_contain_text("The battle you looked up")
        for summary in visitor.page.locator("#operator-list summary").all():
            summary.click()
        folds = visitor.page.locator("#operator-list details[open]")
        assert not visitor.scrolls_sideways
        assert violations(visitor.page) == []
        visitor.page.locator(f"[data-do=hide][data-battle='{REPORTED}']").first.click()
        expect(visitor.page.locator("#operator-words")).to_contain_text("Hidden: nobody but you")
        expect(folds.first).to_be_visible()  # what the operator was reading, drawn again
        assert violations(visitor.page) == []
        visitor.page.goto(f"{app.url}/?battle={REPORTED}")
        expect(visitor.page.locator("#status")).to_contain_text("The operator has hidden the texts of this battle.")
        assert violations(visitor.page) == []
        visitor.page.goto(f"{app.url}/operator")
        reset(visitor)
        assert visitor.hosts == {app.url.removeprefix("http://")}


def test_operator_decides_by_keyboard_and_keeps_the_place(browser: Browser, app: LiveApp) -> None:
    with visiting(browser, app.url) as visitor:
        sign_in(visitor, app.url)
        visitor.page.get_by_label("Look up a battle").fill(OTHER)
        visitor.page.keyboard.press("Tab")
        visitor.page.keyboard.press("Enter")
        expect(visitor.page.locator(f"[data-do=hide][data-battle='{OTHER}']")).to_be_visible()
        for words, left in (("Hidden: nobody", "show"), ("Shown again", "hide")):
            visitor.page.locator(f"[data-battle='{OTHER}'] [data-do]").first.focus()
            visitor.page.keyboard.press("Enter")
            expect(visitor.page.locator("#operator-words")).to_contain_text(words)
            expect(visitor.page.locator(f"[data-battle='{OTHER}'] [data-do={left}]").first).to_be_visible()
            expect(visitor.page.locator("#operator-list [data-do]:focus")).to_have_count(1)


def test_hidden_words_are_nowhere_and_come_back(browser: Browser, app: LiveApp) -> None:
    with (
        visiting(browser, app.url) as operator,
        visiting(browser, app.url, secret=SECRET) as rater,
        visiting(browser, app.url) as guest,
    ):
        sign_in(operator, app.url)
        guest.open(f"/?battle={REPORTED}").reaches("shared")
        expect(guest.column("a")).to_contain_text("nutmeg")
        operator.page.get_by_label("Look up a battle").fill(REPORTED)
        operator.page.get_by_role("button", name="Look up").click()
        operator.page.locator(f"[data-do=hide][data-battle='{REPORTED}']").first.click()
        expect(operator.page.locator("#operator-words")).to_contain_text("Hidden: nobody but you")
        expect(operator.page.locator("#operator-link a[href$=operator]")).to_have_text("Operator")
        for visitor in (rater, guest):
            visitor.open(f"/?battle={REPORTED}").reaches("revealed")
            expect(visitor.column("a")).to_contain_text("Hidden by the operator.")
            content = visitor.page.content()
            assert not [word for word in ("Zanzibar", "nutmeg", "spices", "sailor") if word in content]
            assert visitor.page.locator("#instruction textarea").input_value() == ""
            expect(visitor.page.locator("#folded p")).to_have_text("The instruction is hidden by the operator.")
        rater.page.goto(f"{app.url}/yours")
        expect(rater.page.locator("#my-data-list")).to_contain_text("hidden by the operator")
        assert rater.page.content().count(ASKED) == 1, "the other battle"
        assert guest.page.locator("#operator-link a[href$=operator]").count() == 0
        reset(operator)
        guest.open(f"/?battle={REPORTED}").reaches("shared")
        expect(guest.column("a")).to_contain_text("nutmeg")


def test_terms_name_who_runs_the_playground(browser: Browser, app: LiveApp) -> None:
    with visiting(browser, app.url) as visitor:
        visitor.page.goto(f"{app.url}/terms")
        expect(visitor.page.locator("#terms-contact")).to_have_text(
            "This playground is run by: Ada Lovelace, ada@example.org"
        )
        assert violations(visitor.page) == []
