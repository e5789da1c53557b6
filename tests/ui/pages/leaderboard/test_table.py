"""The table of all models."""

from __future__ import annotations

from dataclasses import replace

from playground.ui.board_address import BoardAddress
from playground.ui.pages.leaderboard.board import parts_html
from playground.ui.pages.leaderboard.table import table
from playground.ui.texts import leaderboard as texts
from tests.support.boards import BOARD, CARDS, board_of

FIRST, SECOND = BOARD.rows[:2]


def test_row_has_every_number_of_a_model() -> None:
    row = replace(FIRST, rank_lower=1, rank_upper=2, rating=1088.4, rating_lower=1041.0, rating_upper=1137.0)
    html = table(board_of([replace(row, battles=1880, win_rate=0.634, both_bad_rate=0.004, license="MIT")]))
    for cell in (">1–2<", ">1088<", ">1041–1137<", ">1,880<", ">63 %<", ">under 1 %<", ">MIT<"):
        assert cell in html


def test_provisional_model_has_no_rank() -> None:
    assert "<td class='rank'>–</td>" in table(board_of([replace(FIRST, provisional=True)]))


def test_negative_ratings_have_a_minus_sign() -> None:
    html = table(board_of([replace(FIRST, rating=-20.4, rating_lower=-300.0, rating_upper=250.0)]))
    assert "−300" in html
    assert "-300" not in html


def test_names_and_licenses_are_escaped() -> None:
    assert "<b>" not in table(board_of([replace(FIRST, name="<b>", license="<b>")]))


def test_figures_of_the_cards_are_columns_and_a_missing_one_is_a_dash() -> None:
    cards = {
        FIRST.model: replace(CARDS[FIRST.model], metrics={"average": 42.0, "MMLU": 25.3}),
        SECOND.model: replace(CARDS[SECOND.model], metrics={"MMLU": 35.43}),
    }
    view = board_of([FIRST, SECOND], cards=cards)
    assert view.metrics == ["MMLU", "average"]  # both have the first
    html = table(view)
    assert html.index(">MMLU<") < html.index(">average<")
    assert "<td class='metric'>35.43</td><td class='metric'>–</td>" in html
    assert texts.METRICS_NOTE.split(";")[0] in html.replace("&#x27;", "'")


def test_without_published_figures_there_is_no_column_for_them() -> None:
    html = table(board_of())
    assert "metric" not in html
    assert texts.METRICS_NOTE.split("'")[0] not in html


def test_retired_models_are_marked_and_can_be_hidden() -> None:
    line_up = {row.model for row in BOARD.rows} - {FIRST.model}
    assert table(board_of(line_up=line_up)).count(f"<small>{texts.RETIRED}</small>") == 1
    view = board_of(line_up=line_up, address=BoardAddress(hide_retired=True))
    assert FIRST.name not in parts_html(view)
    assert SECOND.name in parts_html(view)
    assert "retired" not in table(board_of(line_up=None))
