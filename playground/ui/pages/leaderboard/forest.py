"""The ratings as dots on their intervals.

Boundary: a string from rows of a board.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.ratings.board import LeaderboardRow
from playground.ui.pages.leaderboard.numbers import points
from playground.ui.pages.leaderboard.scale import scale
from playground.ui.pages.leaderboard.view import BoardView
from playground.ui.rendering import escape
from playground.ui.texts import formats

FARTHEST = 400  # points beyond the best and the worst rating up to which intervals are drawn


def ratings(view: BoardView) -> str:
    """Return the plot of all rated models."""
    return forest(view.board.rows)


def forest(rows: Sequence[LeaderboardRow]) -> str:
    """Return one line per model: the rating as a dot on its interval, over a common scale."""
    dots = [row.rating for row in rows]
    floor, ceiling = min(dots) - FARTHEST, max(dots) + FARTHEST  # an interval may have no end to speak of
    ticks = scale([*(max(row.rating_lower, floor) for row in rows), *(min(row.rating_upper, ceiling) for row in rows)])
    low, span = ticks[0], ticks[-1] - ticks[0]

    def place(at: float) -> float:
        return min(max(round(100 * (at - low) / span, 2), 0.0), 100.0)

    lines = "".join(
        f"<div class='line{' provisional' if row.provisional else ''}'><span class='name'>{escape(row.name)}</span>"
        f"<span class='bar' role='img' aria-label='{escape(_rating_words(row))}'>"
        f"<i style='left:{place(row.rating_lower)}%;right:{100 - place(row.rating_upper):.2f}%'></i>"
        f"<u style='left:{place(row.rating)}%'></u></span></div>"
        for row in rows
    )
    axis = "".join(f"<span style='left:{place(tick)}%'>{formats.signed(tick)}</span>" for tick in ticks)
    return f"<div class='forest'>{lines}<div class='axis' aria-hidden='true'>{axis}</div></div>"


def _rating_words(row: LeaderboardRow) -> str:
    return f"{row.name}: {points(row.rating)}, {points(row.rating_lower)} to {points(row.rating_upper)}"
