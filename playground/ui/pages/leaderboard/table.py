"""The table of all models.

Boundary: a string from a `BoardView`.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.ratings.board import LeaderboardRow
from playground.ratings.phrases import rank_range
from playground.ui.board_address import MODEL
from playground.ui.pages.leaderboard.model import HEADING
from playground.ui.pages.leaderboard.numbers import interval, points
from playground.ui.pages.leaderboard.scrolling import scrolling
from playground.ui.pages.leaderboard.view import BoardView
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import leaderboard as texts


def table(view: BoardView) -> str:
    """Return the table of ranks, ratings, numbers of battles, and the figures that the cards publish."""
    head = "".join(
        f"<th scope='col' class='{key}'>{escape(words.format(level=view.level))}</th>"
        for key, words in texts.HEAD.items()
    )
    head += "".join(f"<th scope='col' class='metric'>{escape(name)}</th>" for name in view.metrics)
    body = "".join(f"<tr{' class=provisional' if row.provisional else ''}>{_row(row, view)}</tr>" for row in view.rows)
    note = f"<p class='soft'>{escape(texts.METRICS_NOTE)}</p>" if view.metrics else ""
    return scrolling(texts.PARTS["table"], f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>") + note


def _row(row: LeaderboardRow, view: BoardView) -> str:
    cells = {
        "rank": rank_range(row.rank_lower, row.rank_upper, row.provisional),
        "rating": points(row.rating),
        "interval": interval(row.rating_lower, row.rating_upper),
        "battles": f"{row.battles:,}",
        "wins": formats.share(row.win_rate),
        "both_bad": formats.share(row.both_bad_rate),
        "license": row.license,
    }
    own = "".join(
        f"<th scope='row'>{_name(row, view)}</th>" if key == "model" else f"<td class='{key}'>{escape(cells[key])}</td>"
        for key in texts.HEAD
    )
    published = view.cards[row.model].metrics if row.model in view.cards else {}
    return own + "".join(f"<td class='metric'>{_figure(published, name)}</td>" for name in view.metrics)


def _name(row: LeaderboardRow, view: BoardView) -> str:
    retired = f" <small>{escape(texts.RETIRED)}</small>" if view.is_retired(row.model) else ""
    if not view.has_links:
        return f"{escape(row.name)}{retired}"
    link = escape(view.address.link(**{MODEL: row.model}))
    return f"<a href='{link}' data-view data-focus='{HEADING}'>{escape(row.name)}</a>{retired}"


def _figure(published: Mapping[str, float], name: str) -> str:
    return formats.signed(published[name]) if name in published else "–"
