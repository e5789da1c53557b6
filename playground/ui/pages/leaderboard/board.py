"""A board as HTML: the verdict first, then its boxes.

Boundary: a string from a `Leaderboard`, without texts of visitors.
"""

from __future__ import annotations

from playground.ratings.counting import KINDS
from playground.ratings.leaderboard import Leaderboard
from playground.ui.pages.leaderboard.forest import forest
from playground.ui.pages.leaderboard.heat_map import heat_map
from playground.ui.pages.leaderboard.table import table
from playground.ui.pages.leaderboard.trust import trust
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import leaderboard as texts


def empty_html(headline: str) -> str:
    """Return a page without a board, with a link to Compare."""
    return f"<h1>{escape(headline)}</h1><p class='lead'>{escape(texts.EMPTY_LEAD)}</p>{_link_compare()}"


def board_html(board: Leaderboard, advice: str = "") -> str:
    """Return the whole page; `advice` replaces that of a board without votes, which is meant for visitors."""
    advice = "" if board.num_votes else advice
    head = f"<h1>{escape(board.verdict.headline)}</h1>{_lead(board, advice)}"
    if not board.rows:
        return head if advice else f"{head}{_link_compare()}"
    boxes = (
        _box(texts.RATINGS, forest(board.rows), "ratings"),
        _box(texts.HEAT, heat_map(board.rows, board.win_probability), "heat"),
        _box(texts.TABLE, table(board.rows), "table"),
        _box(texts.TRUST, trust(board), "trust"),
    )
    return f"{head}<div class='boxes'>{''.join(boxes)}</div><p class='basis'>{escape(board.basis)}</p>"


def _lead(board: Leaderboard, advice: str) -> str:
    counted = ""
    if board.num_votes:
        votes = formats.counted(board.num_votes, formats.VOTES)
        counted = texts.LEAD.format(votes=votes, raters=formats.counted(board.num_raters, formats.RATERS))
    lead = " ".join(part for part in (advice or board.verdict.detail, counted) if part)
    kinds = " · ".join(f"{KINDS[kind]} {votes:,}" for kind, votes in board.kinds.items())
    html = f"<p class='lead'>{escape(lead)}</p>"
    return f"{html}<p class='soft kinds'>{escape(kinds)}</p>" if len(board.kinds) > 1 and not board.rows else html


def _link_compare() -> str:
    return f"<p><a class='go' href='./'>{escape(texts.EMPTY_LINK)}</a></p>"


def _box(title: str, inside: str, name: str) -> str:
    return f"<section class='box box-{name}' aria-label='{escape(title)}'><h2>{escape(title)}</h2>{inside}</section>"
