"""Rating over the real program: a study by its links, and stored battles of others for everybody."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.records import Instruction
from tests.browser.test_rate import HOLD_MS
from tests.conftest import LiveApp, start_app, stop_app, without_models
from tests.support.browsing import PHONE, visiting
from tests.support.cast import House, house
from tests.support.patience import wait_until
from tests.support.studying import Studied, studied

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ITEMS, OVERLAPPING, OFFERED = 6, 3, 3
ENDED = "#rate:is([data-state=done], [data-state=empty])"
OWNER = "e" * 32


@dataclass(frozen=True)
class Place:
    """A running playground with a study of six battles, half of them for two raters, and battles that are offered."""

    app: LiveApp
    study: Studied

    def link(self, number: int) -> str:
        return f"/rate?study={self.study.file.id}&key={self.study.tokens[number - 1]}"

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{self.app.db.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(statement).fetchall()


def offer(home: House, number: int) -> None:
    """Store a judged battle whose owner agreed to the terms under which others may judge it."""
    battle_id = f"{number:032x}"
    texts = {"a": {"text": f"First {number}."}, "b": {"text": f"Second {number}."}}
    made = home.battle_is_open(battle_id, owner=OWNER, instruction=Instruction(f"Offered {number}?"), ends=texts)
    home.store.write(lambda writing: writing.agree(OWNER, "2026-12-01", made.created_at))
    home.time.pass_s(10)
    home.battles.vote(battle_id, "a", OWNER)
    home.battles.reveal(battle_id, OWNER)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("rate")
    home = house(folder)
    study = studied(home, ITEMS, links=3, overlap=OVERLAPPING / ITEMS, strength=True)
    for number in range(1, OFFERED + 1):
        offer(home, number)
    home.store.close()
    app = start_app(folder, *without_models(folder))
    yield Place(app, study)
    stop_app(app)


def judge_all(page: Page, keys: str) -> int:
    """Press keys in turn until the page has no further battle; return the number of presses."""
    pressed = 0
    while True:
        expect(page.locator(f"#rate[data-state=rating], {ENDED}")).to_be_visible()
        if page.locator(ENDED).count():
            return pressed
        task = page.locator("#rate-instruction .md").inner_text() + page.locator("#answer-a").inner_text()
        page.wait_for_timeout(HOLD_MS)
        page.keyboard.press(keys[pressed % len(keys)])
        page.wait_for_function(
            "task => document.querySelector('#rate').dataset.state !== 'rating' || "
            "document.querySelector('#rate-instruction .md').innerText + "
            "document.querySelector('#answer-a').innerText !== task",
            arg=task,
        )
        pressed += 1


def test_raters_of_a_study_give_each_battle_its_wanted_number(browser: Browser, place: Place) -> None:
    pressed = 0
    for link, viewport in ((1, None), (2, PHONE), (3, None)):
        with visiting(browser, place.app.url, viewport) as rater:
            rater.page.goto(place.app.url + place.link(link))
            pressed += judge_all(rater.page, "ab")
            assert "key" not in rater.page.url
            assert rater.hosts == {place.app.url.removeprefix("http://")}
    votes = "SELECT count(*) FROM votes v JOIN battles b ON b.id = v.battle_id WHERE b.study = 'helpful'"
    wait_until(lambda: place.rows(votes) == [(pressed,)])
    by_item = place.rows(
        "SELECT count(*), count(DISTINCT b.owner) FROM assignments s JOIN votes v ON v.battle_id = s.battle "
        "JOIN battles b ON b.id = s.battle GROUP BY s.item ORDER BY 1"
    )
    assert by_item == [(1, 1)] * (ITEMS - OVERLAPPING) + [(2, 2)] * OVERLAPPING
    assert place.rows("SELECT DISTINCT strength FROM votes WHERE strength IS NOT NULL") == [(1.0,)]


def test_everybody_rates_battles_of_others_and_takes_a_vote_back(browser: Browser, place: Place) -> None:
    with visiting(browser, place.app.url) as rater:
        rater.page.goto(f"{place.app.url}/rate")
        expect(rater.page.locator("#rate-instruction .md")).to_contain_text("Offered")
        first = rater.page.locator("#rate-instruction .md").inner_text()
        rater.page.wait_for_timeout(HOLD_MS)
        rater.page.keyboard.press("t")
        expect(rater.page.locator("#rate-instruction .md")).not_to_have_text(first)
        rater.page.wait_for_timeout(HOLD_MS)
        rater.page.keyboard.press("u")
        expect(rater.page.locator("#rate-instruction .md")).to_have_text(first)
        assert judge_all(rater.page, "n") == OFFERED
        rated = (
            "SELECT count(*) FROM battles b JOIN votes v ON v.battle_id = b.id WHERE b.rated AND v.choice = 'both_bad'"
        )
        wait_until(lambda: place.rows(rated) == [(OFFERED,)])


def test_stranger_gets_nothing_of_a_study(browser: Browser, place: Place) -> None:
    with visiting(browser, place.app.url) as stranger:
        stranger.page.goto(f"{place.app.url}/rate?study=helpful&key={'0' * 32}")
        expect(stranger.page.locator(ENDED)).to_be_visible()
        expect(stranger.page.locator("#rate")).to_contain_text("link is not valid")
        expect(stranger.page.locator("#answer-a")).to_be_hidden()
