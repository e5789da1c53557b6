"""Parts of the board around its table: downloads, one model, missing battles, method."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.ui.board_address import BoardAddress
from playground.ui.pages.leaderboard.downloads import downloads
from playground.ui.pages.leaderboard.meetings import meetings_of
from playground.ui.pages.leaderboard.method import method
from playground.ui.pages.leaderboard.missing import missing
from playground.ui.pages.leaderboard.model import model
from playground.ui.texts import leaderboard as texts
from tests.support.boards import BOARD, board_of

FIRST, SECOND = BOARD.rows[:2]


def test_files_are_of_the_present_filter() -> None:
    address = BoardAddress((("category", "code"),), mine=True, hide_retired=True, model=FIRST.model)
    html = downloads(board_of(address=address))
    for container in ("csv", "json"):
        assert f"./leaderboard/export?category=code&amp;mine=1&amp;container={container}" in html


def test_card_of_a_model_has_its_record_against_each_other_one() -> None:
    html = model(board_of(address=BoardAddress(model=FIRST.model)))
    record = meetings_of(BOARD)[FIRST.model, SECOND.model]
    cells = f"<td>{record.wins}</td><td>{record.losses}</td><td>{record.draws}</td><td>{record.pairs}</td>"
    assert f"<th scope='row'>{SECOND.name}</th>" in html
    assert cells in html
    assert html.count("<tr>") == 1 + 4
    assert "href='./leaderboard' data-view" in html


def test_card_of_a_model_without_votes_says_so() -> None:
    html = model(board_of(address=BoardAddress(model="<b>")))
    assert texts.MODEL_UNRATED in html
    assert "<b>" not in html
    assert model(board_of()) == ""


def test_battles_that_are_missing_are_told_for_each_model() -> None:
    rows = [FIRST, replace(SECOND, battles=29), replace(BOARD.rows[2], battles=18)]
    html = missing(board_of(rows, line_up=["pocket-new", *(row.model for row in BOARD.rows[:3])]))
    assert f"<b>{SECOND.name}</b> 1 more battle<" in html
    assert f"<b>{BOARD.rows[2].name}</b> 12 more battles<" in html
    assert "<b>pocket-new</b> 30 more battles<" in html
    assert FIRST.name not in html
    assert missing(board_of()) == ""


@pytest.mark.parametrize(
    ("changes", "said", "unsaid"),
    [
        ({"filtered": False}, "hold together at 95 %", "one of many views"),
        ({"filtered": True, "level": 0.99}, "Claims hold at 99 % for one look: this is one of many", "hold together"),
        ({"both_bad": "omit"}, "are left out", "and so is a vote that finds"),
        ({"prior": 2.5}, "2.5 × (models − 1) ties", "1 × (models"),
    ],
)
def test_method_states_the_numbers_in_use(changes: dict[str, object], said: str, unsaid: str) -> None:
    board = replace(BOARD, options=replace(BOARD.options, **changes))  # type: ignore[arg-type]
    html = method(replace(board_of(), board=board)).replace("&#x27;", "'")
    assert said in html
    assert unsaid not in html


def test_method_says_when_raters_are_too_few_for_others() -> None:
    few = texts.HOW_FEW_RATERS.format(least=8)
    assert few not in method(board_of())
    assert few in method(replace(board_of(), board=replace(BOARD, unit="rater", is_about_these=True)))


def test_method_names_the_unit_and_only_limits_that_hold() -> None:
    html = method(board_of())
    assert "within 1 s" in html
    assert "200 votes" in html
    policy = replace(BOARD.options.policy, min_decision_s=0.0, max_votes_per_rater_and_day=0, max_share_per_rater=1.0)
    free = replace(BOARD, options=replace(BOARD.options, policy=policy), unit="vote")
    html = method(replace(board_of(), board=free))
    assert "within" not in html
    assert "on one day" not in html
    assert "Each vote is one unit" in html
