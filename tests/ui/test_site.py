"""The line about the models, at the top of every page."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from playground.settings import Settings
from playground.ui.head import ASSETS, SCRIPTS, SHEETS
from playground.ui.http.turnstile import Turnstile
from playground.ui.site import _chip, build_pages
from tests.support.stub_arena import StubArena


def test_head_has_every_style_sheet_and_script_once() -> None:
    assert sorted(SHEETS) == sorted(path.stem for path in ASSETS.glob("*.css"))
    assert sorted(SCRIPTS) == sorted(path.stem for path in ASSETS.glob("*.js"))


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
