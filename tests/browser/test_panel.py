"""A rater whom a panel sends, in a browser: from the panel's link through the battles to its code and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.studies.panel import Redirect
from tests.browser.test_rate import HOLD_MS
from tests.conftest import LiveApp, start_app, stop_app, without_models
from tests.support.browsing import PHONE, violations, visiting
from tests.support.cast import house
from tests.support.panel_server import PanelServer, paneling
from tests.support.paneling import PROLIFIC, RATER, SESSION, ids, paneled

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHARE = 2


@dataclass(frozen=True)
class Place:
    """A running playground, and the panel to which raters go back."""

    app: LiveApp
    panel: PanelServer

    @property
    def link(self) -> str:
        named = "&".join(f"{name}={value}" for name, value in ids().items())
        return f"{self.app.url}/rate?study=helpful&{named}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("panel")
    with paneling() as panel:
        home = house(folder)
        back = Redirect(complete=f"{panel.url}/complete?cc={{code}}")
        paneled(home, SHARE + 2, replace(PROLIFIC, redirect=back), votes_per_rater=SHARE)
        home.store.close()
        app = start_app(folder, *without_models(folder))
        yield Place(app, panel)
        stop_app(app)


def judge(page: Page) -> None:
    """Judge the battle on the screen, and wait for what follows."""
    expect(page.locator("#rate[data-state=rating]")).to_be_visible()
    task = page.locator("#rate-instruction .md").inner_text()
    page.wait_for_timeout(HOLD_MS)
    page.keyboard.press("a")
    page.wait_for_function(
        "task => document.querySelector('#rate').dataset.state === 'ended' || "
        "(document.querySelector('#rate').dataset.state === 'rating' && "
        "document.querySelector('#rate-instruction .md').innerText !== task)",
        arg=task,
    )


def test_rater_of_a_panel_goes_back_with_the_code(browser: Browser, place: Place) -> None:
    with visiting(browser, place.app.url) as rater:
        page = rater.page
        page.goto(place.link)
        for number in range(SHARE):
            expect(page.locator("#rate-progress")).to_contain_text(f"{number} of {SHARE}")
            judge(page)
        assert page.url == f"{place.app.url}/rate?study=helpful"
        assert not any(text in page.content() for text in (RATER, SESSION))
        expect(page.locator("#rate-end h2")).to_have_text("The study is over for you")
        expect(page.locator("#rate-end")).to_contain_text("You have rated your share of this study. Thank you.")
        expect(page.locator("#rate-leave")).to_contain_text("Your code for the panel: CDONE")
        expect(page.locator("#rate-again")).to_be_hidden()
        expect(page.locator("#undo-last")).to_be_hidden()
        assert violations(page) == []
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        assert not rater.scrolls_sideways
        assert violations(page) == []
        page.reload()
        expect(page.locator("#rate-leave code")).to_have_text("CDONE")
        page.get_by_role("link", name="Back to the panel").click()
        expect(page.locator("body")).to_have_text("Welcome back.")
        assert place.panel.codes == ["CDONE"]
    with visiting(browser, place.app.url) as again:
        again.page.goto(place.link)
        expect(again.page.locator("#rate-leave code")).to_have_text("CDONE")
        expect(again.page.locator("#answer-a")).to_be_hidden()
        again.page.goto(place.link.replace(RATER, "nobody"))
        expect(again.page.locator("main")).to_contain_text("PROLIFIC_PID in this link does not have the form of an id")
