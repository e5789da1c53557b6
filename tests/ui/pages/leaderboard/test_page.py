"""The Leaderboard page: addresses and what they draw."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from starlette.datastructures import Headers

from playground.errors import UnknownCategory
from playground.ratings.analyses import HISTORY, Analyses
from playground.settings import Settings
from playground.ui.pages.leaderboard.page import LeaderboardPage
from playground.ui.rendering import escape
from playground.ui.texts import leaderboard as texts
from playground.ui.wiring import unchanged
from tests.support.boards import BATTLE, analyses_of_board
from tests.support.stub_arena import StubArena

BOXES = ("ratings", "trust", "table", "heat")
REQUEST: Any = SimpleNamespace(headers=Headers())


class EmptyArena(StubArena):
    num_votes = 0


class AnalysedArena(StubArena):
    def analyses(self, *_asked: object, is_operator: bool = False) -> Analyses:
        return analyses_of_board()


@pytest.fixture
def page() -> LeaderboardPage:
    with gr.Blocks():
        return LeaderboardPage(StubArena(Settings()))  # type: ignore[arg-type]


@pytest.fixture
def empty_page() -> LeaderboardPage:
    with gr.Blocks():
        return LeaderboardPage(EmptyArena(Settings()))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "advice"),
    [
        ("origin=program", texts.EMPTY_ORIGINS["program"]),
        ("pairs=chosen", texts.EMPTY_CHOSEN),
        ("mine=1", texts.EMPTY_MINE),
        ("since=2026-11-01&license=other", texts.EMPTY_FILTER),
    ],
)
def test_empty_board_has_advice_for_its_filter(empty_page: LeaderboardPage, query: str, advice: str) -> None:
    drawn = empty_page.draw(query, "rater-ada")
    assert advice in drawn.lead
    assert texts.EMPTY_LINK in drawn.lead
    assert drawn.parts == ""


def test_empty_default_board_links_to_compare(empty_page: LeaderboardPage) -> None:
    assert texts.EMPTY_LINK in empty_page.draw("", None).lead


def test_category_without_votes_says_so_and_links_to_compare(
    page: LeaderboardPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise UnknownCategory("unknown category 'sums'; valid: code")

    monkeypatch.setattr(page._arena, "leaderboard", refuse)
    drawn = page.draw("category=sums", None)
    assert "No votes on sums yet." in drawn.lead
    assert texts.EMPTY_LINK in drawn.lead
    assert drawn.parts == ""


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("orgin=person", "'orgin' in the address is not a filter; valid: category, origin"),
        ("origin=nobody", "'origin' is 'nobody'; valid: person"),
        ("since=yesterday", "valid: a day such as"),
        ("winner=tie", "'winner' in the address is not a filter"),
        ("mine=1", texts.NO_RATER),
        ([1], "too long"),
    ],
)
def test_address_that_cannot_be_shown_says_why(page: LeaderboardPage, query: object, words: str) -> None:
    drawn = page.draw(query, None)
    assert words in drawn.error
    assert drawn.parts == ""
    assert "<form" in drawn.form


def test_boxes_of_the_analyses_follow_those_of_the_board() -> None:
    with gr.Blocks():
        drawn = LeaderboardPage(AnalysedArena(Settings())).draw("", None)  # type: ignore[arg-type]
    boxes = re.findall(r"<section class='box box-([a-z-]+)", drawn.parts)
    assert boxes == [*BOXES, "history", "style", "carrying", "stability", "agreement", "left-out", "blinding"]
    assert f"<a href='./?battle={BATTLE}&amp;look=1'>1</a>" in drawn.parts
    for sentence in analyses_of_board().sentences():
        assert escape(sentence[1]) in drawn.parts or sentence[0] == HISTORY, sentence


def test_open_page_is_redrawn_only_if_the_board_is_another(page: LeaderboardPage) -> None:
    shown = page.show("", REQUEST)
    digest = shown[page.shown]
    assert page.refresh("", digest, REQUEST) == unchanged(page.parts)
    again = page.refresh("", "of an earlier board", REQUEST)
    assert again == {component: value for component, value in shown.items() if component is not page.form}
    assert page.refresh("origin=nobody", digest, REQUEST)[page.shown] != digest


def test_the_level_in_the_address_is_that_of_every_title(page: LeaderboardPage) -> None:
    drawn = page.draw("level=0.99", None)
    assert "Rating, with 99 % intervals" in drawn.parts
    assert "<th scope='col' class='interval'>99 %</th>" in drawn.parts
    assert "Ratings with 99 % intervals." in drawn.parts
    assert "95 %" not in drawn.parts
    assert "one of many views" in drawn.parts
    assert "<option value='0.99' selected>" in drawn.form
    assert "Level of intervals: 99 %" in drawn.form
