"""A table of models against models whose cells are tinted by their values.

Boundary: a string from numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from playground.ratings.board import LeaderboardRow
from playground.ui.pages.leaderboard.scrolling import scrolling
from playground.ui.pages.leaderboard.view import BoardView
from playground.ui.rendering import escape
from playground.ui.texts import leaderboard as texts

STRONGEST_TINT = 46  # per cent of the accent in a cell, which keeps text readable


def fitted(view: BoardView) -> str:
    """Return the map of fitted probabilities."""
    return heat_map(view.board.rows, view.board.win_probability)


def heat_map(rows: Sequence[LeaderboardRow], probability: Sequence[Sequence[float | None]]) -> str:
    """Return the fitted probability that the row beats the column; darker is more likely."""
    names = [row.name for row in rows]
    head = "".join(
        f"<th scope='col' title='{escape(name)}'>{escape(short)}</th>"
        for name, short in zip(names, shortened(names), strict=True)
    )
    body = "".join(
        f"<tr><th scope='row'>{escape(name)}</th>{''.join(_cell(value) for value in line)}</tr>"
        for name, line in zip(names, probability, strict=True)
    )
    return scrolling(
        texts.PARTS["heat"], f"<table class='heat'><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def shortened(names: Sequence[str]) -> list[str]:
    """Drop a first word that all names share: "pocket-galpaca", "pocket-minotaur" -> "galpaca", "minotaur"."""
    firsts = {re.split(r"[ -]", name, maxsplit=1)[0] for name in names}
    rests = [re.split(r"[ -]", name, maxsplit=1)[-1] for name in names]
    return rests if len(names) > 1 and len(firsts) == 1 and len(set(rests)) == len(rests) else list(names)


def _cell(value: float | None) -> str:
    if value is None:
        return "<td class='none'></td>"
    return f"<td style='--tint:{round(STRONGEST_TINT * value)}%'>{value:.2f}</td>"
