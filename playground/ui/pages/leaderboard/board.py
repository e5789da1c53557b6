"""A board as HTML: the verdict first, then its parts.

Boundary: strings from a `BoardView`, without texts of visitors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playground.ratings.counting import KINDS
from playground.ui.pages.leaderboard.downloads import downloads
from playground.ui.pages.leaderboard.forest import ratings
from playground.ui.pages.leaderboard.heat_map import heat_maps
from playground.ui.pages.leaderboard.method import method
from playground.ui.pages.leaderboard.missing import missing
from playground.ui.pages.leaderboard.model import model
from playground.ui.pages.leaderboard.table import table
from playground.ui.pages.leaderboard.trust import trust
from playground.ui.pages.leaderboard.view import BoardView
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import leaderboard as texts
from playground.ui.texts.language import joined, said


@dataclass(frozen=True, slots=True)
class Part:
    """A box of the page."""

    name: str  # of its class and id, and of its title in the texts
    draw: Callable[[BoardView], str]  # "" leaves the box out
    is_wide: bool = False


PARTS = (
    Part("model", model, is_wide=True),
    Part("ratings", ratings),
    Part("trust", trust),
    Part("table", table, is_wide=True),
    Part("missing", missing, is_wide=True),
    Part("heat", heat_maps, is_wide=True),
)
"""The boxes below the verdict, in order."""


def lead_html(view: BoardView) -> str:
    """Return the verdict and a line on the votes; `view.advice` is for a board without votes."""
    board, advice = view.board, "" if view.board.num_votes else view.advice
    counted = ""
    if board.num_votes:
        votes = formats.counted(board.num_votes, formats.VOTES)
        counted = texts.LEAD.format(votes=votes, raters=formats.counted(board.num_raters, formats.RATERS))
    lead = joined(" ", (advice or board.verdict.detail, counted))
    kinds = joined(" · ", (f"{said(KINDS[kind])} {votes:,}" for kind, votes in board.kinds.items()))
    html = f"<h1>{escape(board.verdict.headline)}</h1><p class='lead'>{escape(lead)}</p>"
    html += f"<p class='soft kinds'>{escape(kinds)}</p>" if len(board.kinds) > 1 and not board.rows else ""
    return html if board.rows or not view.has_links else f"{html}{_link_compare()}"


def empty_html(headline: str) -> str:
    """Return the lead of a page without a board, with a link to Compare."""
    return f"<h1>{escape(headline)}</h1><p class='lead'>{escape(texts.EMPTY_LEAD)}</p>{_link_compare()}"


def parts_html(view: BoardView, beside: str = "") -> str:
    """Return the boxes, those `beside` the board, and what was counted; empty without a rated model."""
    if not view.rows:
        return ""
    foot = f"{downloads(view)}<p class='basis'>{escape(view.board.basis)}</p>{method(view)}"
    return f"{boxes_html(view)}{beside}{foot}"


def boxes_html(view: BoardView) -> str:
    """Return the boxes that draw the ratings."""
    boxes = "".join(_box(part, inside, view.level) for part in PARTS if (inside := part.draw(view)))
    return f"<div class='boxes'>{boxes}</div>"


def _link_compare() -> str:
    return f"<p><a class='go' href='./'>{escape(texts.EMPTY_LINK)}</a></p>"


def _box(part: Part, inside: str, level: str) -> str:
    kind = f"box box-{part.name}{' wide' if part.is_wide else ''}"
    title = escape(texts.PARTS[part.name].format(level=level))
    return f"<section class='{kind}' id='board-{part.name}' aria-label='{title}'><h2>{title}</h2>{inside}</section>"
