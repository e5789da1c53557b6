"""Reasons, comments and reports."""

from __future__ import annotations

from typing import Any

import pytest

from playground.ui.texts import compare as texts
from tests.ui.pages.compare.tab import Tab


def test_typed_notes_stay_through_reveal_and_refresh(tab: Tab) -> None:
    bar, form = tab.page.panels.votebar, tab.page.panels.report
    assert tab.begins().votes()[bar.comment]["value"] == ""
    for handler in (tab.page.following.refresh, tab.page.voting.reveal):
        updates = tab.does(handler)
        assert "value" not in updates[bar.comment]
        assert "value" not in updates[bar.reasons]
        assert set(form.outputs).isdisjoint(updates)


def test_reasons_and_comment_do_not_overwrite_each_other(tab: Tab) -> None:
    tab.begins().votes()
    assert texts.NOTED in tab.status(tab.page.notes.note_reasons(tab.shown, ["clear"], tab.request))
    assert texts.NOTED in tab.status(tab.page.notes.note_comment(tab.shown, "Short.", tab.request))
    assert tab.arena.notes == [{"reasons": ("clear",)}, {"comment": "Short."}]
    assert (tab.view.reasons, tab.view.comment) == (("clear",), "Short.")
    tab.page.notes.note_reasons(tab.shown, ["clear"], tab.request)
    tab.page.notes.note_comment(tab.shown, "Short.", tab.request)
    assert len(tab.arena.notes) == 2


@pytest.mark.parametrize(("keep", "words"), [(True, texts.REPORTED), (False, texts.REPORTED_UNSTORED)])
def test_report_says_where_it_is_kept(tab: Tab, keep: bool, words: str) -> None:
    tab.begins(keep=keep)
    assert words in tab.status(tab.page.notes.send_report(tab.shown, "a", "It is rude.", tab.request))


@pytest.mark.parametrize("side", ["", "g", None, ["a"]])
def test_report_without_an_answer_is_refused(tab: Tab, side: Any) -> None:
    tab.begins()
    assert texts.REPORT_NO_SIDE in tab.status(tab.page.notes.send_report(tab.shown, side, "It is rude.", tab.request))
    assert tab.arena.notes == []


@pytest.mark.parametrize("words", ["", "  \n", None])
def test_empty_report_is_not_sent(tab: Tab, words: Any) -> None:
    tab.begins()
    updates = tab.page.notes.send_report(tab.shown, "a", words, tab.request)
    assert tab.arena.notes == []
    assert tab.page.panels.report.box not in updates, "the form stays open"
