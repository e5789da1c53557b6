"""Replies to a tab."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest

from playground.errors import Refused, StorageError
from playground.ratings.pairing import WhyDrawn
from playground.ui.pages.compare.page import ComparePage
from playground.ui.rendering import escape
from playground.ui.texts import compare as texts
from tests.ui.pages.compare.tab import Tab, fails


@pytest.mark.slow
@pytest.mark.parametrize("handler", ["refresh", "undo", "reveal", "vote", "regenerate", "note_comment", "send_report"])
def test_passing_error_leaves_page_and_address(tab: Tab, handler: str) -> None:
    tab.begins().votes()
    before = dict(tab.shown)
    for name in ("view", "vote", "undo", "reveal", "note", "report", "regenerate"):
        setattr(tab.arena, name, fails(StorageError("the database is busy; try again")))
    if handler == "note_comment":
        updates = tab.page.notes.note_comment(tab.shown, "Short.", tab.request)
    elif handler == "send_report":
        updates = tab.page.notes.send_report(tab.shown, "a", "Short.", tab.request)
    else:
        updates = tab.does(tab.handler(handler), *["b"] * (handler == "vote"))
    assert "the database is busy" in tab.status(updates)
    assert "data-" not in tab.status(updates)  # no news of the battle, so the script leaves the address
    assert set(updates) == {tab.page.panels.status.line}
    assert tab.shown == before


@pytest.mark.parametrize("reason", ["unknown", "foreign"])
def test_gone_battle_leaves_the_empty_page(tab: Tab, reason: str) -> None:
    tab.begins().arena.view = fails(Refused(reason, "It is gone."))  # type: ignore[method-assign]
    gone = tab.shown["battle"]
    updates = tab.does(tab.page.following.refresh)
    assert tab.shown["battle"] == ""
    assert f"data-phase='compose' data-step='1' data-gone='{gone}'" in tab.status(updates)
    assert "It is gone." in tab.status(updates)


@pytest.mark.slow
@pytest.mark.parametrize("handler", ["vote", "undo", "reveal", "refresh"])
def test_call_needs_only_the_id_of_its_battle(tab: Tab, handler: str) -> None:
    tab.begins()
    if handler in ("undo", "reveal"):
        tab.votes()
    tab.request.session_hash = "a tab that nobody knows"
    with gr.Blocks():
        tab.page = ComparePage(tab.arena)  # type: ignore[arg-type]  # as after a restart
    updates = tab.does(tab.handler(handler), *["b"] * (handler == "vote"))
    phase = {"vote": "voted", "undo": "open", "reveal": "revealed", "refresh": "open"}[handler]
    assert f"data-phase='{phase}'" in tab.status(updates)


def test_unused_system_text_is_noted_once_the_model_is_known(tab: Tab) -> None:
    def told(updates: dict[Any, Any]) -> list[bool]:
        feet = [updates[panel.foot]["value"] for panel in tab.page.panels.columns.panels[:2]]
        return [escape(texts.NO_SYSTEM) in foot for foot in feet]

    models = ("pocket-orca-mini", "pocket-galpaca")
    tab.begins(system="Be brief.", models=models)
    assert told(tab.does(tab.page.following.refresh)) == [False, False]
    assert told(tab.votes()) == [False, False]
    assert told(tab.does(tab.page.voting.reveal)) == [False, True]
    assert told(tab.begins(system="Be brief.", models=models, blind=False).does(tab.page.following.refresh)) == [
        False,
        True,
    ]
    assert told(tab.begins(models=models, blind=False).does(tab.page.following.refresh)) == [False, False]


def test_reason_of_a_draw_is_sent_with_the_reveal_and_not_before(tab: Tab) -> None:
    tab.begins().votes()
    tab.arena.pair_choice.remember(tab.shown["battle"], WhyDrawn(0.2, 0.1, None))
    hint = tab.page.panels.votebar.hint
    hidden = tab.does(tab.page.following.refresh)
    assert texts.WHY_CHANCE not in str(hidden)
    assert texts.WHY_CHANCE in str(tab.does(tab.page.voting.reveal)[hint])
