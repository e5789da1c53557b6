"""Every word on the pages comes from `playground.ui.texts`, so that it can be translated.

The pages are served in a made-up language; any plain Latin word left on them was missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, expect

from playground.catalog.catalog import Catalog
from playground.exchange.exports import FORMATS
from playground.settings import Settings
from playground.ui.texts.data import CONTAINERS
from tests.conftest import without_models
from tests.support.browsing import Visitor, visiting
from tests.support.pseudo import TAG, pseudo_language
from tests.support.serving import address_of, playground, serving
from tests.support.stub_arena import NAMES, StubArena

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ELSEWHERE = (
    "script, style, pre, code",
    ".answer .md, .raw textarea, .compared p, #folded p",  # what models and visitors wrote
    "#instruction, #starter-samples, #starter-category, #leaderboard-category option",  # starters, and their categories
    ".model .says, .model .facts, .model details, .card",  # cards, which are data
    "#terms",  # one language is agreed to
)
"""Places on the pages whose words are data."""
SEEN = """(elsewhere) => {
    const said = [];
    const shown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(elsewhere);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode())
        if (shown(node.parentElement)) said.push(node.data);
    for (const element of document.querySelectorAll("body *:not(input[type=checkbox], input[type=radio])"))
        for (const name of ["aria-label", "title", "placeholder", "alt"])
            if (shown(element) && element.getAttribute(name)) said.push(element.getAttribute(name));
    return [document.title, ...said];
}"""
SHORT = {name.replace("-", " ").split(" ", 1)[-1] for name in NAMES}
KNOWN = {card.name for card in Catalog.load().cards.values()}
KEPT = {*FORMATS, *CONTAINERS.values(), *NAMES, *SHORT, *(name.replace(" ", "-") for name in SHORT), *KNOWN}
KEPT |= {"PNG", "far", "Ctrl ↵", "the model's server cannot be reached; the playground keeps trying"}
DATA = re.compile("|".join(re.escape(name) for name in sorted(KEPT, key=len, reverse=True)))
"""Names of formats, containers, models and keys."""
LICENSES = re.compile(r"\b(Apache-2\.0|CC[ -]BY(-NC)?(-SA)?)\b")
WORD = re.compile(r"(?<![\w/.:-])[A-Za-z]{2,}(?![\w/])")


@dataclass(frozen=True)
class Pseudo:
    """The pages with the made-up language, over a real arena and over a stub."""

    url: str
    stub_url: str


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pseudo]:
    folder = tmp_path_factory.mktemp("pseudo")
    _, cards, _, models = without_models(folder)
    real = Settings(db=folder / "playground.db", cards=cards, models=models, data="public")
    stub = StubArena(Settings(compares_per_minute=0, views_per_minute=0), chars_per_s=4000.0, loading_s=0.0)
    with playground(real, [pseudo_language()]) as page, serving(stub, [pseudo_language()]) as stub_page:
        yield Pseudo(page.url, address_of(stub_page))


def left(visitor: Visitor) -> set[str]:
    """Return what is seen on the page with plain Latin words, but for what is data."""
    seen = visitor.page.evaluate(SEEN, ", ".join(ELSEWHERE))
    return {text.strip() for text in seen if WORD.search(LICENSES.sub("", DATA.sub("", text)))}


@pytest.mark.parametrize("path", ["/", "/leaderboard", "/models", "/data", "/yours", "/terms", "/about"])
def test_no_word_is_left(browser: Browser, pseudo: Pseudo, path: str) -> None:
    with visiting(browser, pseudo.url, locale=TAG) as visitor:
        visitor.page.goto(pseudo.url + path)
        visitor.page.wait_for_selector("#foot nav")
        visitor.page.wait_for_timeout(1000)
        assert left(visitor) == set()


def test_no_word_is_left_in_any_state_of_a_battle(browser: Browser, pseudo: Pseudo) -> None:
    with visiting(browser, pseudo.stub_url, locale=TAG) as visitor:
        visitor.open().compare("Á", mode="open")
        said = left(visitor)
        visitor.reaches("open")
        said |= left(visitor)
        for key, phase in {"a": "voted", "r": "revealed"}.items():
            visitor.press(key).reaches(phase)
            said |= left(visitor)
        assert said == set()


@pytest.mark.parametrize("path", ["/?battle=ééé", f"/?battle={'0' * 32}"])
def test_no_word_is_left_of_a_battle_that_nobody_has(browser: Browser, pseudo: Pseudo, path: str) -> None:
    with visiting(browser, pseudo.stub_url, locale=TAG) as visitor:
        visitor.open(path)
        expect(visitor.page.locator("#status.error")).to_be_visible()
        assert left(visitor) == set()


def test_no_word_is_left_of_a_full_leaderboard(browser: Browser, pseudo: Pseudo) -> None:
    with visiting(browser, pseudo.stub_url, locale=TAG) as visitor:
        visitor.open("/leaderboard")
        visitor.page.wait_for_selector(".box-trust p")
        assert left(visitor) == set()


def test_page_is_served_in_the_language_of_the_browser(browser: Browser, pseudo: Pseudo) -> None:
    for locale, tag in ((TAG, TAG), ("de-DE", "en")):
        with visiting(browser, pseudo.url, locale=locale) as visitor:
            for _ in range(2):  # the second time scripts come from the cache, in another order
                expect(visitor.open().page.locator("html")).to_have_attribute("lang", tag)
            assert visitor.page.locator("html").get_attribute("dir") == "ltr"
            assert (visitor.page.locator("#compare").inner_text() == "Compare") is (tag == "en")
