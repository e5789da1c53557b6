"""The line about the models, at the top of every page."""

from __future__ import annotations

from types import SimpleNamespace

from playground.ui.head import ASSETS, SCRIPTS, SHEETS
from playground.ui.site import _chip


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
