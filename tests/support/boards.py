"""Boards of made-up votes, as the parts of the Leaderboard page get them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from playground.ratings.board import LeaderboardRow
from playground.ui.pages.leaderboard.view import BoardView
from tests.support.judged import build_leaderboard
from tests.support.stub_arena import made_up_votes, make_cards

CARDS = {card.id: card for card in make_cards()}
BOARD = build_leaderboard(made_up_votes(480), CARDS)


def board_of(rows: Sequence[LeaderboardRow] = BOARD.rows, **changes: Any) -> BoardView:
    """Return a view of five models, or with other rows."""
    return BoardView(replace(BOARD, rows=tuple(rows)), **{"cards": CARDS, **changes})
