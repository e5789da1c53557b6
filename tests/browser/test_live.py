"""The whole program in Chromium, with workers and database: answers, privacy, restart, hostile texts."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import LiveApp, start_app, stop_app, without_models
from tests.support.browsing import PHONE, RATER, SECRET, Visitor, visiting
from tests.support.cast import GALPACA, MAMBA, OPENALPACA, house
from tests.support.processes import frozen_models
from tests.support.stub_arena import HOSTILE

pytestmark = pytest.mark.browser

LOADING_S = 120
BOMBS = {
    "growing mathematics": "$$"
    + "\\def\\a{x}"
    + "".join(f"\\def\\{new}{{\\{old}\\{old}}}" for old, new in pairwise("abcdefghijklmnopqrst"))
    + "\\t$$ and after it",
    "large mathematics": "$$\\rule{9999em}{9999em}$$ " + "$$" + "{" * 2000 + "1" + "}" * 2000 + "$$ and after it",
    "nested lists": "> " * 400 + "- " * 400 + "**_`[" * 400 + "\n\nand after it",
    "a giant table": "|a" * 60 + "|\n" + "|-" * 60 + "|\n" + ("|1" * 60 + "|\n") * 200 + "\nand after it",
    "diagrams": "```mermaid\ngraph TD; A-->B; click A href 'javascript:alert(1)'\n```\n\nand after it",
    "a long word": "x" * 100_000 + "\n" * 10_000 + "and after it",
}
"""Answers that could make a page slow, wide or blank."""
LONG = {
    script: (text * (20_000 // len(text) + 1))[:20_000] + " and the end"
    for script, text in {
        "Chinese, without spaces": "羊駝是一種小型的駱駝科動物。",
        "Japanese": "アルパカは南米の高地に住む動物です。",
        "emoji of several characters": "👩‍👩‍👧‍👦🏳️‍🌈👍🏽🇵🇪",
        "Thai": "อัลปากาเป็นสัตว์ตัวเล็ก ",
        "Arabic": "الألبكة حيوان صغير. ",
        "English": "An alpaca is a small relative of the llama.\n\n",
    }.items()
}
REASONING = "A small animal,\n\nso not a <llama>."


@pytest.fixture
def visitor(browser: Browser, live_app: LiveApp) -> Iterator[Visitor]:
    with visiting(browser, live_app.url) as visitor:
        yield visitor.open()


def rows(app: LiveApp, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"{app.db.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


@pytest.mark.parametrize("mode", ["blind", "open"])
@pytest.mark.parametrize("columns", [2, 4, 6])
def test_models_answer_in_every_column_and_the_vote_is_stored(
    visitor: Visitor, live_app: LiveApp, mode: str, columns: int
) -> None:
    visitor.compare(columns=columns, mode=mode).reaches("open", LOADING_S)
    for side in "abcdef"[:columns]:
        assert visitor.answer(side).strip()
    visitor.press("b").reaches("voted").press("r").reaches("revealed")
    expect(visitor.page.locator("#vote-words")).to_contain_text("You chose B: Pocket")
    expect(visitor.column("a")).to_contain_text("tokens/s")
    stored = rows(live_app, "SELECT choice, decision_s >= 1.0 FROM votes WHERE battle_id = ?", visitor.battle_id)
    assert stored == [("b", 1)]


def test_shown_text_is_the_stored_text(visitor: Visitor, live_app: LiveApp) -> None:
    visitor.compare().reaches("open", LOADING_S)
    shown = [visitor.page.locator(f"#raw-{side} textarea").input_value() for side in "ab"]
    query = (
        "SELECT g.text FROM battle_sides s JOIN generations g ON g.id = s.generation_id "
        "WHERE s.battle_id = ? ORDER BY s.side"
    )
    assert [text for (text,) in rows(live_app, query, visitor.battle_id)] == shown


def test_stop_ends_writing_and_keeps_the_text(visitor: Visitor, live_app: LiveApp) -> None:
    visitor.page.locator("#settings > button").click()
    visitor.page.locator("#sampling-max_new_tokens textarea, #sampling-max_new_tokens input").fill("400")
    visitor.page.locator("#sampling-repetition_penalty textarea, #sampling-repetition_penalty input").fill("0.5")
    with frozen_models(live_app.process.pid):
        visitor.compare("Write a long story about a river.", mode="open").reaches("generating")
    for side in "ab":
        expect(visitor.page.locator(f"#answer-{side}")).to_contain_text(re.compile(r"\w{3}"), timeout=LOADING_S * 1000)
    visitor.press("Escape").reaches("open")
    assert visitor.page.locator("#foot-a footer, #foot-b footer").first.is_visible()


def test_unstored_battle_leaves_no_trace(visitor: Visitor, live_app: LiveApp) -> None:
    visitor.page.get_by_label("do not store").check()
    visitor.compare("What is rust? Leave no trace.").reaches("open", LOADING_S).press("t").reaches("voted")
    found = rows(live_app, "SELECT count(*) FROM battles WHERE id = ?", visitor.battle_id)
    assert found == [(0,)]


def test_two_visitors_have_battles_of_their_own(browser: Browser, live_app: LiveApp) -> None:
    with visiting(browser, live_app.url) as ada, visiting(browser, live_app.url) as ben:
        ada.open().compare().reaches("open", LOADING_S)
        ben.open(f"/?battle={ada.battle_id}").reaches("compose")
        expect(ben.page.locator("#status.error")).to_contain_text("belongs to somebody else")


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[LiveApp]:
    """Start a playground without models on a database with an open, a failed and a hostile battle."""
    kept = house(tmp_path)
    kept.battle_is_open("0" * 31 + "1", owner=RATER)
    kept.battle_is_open("0" * 31 + "2", (OPENALPACA, MAMBA), {"a": {"text": HOSTILE}}, owner=RATER)
    kept.battle_is_open("0" * 31 + "3", (OPENALPACA, MAMBA, GALPACA), {"c": {"text": ""}}, owner=RATER)
    texts = {side: {"text": text} for side, text in zip("abcdef", BOMBS.values(), strict=False)}
    kept.battle_is_open("0" * 31 + "4", (OPENALPACA, MAMBA, GALPACA) * 2, texts, owner=RATER)
    texts = {side: {"text": text, "reasoning": REASONING} for side, text in zip("abcdef", LONG.values(), strict=True)}
    kept.battle_is_open("0" * 31 + "5", (OPENALPACA, MAMBA, GALPACA) * 2, texts, owner=RATER)
    kept.store.close()
    app = start_app(tmp_path, *without_models(tmp_path), PLAYGROUND_EXPIRE_S=str(10**9), PLAYGROUND_UNDO_S="60")
    yield app
    stop_app(app)


def test_restart_keeps_battles_and_votes(browser: Browser, stored: LiveApp, tmp_path: Path) -> None:
    with visiting(browser, stored.url, secret=SECRET) as visitor:
        visitor.open(f"/?battle={'0' * 31}1").reaches("open").press("a").reaches("voted").press("r").reaches("revealed")
    stop_app(stored)
    flags = ("--cards", str(tmp_path / "cards"), "--models", "far")
    again = start_app(tmp_path, *flags, PLAYGROUND_EXPIRE_S=str(10**9), PLAYGROUND_UNDO_S="60")
    try:
        with visiting(browser, again.url, secret=SECRET) as visitor:
            visitor.open(f"/?battle={'0' * 31}1").reaches("revealed")
            assert visitor.answer("a").strip() == "Grey waves, and a gull."
            visitor.open(f"/?battle={'0' * 31}3").reaches("open")
            expect(visitor.page.locator("#vote-c")).to_be_disabled()
    finally:
        stop_app(again)


@pytest.mark.proves("LaTeX bombs, nested Markdown, giant tables, Mermaid")
def test_extreme_answers_stay_in_their_columns(browser: Browser, stored: LiveApp) -> None:
    with visiting(browser, stored.url, secret=SECRET) as visitor:
        visitor.open(f"/?battle={'0' * 31}4").reaches("open")
        for side, name in zip("abcdef", BOMBS, strict=True):
            expect(visitor.page.locator(f"#answer-{side}"), name).to_contain_text("and after it")
        assert visitor.page.locator("#answers svg[id^=mermaid], #answers .mermaid").count() == 0
        assert not visitor.scrolls_sideways
        visitor.page.locator("#vote-b").click()
        visitor.reaches("voted").press("r").reaches("revealed")
        assert visitor.hosts == {stored.url.removeprefix("http://")}


def test_long_answers_of_every_script_are_shown_whole_and_reasoning_after_the_reveal(
    browser: Browser, stored: LiveApp
) -> None:
    with visiting(browser, stored.url, secret=SECRET, viewport=PHONE) as visitor:
        visitor.open(f"/?battle={'0' * 31}5").reaches("open")
        for side, (script, text) in zip("abcdef", LONG.items(), strict=True):
            answer = visitor.page.locator(f"#answer-{side}")
            expect(answer, script).to_contain_text("and the end")
            assert "".join((answer.text_content() or "").split()) == "".join(text.split()), script
        assert not visitor.scrolls_sideways
        assert "so not a" not in visitor.page.content()
        visitor.press("b").reaches("voted").press("r").reaches("revealed")
        for viewport in ({"width": 1920, "height": 1080}, PHONE):
            visitor.page.set_viewport_size(viewport)
            assert not visitor.scrolls_sideways
        fold = visitor.page.locator("#foot-b details.reasoning")
        expect(fold).to_have_text(f"Reasoning, 7 words{REASONING}", use_inner_text=False)
        expect(fold.locator("div")).to_be_hidden()
        fold.locator("summary").click()
        expect(fold.locator("div")).to_be_visible()


@pytest.mark.proves("remote images, javascript: links, script, img, SVG")
def test_hostile_stored_answer_stays_in_its_box(browser: Browser, stored: LiveApp) -> None:
    with visiting(browser, stored.url, secret=SECRET) as visitor:
        visitor.open(f"/?battle={'0' * 31}2").reaches("open")
        box = visitor.page.locator("#answer-a")
        expect(box).to_contain_text("<script>alert(1)</script>")
        assert box.locator("script, img, form, iframe, [onerror], [style*=fixed]").count() == 0
        assert visitor.page.locator("#raw-a textarea").input_value() == HOSTILE
        visitor.press("b").reaches("voted").press("r").reaches("revealed")
        assert visitor.hosts == {stored.url.removeprefix("http://")}
