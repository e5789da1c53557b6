"""Boards of made-up votes, as the parts of the Leaderboard page get them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from playground.ratings.analyses import Analyses, analyse
from playground.ratings.board import LeaderboardOptions, LeaderboardRow
from playground.ratings.chosen import Chosen
from playground.ratings.repeats import SharedRows, rater_agreement
from playground.ratings.stored_styles import PairStyles
from playground.ui.pages.leaderboard.view import BoardView
from tests.support.judged import build_leaderboard, judged_votes
from tests.support.stub_arena import made_up_votes, make_cards

CARDS = {card.id: card for card in make_cards()}
BOARD = build_leaderboard(made_up_votes(480), CARDS)
OPTIONS = LeaderboardOptions()
BATTLE = "0123456789abcdef" * 2


@cache
def analyses_of_board() -> Analyses:
    """Return the analyses of the same votes, spread over ten days, on answers of made-up lengths."""
    chosen = Chosen.of(judged_votes(made_up_votes(480)), CARDS, options=OPTIONS)
    board, lengths = chosen.board(), np.random.default_rng(2).integers(50, 500, size=(2, 480, 5)).astype(np.float64)
    rows = len(board.table.first)
    styles = PairStyles(*lengths[:, :rows], np.ones(rows, dtype=bool))
    agreement = rater_agreement(chosen, board, SharedRows(*np.zeros((4, 0), dtype=np.int64)), OPTIONS.policy)
    days = 20261101 + 10 * np.arange(rows) // rows
    return analyse(chosen, board, styles, lambda found: [BATTLE] * len(found), agreement, days)


def board_of(rows: Sequence[LeaderboardRow] = BOARD.rows, **changes: Any) -> BoardView:
    """Return a view of five models, or with other rows."""
    return BoardView(replace(BOARD, rows=tuple(rows)), **{"cards": CARDS, **changes})
