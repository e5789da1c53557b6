"""The question which model an answer was, between a vote and its reveal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import LOADING_S, MODELS
from tests.conftest import LiveApp, start_app, stop_app
from tests.support.browsing import DESKTOP, PHONE, Visitor, violations, visiting

pytestmark = pytest.mark.browser

QUESTION = "#question .question"
CHOICES = ("pocket-galpaca", "pocket-minotaur")


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApp]:
    """A playground that asks about every battle."""
    app = start_app(tmp_path_factory.mktemp("asking"), MODELS, PLAYGROUND_GUESS_SHARE="1")
    yield app
    stop_app(app)


def guess(app: LiveApp, battle_id: str) -> list[Any]:
    """Return what is stored of the guess on a battle: named."""
    with closing(sqlite3.connect(f"{Path(app.db).absolute().as_uri()}?mode=ro", uri=True)) as connection:
        statement = "SELECT named FROM guesses WHERE battle_id = ?"
        return [named for (named,) in connection.execute(statement, (battle_id,))]


def voted(visitor: Visitor) -> str:
    """Vote by key, and return the battle's id once the question is there."""
    visitor.reaches("open", LOADING_S).press("a").reaches("voted")
    expect(visitor.page.locator(QUESTION)).to_be_visible()
    return visitor.battle_id


def test_question_is_answered_or_passed_by_keyboard(browser: Browser, asking: LiveApp) -> None:
    with visiting(browser, asking.url) as visitor:
        page = visitor.open().page
        battle = voted(visitor.compare())
        expect(page.locator(f"{QUESTION} b")).to_contain_text("Which model was")
        expect(page.locator(f"{QUESTION} [data-guess]")).to_have_count(2)
        visitor.press("3").press("0")  # no choice has this number
        assert guess(asking, battle) == [None]
        visitor.press("2").reaches("revealed")
        assert guess(asking, battle) == [CHOICES[1]]
        expect(page.locator(QUESTION)).to_have_count(0)

        visitor.press("Enter").reaches("compose")
        skipped = voted(visitor.compare("What is a glacier?"))
        visitor.press("r").reaches("revealed")
        assert guess(asking, skipped) == [None]

        visitor.press("Enter").reaches("compose")
        passed = voted(visitor.compare("What is rust?"))
        visitor.press("u").reaches("open")  # undone, and asked again
        assert voted(visitor) == passed
        visitor.press("Enter").reaches("compose")
        assert guess(asking, passed) == [None]


def test_question_is_one_row_of_the_bar_and_can_be_clicked(browser: Browser, asking: LiveApp) -> None:
    with visiting(browser, asking.url) as visitor:
        page = visitor.open().page
        battle = voted(visitor.compare())
        assert violations(page) == []
        page.locator("#question .unknown").click()
        visitor.reaches("revealed")
        assert guess(asking, battle) == [None]

        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.locator("#next-battle").click()
        battle = voted(visitor.reaches("compose").compare("What is a glacier?"))
        assert not visitor.scrolls_sideways
        assert page.locator(QUESTION).bounding_box()["height"] < 60  # type: ignore[index]
        page.locator("[data-guess='1']").click()
        visitor.reaches("revealed")
        assert guess(asking, battle) == [CHOICES[0]]
        page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
