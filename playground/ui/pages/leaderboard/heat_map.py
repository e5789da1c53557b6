"""Models against models: one tinted table for each thing that can be said of two models.

Boundary: strings from a `BoardView`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from playground.ratings.board import LeaderboardRow
from playground.ui.pages.leaderboard.meetings import Record, meetings_of
from playground.ui.pages.leaderboard.scrolling import scrolling
from playground.ui.pages.leaderboard.view import BoardView
from playground.ui.rendering import escape
from playground.ui.texts import leaderboard as texts

STRONGEST_TINT = 46  # per cent of the accent in a cell, which keeps text readable
NAME_PX, CELL_PX = 84, 50  # the least width of names and of a cell; a narrower box scrolls


@dataclass(frozen=True, slots=True)
class HeatMapCell:
    """A number of two models."""

    text: str
    tint: float  # of the accent, 0 to 1


NOTHING = HeatMapCell("", 0.0)
Grid = Sequence[Sequence[HeatMapCell]]
"""Cells by row and column, in the order of the board."""


def heat_maps(view: BoardView) -> str:
    """Return the fitted probabilities beside the observed win rates and the numbers of pairs."""
    models = [row.model for row in view.rows]
    met = meetings_of(view.board)
    records = [[met.get((one, other)) for other in models] for one in models]
    probability = view.board.win_probability
    maps = {
        "fitted": [[_fitted(probability[i][j]) for j in view.shown] for i in view.shown],
        "observed": [[_observed(record) for record in line] for line in records],
        "counts": _counts(records),
    }
    figures = "".join(heat_map(name, view.rows, grid) for name, grid in maps.items())
    return f"<div class='maps'>{figures}</div>"


def heat_map(name: str, rows: Sequence[LeaderboardRow], grid: Grid) -> str:
    """Return one table with its caption; a darker cell has the larger number."""
    names = [row.name for row in rows]
    shorts = shortened(names)
    head = "".join(
        f"<th scope='col' title='{escape(name)}'><span>{escape(short)}</span></th>"
        for name, short in zip(names, shorts, strict=True)
    )
    body = "".join(
        f"<tr><th scope='row' title='{escape(full)}'>{escape(short)}</th>{''.join(map(_cell, line))}</tr>"
        for full, short, line in zip(names, shorts, grid, strict=True)
    )
    title, note = texts.MAPS[name]
    width = f"min-width:{NAME_PX + CELL_PX * len(rows)}px"
    table = f"<table class='heat' style='{width}'><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    caption = f"<figcaption><h3>{escape(title)}</h3><p class='soft'>{escape(note)}</p></figcaption>"
    return f"<figure>{caption}{scrolling(title, table)}</figure>"


def shortened(names: Sequence[str]) -> list[str]:
    """Drop a first word that all names share: "pocket-galpaca", "pocket-minotaur" -> "galpaca", "minotaur"."""
    firsts = {re.split(r"[ -]", name, maxsplit=1)[0] for name in names}
    rests = [re.split(r"[ -]", name, maxsplit=1)[-1] for name in names]
    return rests if len(names) > 1 and len(firsts) == 1 and len(set(rests)) == len(rests) else list(names)


def _cell(cell: HeatMapCell) -> str:
    if not cell.text:
        return "<td class='none'></td>"
    return f"<td style='--tint:{round(STRONGEST_TINT * cell.tint)}%'>{escape(cell.text)}</td>"


def _fitted(value: float | None) -> HeatMapCell:
    return NOTHING if value is None else HeatMapCell(f"{100 * value:.0f}", value)


def _observed(record: Record | None) -> HeatMapCell:
    return (
        NOTHING if record is None or not record.pairs else HeatMapCell(f"{100 * record.win_rate:.0f}", record.win_rate)
    )


def _counts(records: Sequence[Sequence[Record | None]]) -> Grid:
    most = max((record.pairs for line in records for record in line if record is not None), default=1)
    return [
        [
            NOTHING if record is None else HeatMapCell(f"{record.pairs:,}", record.pairs / max(most, 1))
            for record in line
        ]
        for line in records
    ]
