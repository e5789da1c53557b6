"""The table of all models.

Boundary: a string from rows of a board.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.ratings.board import LeaderboardRow
from playground.ratings.phrases import rank_range
from playground.ui.pages.leaderboard.numbers import points
from playground.ui.pages.leaderboard.scrolling import scrolling
from playground.ui.rendering import escape
from playground.ui.texts import leaderboard as texts


def table(rows: Sequence[LeaderboardRow]) -> str:
    """Return the table of ranks, ratings and numbers of battles."""
    head = "".join(f"<th scope='col' class='{key}'>{escape(words)}</th>" for key, words in texts.HEAD.items())
    body = "".join(f"<tr{' class=provisional' if row.provisional else ''}>{_row(row)}</tr>" for row in rows)
    return scrolling(texts.TABLE, f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _row(row: LeaderboardRow) -> str:
    cells = {
        "rank": rank_range(row.rank_lower, row.rank_upper, row.provisional),
        "rating": points(row.rating),
        "interval": f"{points(row.rating_lower)}–{points(row.rating_upper)}",
        "battles": str(row.battles),
        "wins": f"{row.win_rate:.0%}",
        "both_bad": f"{row.both_bad_rate:.0%}",
        "license": row.license,
    }
    return "".join(
        f"<th scope='row'>{escape(row.name)}</th>" if key == "model" else f"<td class='{key}'>{escape(cells[key])}</td>"
        for key in texts.HEAD
    )
