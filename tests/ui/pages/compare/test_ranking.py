"""Ranking."""

from __future__ import annotations

import pytest

from playground.ui.pages.compare.state import Phase
from playground.ui.pages.compare.votebar import VoteBar
from playground.ui.texts import compare as texts
from tests.support.page_states import page
from tests.ui.pages.compare.tab import Tab


def test_saved_order_is_the_vote(tab: Tab) -> None:
    tab.begins(columns=3)
    tab.shown["choice"] = "b>a=c"
    updates = tab.does(tab.page.ranking.vote)
    assert tab.view.choice == "b>a=c"
    assert "You ranked B &gt; A = C." in updates[tab.page.panels.votebar.words]["value"]


def test_order_has_buttons_where_it_says_more_than_a_choice(tab: Tab) -> None:
    bar: VoteBar = tab.page.panels.votebar

    def buttons(phase: Phase, **changes: object) -> str:
        return str(bar.render(page(phase, **changes))[bar.ranking]["value"])

    assert "data-sides='ac'" in buttons(Phase.OPEN, count=3, good_sides=("a", "c"))
    assert "id='rank' data-sides='' aria-keyshortcuts='o' disabled" in buttons(Phase.GENERATING, count=3)
    assert buttons(Phase.OPEN, count=2) == ""
    assert buttons(Phase.OPEN, count=3, mine=False) == ""
    assert buttons(Phase.VOTED, count=3) == ""


@pytest.mark.parametrize(
    ("choice", "mine", "words"),
    [
        ("b>a=c", True, "You ranked B > A = C."),
        ("a=b", False, "The vote ranked A = B."),
        ("b", True, "You chose B."),
        ("tie", True, "You called it a tie."),
    ],
)
def test_vote_is_said_as_it_was_given(choice: str, mine: bool, words: str) -> None:
    assert texts.chosen(choice, 3, mine=mine) == words
