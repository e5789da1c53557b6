"""The real program with ``--models none``: rating, boards, data and studies over stored answers, and no engine."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Browser, expect

from playground.records import Criterion
from tests.browser.test_rate import HOLD_MS
from tests.browser.test_rate_live import ENDED, OFFERED, judge_all, offer
from tests.conftest import LiveApp, start_app, stop_app
from tests.support.browsing import PHONE, violations, visiting
from tests.support.cast import house
from tests.support.patience import wait_until
from tests.support.processes import family
from tests.support.studying import Studied, studied

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveApp, Studied]]:
    """A running playground without models, with a study and battles that are offered."""
    folder: Path = tmp_path_factory.mktemp("none")
    home = house(folder)
    study = studied(home, 2, links=1, criterion=(Criterion("facts", "Whose facts are right?", ("a", "b", "tie")),))
    for number in range(1, OFFERED + 1):
        offer(home, number)
    home.store.close()
    app = start_app(folder, "--models", "none", PLAYGROUND_DATA="public")
    yield app, study
    stop_app(app)


CHANGED = """task => document.querySelector("#rate").dataset.state !== "rating"
  || document.querySelector("#rate-instruction .md").innerText !== task"""


def answers(app: LiveApp) -> list[tuple[Any, ...]]:
    statement = "SELECT c.criterion, c.choice, v.choice FROM vote_criteria c JOIN votes v ON v.id = c.vote_id"
    with closing(sqlite3.connect(f"{app.db.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(statement).fetchall()


def read(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as reply:
        return json.load(reply)


def test_no_engine_runs(place: tuple[LiveApp, Studied]) -> None:
    app, _ = place
    assert family(app.process.pid) == []
    health = read(f"{app.url}/health")
    assert health["workers"] == []
    client = Client(app.url, verbose=False)
    assert client.predict(api_name="/models") == []
    with pytest.raises(AppError, match="No models run here, so nothing can be compared"):
        client.predict("Hello", api_name="/compare")
    assert client.predict(api_name="/leaderboard")["num_votes"] == OFFERED
    assert family(app.process.pid) == []


def test_compare_leads_to_rate(browser: Browser, place: tuple[LiveApp, Studied]) -> None:
    app, study = place
    with visiting(browser, app.url) as rater:
        page = rater.page
        page.goto(app.url)
        expect(page.locator("#intro")).to_have_text(
            "No models run here, so nothing can be compared. You can rate stored answers instead."
        )
        for id in ("instruction", "compare", "starters", "forget"):
            expect(page.locator(f"#{id}")).to_be_hidden()
        expect(page.locator("#chip")).to_have_text("no models · votes saved")
        assert violations(page) == []
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.get_by_role("link", name="rate stored answers").click()
        assert judge_all(page, "ab") == OFFERED
        page.goto(f"{app.url}/rate?study={study.file.id}&key={study.tokens[0]}")
        for _ in range(2):
            expect(page.locator("#rate[data-state=rating]")).to_be_visible()
            task = page.locator("#rate-instruction .md").inner_text()
            page.wait_for_timeout(HOLD_MS)
            page.keyboard.press("2")
            page.keyboard.press("t")
            page.wait_for_function(CHANGED, arg=task)
        expect(page.locator(ENDED)).to_contain_text("You have rated everything")
        wait_until(lambda: answers(app) == [("facts", "b", "tie")] * 2)


def test_stored_battles_are_shown(browser: Browser, place: tuple[LiveApp, Studied]) -> None:
    app, _ = place
    with visiting(browser, app.url) as reader:
        page = reader.page
        page.goto(f"{app.url}/?battle={1:032x}")
        expect(page.locator("#answer-a")).to_contain_text("First 1.")
        expect(page.locator("#folded")).to_contain_text("Offered 1?")
        for id in ("instruction", "compare", "next"):
            expect(page.locator(f"#{id}")).to_be_hidden()
        for path in ("leaderboard", "models", "data", "yours", "about"):
            page.goto(f"{app.url}/{path}")
            expect(page.locator("h1").first).to_be_visible()
        page.goto(f"{app.url}/leaderboard")
        expect(page.locator("#board table").first).to_contain_text("Pocket OpenAlpaca")
        expect(page.locator("#board")).not_to_contain_text("retired")
