"""The Leaderboard page on screens of several widths."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from playground.settings import Settings
from playground.ui.pages.leaderboard import page as leaderboard
from tests.support.browsing import PHONE, visiting
from tests.support.serving import address_of, serving
from tests.support.stub_arena import StubArena

pytestmark = pytest.mark.browser

WIDTHS = "[...document.querySelectorAll('.scroll')].map((box) => box.scrollWidth - box.clientWidth)"
SHADOWS = "[...document.querySelectorAll('.scroll')].map((box) => getComputedStyle(box).backgroundAttachment)"


def test_tables_fit_a_desktop(browser: Browser, stub_url: str) -> None:
    with visiting(browser, stub_url) as visitor:
        visitor.open("/leaderboard")
        visitor.page.wait_for_selector(".scroll table")
        for width in (1280, 1440, 1920):
            visitor.page.set_viewport_size({"width": width, "height": 900})
            assert visitor.page.evaluate(WIDTHS) == [0, 0, 0, 0], width


def test_tables_of_a_phone_show_that_they_scroll(browser: Browser, stub_url: str) -> None:
    with visiting(browser, stub_url, PHONE) as visitor:
        visitor.open("/leaderboard")
        visitor.page.wait_for_selector(".scroll table")
        assert all(more > 0 for more in visitor.page.evaluate(WIDTHS))
        assert set(visitor.page.evaluate(SHADOWS)) == {"local, local, scroll, scroll"}
        assert not visitor.scrolls_sideways


def test_filters_change_the_address_and_the_address_the_filters(browser: Browser, stub_url: str) -> None:
    with visiting(browser, stub_url) as visitor:
        page = visitor.open("/leaderboard").page
        page.locator("#board-filters summary").click()
        page.locator("#leaderboard-category").select_option("list")
        page.wait_for_url("**/leaderboard?category=list")
        expect(page.locator("#board-filters summary")).to_contain_text("list")
        expect(page.locator("#board h1")).to_contain_text("No votes")
        expect(page.locator("#board-filters details")).to_have_attribute("open", "")
        page.reload()
        expect(page.locator("#leaderboard-category")).to_have_value("list")
        page.go_back()
        expect(page.locator("#leaderboard-category")).to_have_value("")
        expect(page.locator("#board h1")).to_contain_text("leads")


def test_wrong_address_says_what_is_valid(browser: Browser, stub_url: str) -> None:
    with visiting(browser, stub_url) as visitor:
        page = visitor.open("/leaderboard?orgin=person").page
        expect(page.locator("#leaderboard-said")).to_contain_text("'orgin' in the address is not a filter")


def test_open_page_follows_the_votes_and_keeps_the_place(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaderboard, "REFRESH_S", 1)
    arena = StubArena(Settings())
    with serving(arena) as pages, visiting(browser, address_of(pages), PHONE) as visitor:
        page = visitor.open("/leaderboard").page
        page.wait_for_selector("#board table")
        page.locator("#board-filters summary").click()
        page.evaluate("document.querySelector('#board table').id = 'as-drawn'")
        page.evaluate("document.querySelector('#board-table .scroll').scrollLeft = 40")
        with page.expect_response("**/predict**"), page.expect_request("**/predict**"):
            pass  # a look at the votes, which are the same
        page.wait_for_timeout(500)
        assert page.query_selector("#as-drawn")
        arena.num_votes = 240
        page.wait_for_function("!document.querySelector('#as-drawn') && document.querySelector('#board table')")
        assert "240 votes" in page.inner_text("#board")
        page.wait_for_function("document.querySelector('#board-table .scroll').scrollLeft === 40")
        assert page.evaluate("document.querySelector('#board-filters details').open")


def test_card_of_a_model_has_an_address(browser: Browser, stub_url: str) -> None:
    with visiting(browser, stub_url) as visitor:
        page = visitor.open("/leaderboard").page
        page.locator("#board-table tbody a").nth(2).click()
        page.wait_for_url("**/leaderboard?model=pocket-minotaur")
        expect(page.locator("#board-model h3")).to_be_focused()
        expect(page.locator("#board-model tbody tr")).to_have_count(4)


def test_plot_and_board_are_downloaded(browser: Browser, stub_url: str) -> None:
    with visiting(browser, stub_url) as visitor:
        page = visitor.open("/leaderboard").page
        for name, beginning in (("PNG", b"\x89PNG"), ("CSV", b"\xef\xbb\xbfrank_lower,"), ("JSON", b"{")):
            with page.expect_download() as download:
                page.locator("#board .files").get_by_text(name, exact=True).click()
            assert download.value.path().read_bytes().startswith(beginning)
            if name == "PNG":
                assert download.value.path().stat().st_size > 5000  # an empty picture is smaller


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("votes", [0, 60, 480])
def test_axe_finds_nothing_on_boards_of_every_size(browser: Browser, votes: int, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    arena = StubArena(Settings())
    arena.num_votes = votes
    with (
        serving(arena) as pages,
        visiting(browser, address_of(pages), color_scheme=scheme, reduced_motion="reduce") as visitor,
    ):
        page = visitor.open("/leaderboard?model=pocket-minotaur&mode=all").page
        page.evaluate("document.querySelectorAll('#board details').forEach((details) => { details.open = true; })")
        found = Axe().run(page).response["violations"]
    assert [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found] == []
