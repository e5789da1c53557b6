"""The ratings as dots on their intervals, drawn as SVG.

Widths are shares of the box and heights pixels, so that the letters keep their size on every screen.

Boundary: a string from a `BoardView`; colours are those of the style sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from playground.ratings.board import LeaderboardRow
from playground.ui.pages.leaderboard.numbers import interval, points
from playground.ui.pages.leaderboard.scale import scale
from playground.ui.pages.leaderboard.view import BoardView
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import leaderboard as texts

FARTHEST = 400  # points beyond the best and the worst rating up to which intervals are drawn
TOP, LINE, BAR, FOOT = 4, 48, 30, 24  # px: above all, of a model, to its bar, of the axis
DOT = 6  # px, its radius
MARGIN = 5.5  # per cent on both sides: half of a label, which stands in the middle of its tick


def ratings(view: BoardView) -> str:
    """Return the plot of all rated models."""
    return forest(view.rows, view.level)


def forest(rows: Sequence[LeaderboardRow], level: str) -> str:
    """Return one line per model: its name and numbers, and its rating as a dot on its interval, over a common scale.

    Args:
        level: of the intervals, in per cent.
    """
    dots = [row.rating for row in rows]
    floor, ceiling = min(dots) - FARTHEST, max(dots) + FARTHEST  # an interval may have no end to speak of
    ticks = scale([*(max(row.rating_lower, floor) for row in rows), *(min(row.rating_upper, ceiling) for row in rows)])
    low, span = ticks[0], ticks[-1] - ticks[0]

    def place(at: float) -> str:
        share = min(max((at - low) / span, 0.0), 1.0)
        return f"{MARGIN + (100 - 2 * MARGIN) * share:.2f}%"

    foot = TOP + LINE * len(rows)
    axis = "".join(_tick(tick, place(tick), foot) for tick in ticks)
    lines = "".join(_line(row, TOP + LINE * number, place) for number, row in enumerate(rows))
    words = texts.FOREST_WORDS.format(level=level, models="; ".join(_words(row) for row in rows))
    return (
        f"<svg class='forest' id='forest' role='img' aria-label='{escape(words)}' width='100%' height='{foot + FOOT}' "
        f"xmlns='http://www.w3.org/2000/svg'>{axis}{lines}</svg>"
    )


def _tick(tick: float, x: str, foot: int) -> str:
    label = f"<text class='soft' x='{x}' y='{foot + 18}' text-anchor='middle'>{formats.signed(tick)}</text>"
    return f"<line class='rule' x1='{x}' x2='{x}' y1='{TOP}' y2='{foot}'/>{label}"


def _line(row: LeaderboardRow, top: int, place: Callable[[float], str]) -> str:
    kind, y = " provisional" if row.provisional else "", top + BAR
    numbers = f"{points(row.rating)} ({interval(row.rating_lower, row.rating_upper)})"
    return (
        f"<g class='model{kind}'><text class='name' x='0' y='{top + 16}'>{escape(row.name)}</text>"
        f"<text class='soft' x='100%' y='{top + 16}' text-anchor='end'>{escape(numbers)}</text>"
        f"<line class='bar' x1='{place(row.rating_lower)}' x2='{place(row.rating_upper)}' y1='{y}' y2='{y}'/>"
        f"<circle class='dot' cx='{place(row.rating)}' cy='{y}' r='{DOT}'/></g>"
    )


def _words(row: LeaderboardRow) -> str:
    words = texts.FOREST_PROVISIONAL if row.provisional else texts.FOREST_MODEL
    return words.format(
        name=row.name, rating=points(row.rating), lower=points(row.rating_lower), upper=points(row.rating_upper)
    )
