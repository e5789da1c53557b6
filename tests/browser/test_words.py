"""Every word on the pages comes from `playground.ui.texts`, so that it can be translated.

The pages are served in a made-up language; any plain Latin word left on them was missed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from playground.exchange.exports import FORMATS
from tests.support.browsing import Visitor, visiting
from tests.support.paths import ROOT
from tests.support.stub_arena import NAMES

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ELSEWHERE = (
    "script, style, pre, code",
    ".answer .md, .raw textarea, #instruction, #starter-samples, #starter-category",  # models, visitors, starters
    ".chip",  # the arena's line about its models
    "#board h1, #board .lead, #leaderboard-category option",  # the verdict, whose sentences stand in `ratings`
    "#models-list .model",  # cards, which are data
    "#terms",  # one language is agreed to
)
"""Places on the pages whose words come from data or from packages below the pages."""
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
DATA = re.compile("|".join(re.escape(name) for name in sorted({*FORMATS, *NAMES}, key=len, reverse=True)))
"""Names of formats and models."""
LICENSES = re.compile(r"\b(Apache-2\.0|CC[ -]BY(-NC)?(-SA)?)\b")
WORD = re.compile(r"(?<![\w/.:-])[A-Za-z]{2,}(?![\w/])")


@dataclass(frozen=True)
class Pseudo:
    """The pages in the made-up language, over a real arena and over a stub."""

    url: str
    stub_url: str


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pseudo]:
    command = [sys.executable, "-m", "tests.support.pseudo_page", str(tmp_path_factory.mktemp("pseudo"))]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield Pseudo(*process.stdout.readline().split())
    process.terminate()
    process.wait()


def left(visitor: Visitor) -> set[str]:
    """Return what is seen on the page with plain Latin words, but for what is data."""
    seen = visitor.page.evaluate(SEEN, ", ".join(ELSEWHERE))
    return {text.strip() for text in seen if WORD.search(LICENSES.sub("", DATA.sub("", text)))}


@pytest.mark.parametrize("path", ["/", "/leaderboard", "/models", "/data", "/yours", "/terms", "/about"])
def test_no_word_is_left(browser: Browser, pseudo: Pseudo, path: str) -> None:
    with visiting(browser, pseudo.url) as visitor:
        visitor.page.goto(pseudo.url + path)
        visitor.page.wait_for_selector("#foot nav")
        visitor.page.wait_for_timeout(1000)
        assert left(visitor) == set()


def test_no_word_is_left_in_any_state_of_a_battle(browser: Browser, pseudo: Pseudo) -> None:
    with visiting(browser, pseudo.stub_url) as visitor:
        visitor.open().compare("Á", mode="open").reaches("open")
        said = left(visitor)
        for key, phase in {"a": "voted", "r": "revealed"}.items():
            visitor.press(key).reaches(phase)
            said |= left(visitor)
        assert said == {"Answer A", "Answer B"}  # the labels that `keys.js` gives
