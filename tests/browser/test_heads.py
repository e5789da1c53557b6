"""Every page, as served and in Chromium: its own title and preview, no other host, a sentence without scripts."""

from __future__ import annotations

import re
import urllib.request
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from playground.ui.site import PAGES
from tests.conftest import StubPage
from tests.support.browsing import violations, visiting

pytestmark = pytest.mark.browser

PATHS = [f"/{page.path}" for page in PAGES if not page.for_operator]


def served(url: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
    """Return status, headers and body of a response."""
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60) as reply:
        return reply.status, dict(reply.headers), reply.read().decode()


@pytest.mark.parametrize("path", PATHS)
def test_served_page_names_no_other_host_and_answers_head(stub: StubPage, path: str) -> None:
    status, headers, page = served(stub.url + path)
    loaded = re.findall(r"""(?:src|href|content|action)=["'](https?://[^"']+)""", page)
    assert {urlsplit(address).netloc for address in loaded} == {urlsplit(stub.url).netloc}
    assert served(stub.url + path, "HEAD")[0] == status == 200
    assert served(stub.url + path, "HEAD")[1]["content-type"] == headers["content-type"]


def test_every_page_has_a_title_and_description_of_its_own(stub: StubPage) -> None:
    pages = [served(stub.url + path)[2] for path in [*PATHS, "/?battle=0123"]]
    for tag in (r"<title>(.+?)</title>", r"property='og:title' content='(.+?)'", r"name='description' content='(.+?)'"):
        found = [re.findall(tag, page) for page in pages]
        assert all(len(words) == 1 for words in found), tag
        assert len({words[0] for words in found}) == len(pages), tag


@pytest.mark.parametrize("path", PATHS)
def test_page_in_the_browser_has_its_title_and_asks_no_other_host(browser: Browser, stub: StubPage, path: str) -> None:
    with visiting(browser, stub.url) as visitor:
        visitor.page.goto(stub.url + path)
        visitor.page.wait_for_selector("#foot nav")
        title = re.search("<title>(.+?)</title>", served(stub.url + path)[2])
        assert title is not None
        expect(visitor.page).to_have_title(title[1])
        assert visitor.hosts == {urlsplit(stub.url).netloc}


def test_page_without_scripts_says_so(browser: Browser, stub: StubPage) -> None:
    with visiting(browser, stub.url, java_script_enabled=False) as visitor:
        visitor.page.goto(stub.url)
        expect(visitor.page.locator("noscript p")).to_contain_text("needs JavaScript")
        expect(visitor.page.locator("noscript p")).to_be_visible()


def test_about_page_is_linked_at_the_foot_and_accessible(browser: Browser, stub: StubPage) -> None:
    with visiting(browser, stub.url) as visitor:
        visitor.open().page.locator("#foot").get_by_role("link", name="About").click()
        expect(visitor.page.locator("#about-page h2")).to_have_count(5)
        expect(visitor.page.locator("#about-page")).to_contain_text(f"{stub.url} (accessed ")
        assert violations(visitor.page) == []
