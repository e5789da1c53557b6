"""The card of one model: whom it beats.

Boundary: a string from a `BoardView` whose address names a model.
"""

from __future__ import annotations

from playground.ratings.phrases import rank_range
from playground.ui.board_address import MODEL
from playground.ui.pages.leaderboard.meetings import Record, meetings_of
from playground.ui.pages.leaderboard.numbers import interval, points
from playground.ui.pages.leaderboard.scrolling import scrolling
from playground.ui.pages.leaderboard.view import BoardView
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import leaderboard as texts

HEADING = "board-model-head"


def model(view: BoardView) -> str:
    """Return the card of the model in the address; empty without one."""
    asked = view.address.model
    if not asked:
        return ""
    row = next((row for row in view.board.rows if row.model == asked), None)
    close = f"<p><a href='{escape(view.address.link(**{MODEL: ''}))}' data-view>{escape(texts.MODEL_CLOSE)}</a></p>"
    head = f"<h3 id='{HEADING}' tabindex='-1'>{escape(asked if row is None else row.name)}</h3>"
    if row is None:
        return f"{head}<p>{escape(texts.MODEL_UNRATED)}</p>{close}"
    said = texts.MODEL_PROVISIONAL if row.provisional else texts.MODEL_RANKED
    words = said.format(
        rank=rank_range(row.rank_lower, row.rank_upper, row.provisional),
        rating=points(row.rating),
        interval=interval(row.rating_lower, row.rating_upper),
        battles=formats.counted(row.battles, formats.BATTLES),
    )
    return f"{head}<p>{escape(words)}</p>{_opponents(view, asked)}{close}"


def _opponents(view: BoardView, asked: str) -> str:
    met = meetings_of(view.board)
    lines = [(row.name, met[asked, row.model]) for row in view.board.rows if (asked, row.model) in met]
    lines.sort(key=lambda line: -line[1].win_rate if line[1].pairs else 0.0)
    head = "".join(f"<th scope='col'>{escape(words)}</th>" for words in texts.OPPONENTS_HEAD)
    body = "".join(_opponent(name, record) for name, record in lines)
    return scrolling(texts.OPPONENTS, f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _opponent(name: str, record: Record) -> str:
    rate = formats.share(record.win_rate) if record.pairs else "–"
    numbers = (rate, *(f"{number:,}" for number in (record.wins, record.losses, record.draws, record.pairs)))
    return f"<tr><th scope='row'>{escape(name)}</th>{''.join(f'<td>{number}</td>' for number in numbers)}</tr>"
