"""The line about the models, at the top of every page."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

from playground.settings import Settings
from playground.ui.head import ASSETS, OF_EVERY_PAGE, SCRIPTS, SHEETS, head
from playground.ui.http.turnstile import Turnstile
from playground.ui.site import PAGES, _chip, build_pages
from tests.support.stub_arena import StubArena


def test_every_style_sheet_and_script_has_a_place_and_a_page() -> None:
    assert sorted(SHEETS) == sorted(path.name for path in ASSETS.glob("*.css"))
    assert sorted(SCRIPTS) == sorted(path.name for path in ASSETS.glob("*.js"))
    assert {*OF_EVERY_PAGE, *(part for page in PAGES for part in page.parts)} == {*SHEETS, *SCRIPTS}


def test_head_has_the_parts_of_its_page_only() -> None:
    def is_in(name: str, parts: str) -> bool:
        return (ASSETS / name).read_text("utf-8") in parts

    for page in PAGES:
        parts, own = head(page.parts, ""), {*page.parts, *OF_EVERY_PAGE}
        assert {name for name in (*SHEETS, *SCRIPTS) if is_in(name, parts)} == own, page.name
        assert ("rate-words" in parts) == (page.path == "rate")


def test_scripts_find_their_words_on_each_page() -> None:
    for page in PAGES:
        parts = head(page.parts, "")
        asked = set(re.findall(r'byId\("([\w-]+-words)"\)\.textContent', parts))
        asked |= set(re.findall(r'getElementById\("([\w-]+-words)"\)\.textContent', parts))
        assert asked == set(re.findall(r"id='([\w-]+-words)'", parts)), page.name


def arena(read_only: str) -> SimpleNamespace:
    return SimpleNamespace(read_only=read_only, sources_line=lambda: "pocket models")


def test_read_only_is_shown_with_its_reason() -> None:
    assert "read-only" not in _chip(arena(""))
    shown = _chip(arena("another program writes to <playground>.db"))
    assert "Nothing can be stored now: another program writes to &lt;playground&gt;.db." in shown
    assert "role='note'" in shown


def test_no_event_of_a_page_keeps_progress_states() -> None:
    arena: Any = StubArena(Settings())
    events = build_pages(arena, Turnstile()).get_config_file()["dependencies"]
    of_pages = [event for event in events if event["api_visibility"] == "private"]
    assert len(of_pages) > 50
    assert [event["api_name"] for event in of_pages if event["show_progress_on"] != []] == []
