"""The Leaderboard room: verdict, ratings with intervals, who beats whom, ranks, and whether the votes can be trusted.

Boundary: draws a `Leaderboard` as HTML; every name in it is escaped, no visitor's text is in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import gradio as gr

from playground.arena.arena import Arena
from playground.errors import InvalidValue, PlaygroundError
from playground.ratings.board import LeaderboardRow
from playground.ratings.counting import KINDS
from playground.ratings.leaderboard import Leaderboard
from playground.ratings.policy import EVERY_VOTE, CountingPolicy, filtered
from playground.ui import texts
from playground.ui.rendering import escape

ALL = ""
PEOPLE = "people"
STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000)
MOST_TICKS = 7
STRONGEST_TINT = 46  # per cent of the accent in a cell of the heat map; text stays readable on it


class LeaderboardRoom:
    """The room's components; drawn anew whenever it is opened."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self.category = gr.Radio(
            [(texts.BOARD_ALL, ALL), *((name, name) for name in arena.starters)],
            value=ALL,
            label=texts.BOARD_CATEGORY,
            elem_id="board-category",
            elem_classes="tabs",
        )
        self.votes = gr.Radio(
            [(words, view) for view, words in texts.BOARD_VIEWS.items()],
            value=PEOPLE,
            label=texts.BOARD_VIEW,
            elem_id="board-votes",
            elem_classes="tabs",
        )
        self.board = gr.HTML(elem_id="board", apply_default_css=False)

    def wire(self, demo: gr.Blocks) -> None:
        """Draw at each load, and when another category or other votes are chosen."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}
        filters = [self.category, self.votes]
        for listen in (demo.load, self.category.input, self.votes.input):
            listen(self.draw, filters, [self.board], **quiet)

    def draw(self, category: str, votes: str) -> str:
        """The board of one category and one kind of votes."""
        try:
            return board_html(self._arena.leaderboard(category, _policy(self._arena.policy, votes)))
        except InvalidValue:  # no vote has this category yet
            return empty_html(texts.BOARD_EMPTY_CATEGORY.format(category=category))
        except PlaygroundError as error:
            return empty_html(error.public)


def _policy(default: CountingPolicy, view: str) -> CountingPolicy:
    """Which votes a view of the board counts.

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
        case "all":
            return EVERY_VOTE
    raise InvalidValue(f"the votes are {view!r}; valid: {', '.join(texts.BOARD_VIEWS)}")


def empty_html(headline: str) -> str:
    """The room where there is nothing to draw, and the way to change that."""
    return f"<h1>{escape(headline)}</h1><p class='lead'>{escape(texts.BOARD_EMPTY_LEAD)}</p>{_link_compare()}"


def board_html(board: Leaderboard) -> str:
    """The whole room."""
    head = f"<h1>{escape(board.verdict.headline)}</h1>{_lead(board)}"
    if not board.rows:
        return f"{head}{_link_compare()}"
    boxes = (
        _box(texts.BOARD_RATINGS, forest(board.rows), "ratings"),
        _box(texts.BOARD_HEAT, heat_map(board.rows, board.win_probability), "heat"),
        _box(texts.BOARD_TABLE, table(board.rows), "table"),
        _box(texts.BOARD_TRUST, _trust(board), "trust"),
    )
    return f"{head}<div class='boxes'>{''.join(boxes)}</div><p class='basis'>{escape(board.basis)}</p>"


def _lead(board: Leaderboard) -> str:
    counted = ""
    if board.num_votes:
        votes, raters = texts.counted(board.num_votes, "vote"), texts.counted(board.num_raters, "rater")
        counted = texts.BOARD_LEAD.format(votes=votes, raters=raters)
    words = " ".join(part for part in (board.verdict.detail, counted) if part)
    kinds = [(KINDS[kind], votes) for kind, votes in board.kinds.items()]
    apart = f"<p class='soft kinds'>{escape(texts.kinds(kinds))}</p>" if len(kinds) > 1 and not board.rows else ""
    return f"<p class='lead'>{escape(words)}</p>{apart}"


def _link_compare() -> str:
    return f"<p><a class='go' href='./'>{escape(texts.BOARD_EMPTY_LINK)}</a></p>"


def _box(title: str, inside: str, name: str) -> str:
    return f"<section class='box box-{name}' aria-label='{escape(title)}'><h2>{escape(title)}</h2>{inside}</section>"


def forest(rows: Sequence[LeaderboardRow]) -> str:
    """One line per model: the rating as a dot on its interval, over a common scale in points."""
    ticks = scale([row.rating_lower for row in rows] + [row.rating_upper for row in rows])
    low, span = ticks[0], ticks[-1] - ticks[0]

    def place(points: float) -> float:
        return round(100 * (points - low) / span, 2)

    lines = "".join(
        f"<div class='line{' provisional' if row.provisional else ''}'><span class='name'>{escape(row.name)}</span>"
        f"<span class='bar' role='img' aria-label='{escape(_rating_words(row))}'>"
        f"<i style='left:{place(row.rating_lower)}%;right:{100 - place(row.rating_upper):.2f}%'></i>"
        f"<u style='left:{place(row.rating)}%'></u></span></div>"
        for row in rows
    )
    axis = "".join(f"<span style='left:{place(tick)}%'>{tick:g}</span>" for tick in ticks)
    return f"<div class='forest'>{lines}<div class='axis' aria-hidden='true'>{axis}</div></div>"


def _rating_words(row: LeaderboardRow) -> str:
    return f"{row.name}: {row.rating:.0f}, {row.rating_lower:.0f} to {row.rating_upper:.0f}"


def scale(points: Sequence[float]) -> list[float]:
    """Round tick marks that span all `points`, at most seven of them."""
    low, high = min(points), max(points)
    step = next((s for s in STEPS if (high - low) / s <= MOST_TICKS - 2), STEPS[-1])
    while (high - low) / step > MOST_TICKS - 2:
        step *= 2
    first, last = math.floor(low / step), math.ceil(high / step)
    return [float(step * n) for n in range(first, max(last, first + 1) + 1)]


def heat_map(rows: Sequence[LeaderboardRow], probability: Sequence[Sequence[float | None]]) -> str:
    """How often the row beats the column, as fitted; darker is more often."""
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
        texts.BOARD_HEAT, f"<table class='heat'><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _scrolling(label: str, table: str) -> str:
    """A wide table that scrolls inside its box, by keyboard too."""
    return f"<div class='scroll' tabindex='0' role='group' aria-label='{escape(label)}'>{table}</div>"


def shortened(names: Sequence[str]) -> list[str]:
    """Names without the first word that all of them share: "pocket-galpaca", "pocket-minotaur" -> "galpaca" …"""
    firsts = {re.split(r"[ -]", name, maxsplit=1)[0] for name in names}
    rests = [re.split(r"[ -]", name, maxsplit=1)[-1] for name in names]
    return rests if len(names) > 1 and len(firsts) == 1 and len(set(rests)) == len(rests) else list(names)


def _cell(value: float | None) -> str:
    if value is None:
        return "<td class='none'></td>"
    return f"<td style='--tint:{round(STRONGEST_TINT * value)}%'>{value:.2f}</td>"


def table(rows: Sequence[LeaderboardRow]) -> str:
    """Ranks as ranges, with what they rest on."""
    head = "".join(f"<th scope='col' class='{key}'>{escape(words)}</th>" for key, words in texts.BOARD_HEAD.items())
    body = "".join(f"<tr{' class=provisional' if row.provisional else ''}>{_row(row)}</tr>" for row in rows)
    return _scrolling(texts.BOARD_TABLE, f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _row(row: LeaderboardRow) -> str:
    rank = f"{row.rank_lower}" if row.rank_lower == row.rank_upper else f"{row.rank_lower}–{row.rank_upper}"
    cells = {
        "rank": texts.BOARD_PROVISIONAL if row.provisional else rank,
        "rating": f"{row.rating:.0f}",
        "interval": f"{row.rating_lower:.0f}–{row.rating_upper:.0f}",
        "battles": str(row.battles),
        "wins": f"{row.win_rate:.0%}",
        "both_bad": f"{row.both_bad_rate:.0%}",
        "license": row.license,
    }
    return "".join(
        f"<th scope='row'>{escape(row.name)}</th>" if key == "model" else f"<td class='{key}'>{escape(cells[key])}</td>"
        for key in texts.BOARD_HEAD
    )


def _trust(board: Leaderboard) -> str:
    findings = "".join(f"<p><b>{escape(finding.topic)}.</b> {escape(finding.text)}</p>" for finding in board.findings)
    notes = "".join(f"<p class='soft'>{escape(note)}</p>" for note in board.notes)
    return f"{findings}{notes}"
