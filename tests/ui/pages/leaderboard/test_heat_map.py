"""Models against models."""

from __future__ import annotations

import re
from dataclasses import replace

from playground.ratings.comparisons import Meeting
from playground.ui.pages.leaderboard.heat_map import HeatMapCell, heat_map, heat_maps, shortened
from playground.ui.pages.leaderboard.meetings import Record, meetings_of
from tests.support.boards import BOARD, board_of

ROWS = BOARD.rows


def test_names_are_escaped() -> None:
    rows = [replace(row, name="<b>") for row in ROWS[:2]]
    cells = [[HeatMapCell("", 0.0), HeatMapCell("70", 0.7)], [HeatMapCell("30", 0.3), HeatMapCell("", 0.0)]]
    assert "<b>" not in heat_map("fitted", rows, cells)


def test_three_maps_have_a_number_for_each_two_models_that_met() -> None:
    maps = heat_maps(board_of()).split("<figure>")[1:]
    met = 2 * len(BOARD.meetings)
    numbers = [re.findall(r"<td style='[^']*'>([\d,]+)</td>", one) for one in maps]
    assert [len(found) for found in numbers] == [20, met, met]
    assert sum(int(count) for count in numbers[2]) == 2 * BOARD.num_pairs


def test_both_sides_of_a_meeting_make_one_whole() -> None:
    records = meetings_of(BOARD)
    for (one, other), record in records.items():
        assert round(record.win_rate + records[other, one].win_rate, 9) == 1


def test_pairs_found_all_bad_are_draws_unless_they_are_left_out() -> None:
    meeting = Meeting("a", "b", wins_a=6, wins_b=2, ties=1, both_bad=1)
    board = replace(BOARD, meetings=(meeting,))
    assert meetings_of(board)["b", "a"] == Record(wins=2, losses=6, draws=2)
    without = replace(board, options=replace(board.options, both_bad="omit"))
    assert meetings_of(without)["a", "b"] == Record(wins=6, losses=2, draws=1)


def test_models_that_never_met_have_an_empty_cell() -> None:
    board = replace(BOARD, meetings=())
    observed = heat_maps(replace(board_of(), board=board)).split("<figure>")[2]
    assert "<td style" not in observed


def test_shared_first_word_is_dropped() -> None:
    assert shortened(["pocket-galpaca", "pocket-minotaur"]) == ["galpaca", "minotaur"]
    assert shortened(["galpaca", "minotaur"]) == ["galpaca", "minotaur"]
