"""The Leaderboard page: verdict, ratings with intervals, win probabilities, ranks, findings about trust.

Boundary: draws a `Leaderboard` as HTML, without texts of visitors.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence

import gradio as gr

from playground.arena.arena import Arena
from playground.errors import InvalidValue, PlaygroundError
from playground.ratings.board import LeaderboardRow
from playground.ratings.counting import KINDS
from playground.ratings.leaderboard import Leaderboard
from playground.ratings.phrases import rank_range
from playground.ratings.policy import EVERY_VOTE, CountingPolicy, filtered
from playground.records import VoteFilter
from playground.ui.pages.board_analyses import analyses_html
from playground.ui.pages.board_trust import trust_html
from playground.ui.pages.store_line import add_store_line
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import leaderboard as texts
from playground.ui.texts.language import joined, said
from playground.ui.wiring import AT_ONCE, Updates, unchanged

ALL = ""
PEOPLE = "people"
REFRESH_S = 15
"""The time between two looks of an open page for new votes."""
STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000)
MOST_TICKS = 7
FARTHEST = 400  # points beyond the best and the worst rating up to which intervals are drawn
STRONGEST_TINT = 46  # per cent of the accent in a cell of the heat map, which keeps text readable


class LeaderboardPage:
    """Components of the page, drawn at each load."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self.category = gr.Radio(
            [(texts.ALL, ALL), *((name, name) for name in arena.starters)],
            value=ALL,
            label=texts.CATEGORY,
            elem_id="board-category",
            elem_classes="tabs",
        )
        self.votes = gr.Radio(
            [(words, view) for view, words in texts.VIEWS.items()],
            value=PEOPLE,
            label=texts.VIEW,
            elem_id="board-votes",
            elem_classes="tabs",
        )
        self.board = gr.HTML(elem_id="board", apply_default_css=False)
        self.shown = gr.Textbox(visible=False)  # a digest of the board on the page
        self.timer = gr.Timer(REFRESH_S)

    def wire(self, demo: gr.Blocks) -> None:
        """Draw at each load, when a filter changes, and when votes have changed the board."""
        drawn = [self.board, self.shown]
        for listen in (demo.load, self.category.input, self.votes.input):
            listen(self.show, [self.category, self.votes], drawn, **AT_ONCE)
        self.timer.tick(self.refresh, [self.category, self.votes, self.shown], drawn, **AT_ONCE)
        add_store_line(self._arena, demo)

    def show(self, category: object, votes: object) -> Updates:
        """Draw the board, and remember which it is."""
        html = self.draw(category, votes)
        return {self.board: html, self.shown: _digest(html)}

    def refresh(self, category: object, votes: object, shown: object) -> Updates:
        """Draw the board if it is another than the one that is shown: a reader's place in it is kept otherwise."""
        updates = self.show(category, votes)
        return unchanged(self.board) if updates[self.shown] == shown else updates

    def draw(self, category: object, votes: object) -> str:
        """Draw the board of one category and one kind of votes."""
        try:
            policy, view = _policy(self._arena.policy, votes), str(votes)
        except InvalidValue as error:
            return empty_html(error.public)
        try:
            filter = VoteFilter(category=str(category))
            board = board_html(self._arena.leaderboard(filter, policy), texts.EMPTY_VIEWS.get(view, ""))
            return board + analyses_html(self._arena.analyses(filter, policy)) + trust_html(self._arena)
        except InvalidValue:  # no vote in this category
            return empty_html(texts.EMPTY_CATEGORY.format(category=category))
        except PlaygroundError as error:
            return empty_html(error.public)


def _digest(html: str) -> str:
    return hashlib.sha256(html.encode()).hexdigest()


def _policy(default: CountingPolicy, view: object) -> CountingPolicy:
    """Return the votes that a view of the board counts.

    Raises:
        InvalidValue: an unknown view.
    """
    match view:
        case "people":
            return default
        case "programs":
            return filtered(default, origin="program")
        case "chosen":
            return filtered(default, pairs="chosen")
        case "imported":
            return filtered(default, imported=True)
        case "all":
            return EVERY_VOTE
    raise InvalidValue(f"the votes are {view!r}; valid: {', '.join(texts.VIEWS)}")


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
        _box(texts.TRUST, _trust(board), "trust"),
    )
    return f"{head}<div class='boxes'>{''.join(boxes)}</div><p class='basis'>{escape(board.basis)}</p>"


def _lead(board: Leaderboard, advice: str) -> str:
    counted = ""
    if board.num_votes:
        votes = formats.counted(board.num_votes, formats.VOTES)
        counted = texts.LEAD.format(votes=votes, raters=formats.counted(board.num_raters, formats.RATERS))
    lead = joined(" ", (advice or board.verdict.detail, counted))
    kinds = joined(" · ", (f"{said(KINDS[kind])} {votes:,}" for kind, votes in board.kinds.items()))
    html = f"<p class='lead'>{escape(lead)}</p>"
    return f"{html}<p class='soft kinds'>{escape(kinds)}</p>" if len(board.kinds) > 1 and not board.rows else html


def _link_compare() -> str:
    return f"<p><a class='go' href='./'>{escape(texts.EMPTY_LINK)}</a></p>"


def _box(title: str, inside: str, name: str) -> str:
    return f"<section class='box box-{name}' aria-label='{escape(title)}'><h2>{escape(title)}</h2>{inside}</section>"


def forest(rows: Sequence[LeaderboardRow]) -> str:
    """Return one line per model: the rating as a dot on its interval, over a common scale."""
    ratings = [row.rating for row in rows]
    floor, ceiling = min(ratings) - FARTHEST, max(ratings) + FARTHEST  # an interval may have no end to speak of
    ticks = scale([*(max(row.rating_lower, floor) for row in rows), *(min(row.rating_upper, ceiling) for row in rows)])
    low, span = ticks[0], ticks[-1] - ticks[0]

    def place(points: float) -> float:
        return min(max(round(100 * (points - low) / span, 2), 0.0), 100.0)

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
    rating, lower, upper = map(_points, (row.rating, row.rating_lower, row.rating_upper))
    return texts.RATED.format(model=row.name, rating=rating, lower=lower, upper=upper)


def _points(rating: float) -> str:
    return formats.signed(round(rating))


def scale(points: Sequence[float]) -> list[float]:
    """Return at most seven round tick marks that span all `points`."""
    low, high = min(points), max(points)
    step = next((s for s in STEPS if (high - low) / s <= MOST_TICKS - 2), STEPS[-1])
    while (high - low) / step > MOST_TICKS - 2:
        step *= 2
    first, last = math.floor(low / step), math.ceil(high / step)
    return [float(step * n) for n in range(first, max(last, first + 1) + 1)]


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
    return _scrolling(
        texts.HEAT, f"<table class='heat'><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _scrolling(label: str, table: str) -> str:
    """Return a table that scrolls inside its box, also by keyboard."""
    return f"<div class='scroll' tabindex='0' role='group' aria-label='{escape(label)}'>{table}</div>"


def shortened(names: Sequence[str]) -> list[str]:
    """Drop a first word that all names share: "pocket-galpaca", "pocket-minotaur" -> "galpaca", "minotaur"."""
    firsts = {re.split(r"[ -]", name, maxsplit=1)[0] for name in names}
    rests = [re.split(r"[ -]", name, maxsplit=1)[-1] for name in names]
    return rests if len(names) > 1 and len(firsts) == 1 and len(set(rests)) == len(rests) else list(names)


def _cell(value: float | None) -> str:
    if value is None:
        return "<td class='none'></td>"
    return f"<td style='--tint:{round(STRONGEST_TINT * value)}%'>{value:.2f}</td>"


def table(rows: Sequence[LeaderboardRow]) -> str:
    """Return the table of ranks, ratings and numbers of battles."""
    head = "".join(f"<th scope='col' class='{key}'>{escape(words)}</th>" for key, words in texts.HEAD.items())
    body = "".join(f"<tr{' class=provisional' if row.provisional else ''}>{_row(row)}</tr>" for row in rows)
    return _scrolling(texts.TABLE, f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _row(row: LeaderboardRow) -> str:
    cells = {
        "rank": rank_range(row.rank_lower, row.rank_upper, row.provisional),
        "rating": _points(row.rating),
        "interval": f"{_points(row.rating_lower)}–{_points(row.rating_upper)}",
        "battles": str(row.battles),
        "wins": f"{row.win_rate:.0%}",
        "both_bad": f"{row.both_bad_rate:.0%}",
        "license": row.license,
    }
    return "".join(
        f"<th scope='row'>{escape(row.name)}</th>" if key == "model" else f"<td class='{key}'>{escape(cells[key])}</td>"
        for key in texts.HEAD
    )


def _trust(board: Leaderboard) -> str:
    findings = "".join(f"<p><b>{escape(finding.topic)}.</b> {escape(finding.text)}</p>" for finding in board.findings)
    notes = "".join(f"<p class='soft'>{escape(note)}</p>" for note in board.notes)
    return f"{findings}{notes}"
