"""The Leaderboard page on screens of several widths."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.support.browsing import PHONE, visiting

pytestmark = pytest.mark.browser

WIDTHS = "[...document.querySelectorAll('.scroll')].map((box) => box.scrollWidth - box.clientWidth)"
SHADOWS = "[...document.querySelectorAll('.scroll')].map((box) => getComputedStyle(box).backgroundAttachment)"


@pytest.mark.parametrize("width", [1280, 1440, 1920])
def test_tables_fit_a_desktop(browser: Browser, stub_url: str, width: int) -> None:
    with visiting(browser, stub_url, {"width": width, "height": 900}) as visitor:
        visitor.open("/leaderboard")
        visitor.page.wait_for_selector(".scroll table")
        assert visitor.page.evaluate(WIDTHS) == [0, 0]


def test_tables_of_a_phone_show_that_they_scroll(browser: Browser, stub_url: str) -> None:
    with visiting(browser, stub_url, PHONE) as visitor:
        visitor.open("/leaderboard")
        visitor.page.wait_for_selector(".scroll table")
        assert all(more > 0 for more in visitor.page.evaluate(WIDTHS))
        assert set(visitor.page.evaluate(SHADOWS)) == {"local, local, scroll, scroll"}
        assert not visitor.scrolls_sideways
