"""Models against models."""

from __future__ import annotations

from dataclasses import replace

from playground.ui.pages.leaderboard.heat_map import heat_map, shortened
from tests.support.boards import BOARD

ROWS = BOARD.rows


def test_names_are_escaped() -> None:
    rows = [replace(row, name="<b>") for row in ROWS[:2]]
    assert "<b>" not in heat_map(rows, [[None, 0.7], [0.3, None]])


def test_shared_first_word_is_dropped() -> None:
    assert shortened(["pocket-galpaca", "pocket-minotaur"]) == ["galpaca", "minotaur"]
    assert shortened(["galpaca", "minotaur"]) == ["galpaca", "minotaur"]
