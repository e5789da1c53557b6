"""Voting."""

from __future__ import annotations

import re

import pytest

from playground.battles import Ballot, Viewer
from playground.ui.texts import compare as texts
from tests.support.browsing import RATER
from tests.ui.pages.compare.tab import Tab


def test_vote_on_a_changed_battle_is_asked_for_again(tab: Tab) -> None:
    tab.begins()
    tab.arena.vote(tab.shown["battle"], Viewer(RATER), Ballot("b"))
    tab.arena.undo(tab.shown["battle"], Viewer(RATER))
    updates = tab.votes()
    assert texts.CHANGED_ELSEWHERE in tab.status(updates)
    assert tab.shown["revision"] == tab.view.revision == 2
    assert texts.CHANGED_ELSEWHERE not in tab.status(tab.votes())
    assert tab.view.choice == "a"


@pytest.mark.parametrize(("choice", "said"), [("a", True), ("b", False)])
def test_stale_tab_is_told_where_the_vote_was_given(tab: Tab, choice: str, said: bool) -> None:
    tab.begins()
    tab.arena.vote(tab.shown["battle"], Viewer(RATER), Ballot("b"))
    updates = tab.votes(choice)
    assert tab.view.choice == "b"
    assert (texts.VOTED_ELSEWHERE in tab.status(updates)) == said


def test_button_of_another_page_version_saves_nothing(tab: Tab) -> None:
    tab.begins()
    tab.shown["choice"] = "b"
    assert texts.PAGE_CHANGED in tab.status(tab.votes("tie"))
    assert tab.view.choice is None
    assert texts.PAGE_CHANGED not in tab.status(tab.votes("b"))
    assert tab.view.choice == "b"


@pytest.mark.slow
@pytest.mark.parametrize(("open_for_s", "said"), [(0.0, "1.000"), (0.75, "0.250"), (1.0, ""), (3600.0, "")])
def test_votes_open_after_the_first_second(tab: Tab, open_for_s: float, said: str) -> None:
    tab.arena.time.hold()
    tab.begins()
    assert tab.view.state == "open"
    tab.arena._battles[tab.shown["battle"]].opened_s = tab.arena.time.now() - open_for_s
    found = re.search("data-opens-in='(.+?)'", tab.status(tab.does(tab.page.following.refresh)))
    assert (found[1] if found else "") == said
