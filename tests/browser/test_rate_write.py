"""A rater of a live study in a browser: writes an instruction, pocket models answer it, and the rater judges."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.arena.test_live_answers import FILE, add_study
from tests.browser.test_rate import HOLD_MS
from tests.conftest import LiveApp, start_app, stop_app
from tests.support.browsing import DESKTOP, PHONE, violations, visiting

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MODELS = ("pocket-orca-mini", "pocket-galpaca")
FORM, FIELD = "#rate[data-state=writing] #rate-write", "#rate-words-of-rater"
LOADED_MS = 240_000
"""Both models are loaded for the first instruction."""
PICTURES = os.environ.get("PICTURES", "")


@dataclass(frozen=True)
class Place:
    """A running playground with a live study for each width of the window."""

    app: LiveApp
    tokens: dict[str, str]

    def link(self, study: str) -> str:
        return f"/rate?study={study}&key={self.tokens[study]}"

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{self.app.db.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("write")
    files = [replace(FILE, id=id, models=MODELS, votes=2) for id in ("desktop", "phone")]
    tokens = {file.id: add_study(folder / "playground.db", file) for file in files}
    app = start_app(folder, "--models", ",".join(MODELS))
    yield Place(app, tokens)
    stop_app(app)


def picture(page: Page, name: str) -> None:
    """Keep a picture for whoever asks for some."""
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png")


def judge(page: Page) -> None:
    expect(page.locator("#rate[data-state=rating]")).to_be_visible()
    page.wait_for_timeout(HOLD_MS)
    page.keyboard.press("a")


def is_wider_than_the_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize(("study", "viewport"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_rater_writes_and_judges(place: Place, browser: Browser, study: str, viewport: dict[str, int]) -> None:
    with visiting(browser, place.app.url, viewport=viewport) as visitor:
        page = visitor.page
        page.goto(place.app.url + place.link(study))
        expect(page.locator(FORM)).to_be_visible()
        expect(page.locator("#votebar")).to_be_hidden()
        expect(page.locator("#rate-write").get_by_role("link", name="terms")).to_be_visible()
        picture(page, f"{study}-form")
        assert violations(page) == []
        assert not is_wider_than_the_window(page)
        page.get_by_label("Your instruction").fill("   ")
        page.get_by_role("button", name="Ask two models").click()
        expect(page.locator("#rate-write-said")).to_have_text(
            "The instruction is empty; write what the models should do."
        )
        page.locator(FIELD).fill("Name the capital of France.")
        page.reload()  # what was typed is there again
        expect(page.locator(FIELD)).to_have_value("Name the capital of France.")
        page.locator(FIELD).press("Enter")
        expect(page.locator("#rate[data-state=rating]")).to_be_visible(timeout=LOADED_MS)
        expect(page.locator("#rate-instruction .md")).to_have_text("Name the capital of France.")
        picture(page, f"{study}-battle")
        judge(page)
        expect(page.locator(FORM)).to_be_visible()
        expect(page.locator(FIELD)).to_be_focused()
        expect(page.locator(FIELD)).to_have_value("")
        expect(page.locator("#rate-progress")).to_contain_text("1 of 2")
        picture(page, f"{study}-again")
        page.get_by_role("button", name="Undo the last vote").click()
        expect(page.locator("#rate[data-state=rating]")).to_be_visible()
        judge(page)
        expect(page.locator(FORM)).to_be_visible()
        page.locator(FIELD).fill("Write a list\nof three fruits.")
        page.locator(FIELD).press("Enter")
        expect(page.locator(FORM)).to_be_hidden()
        page.reload()  # while they are written, or after
        judge(page)
        expect(page.locator("#rate-end h2")).to_have_text("That was all for now. Thank you!")
        assert visitor.complaints == []
    votes = place.rows(
        f"SELECT i.instruction FROM votes v JOIN battles b ON b.id = v.battle_id"
        f" JOIN instructions i ON i.id = b.instruction_id WHERE b.study = '{study}' AND v.choice = 'a'"
        " AND b.state IN ('voted', 'revealed') GROUP BY b.id ORDER BY b.rowid"
    )
    assert votes == [("Name the capital of France.",), ("Write a list\nof three fruits.",)]
