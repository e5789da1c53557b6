"""The agreement of raters, and the side on which each model wins.

Boundary: draws `RaterAgreement` as HTML.
"""

from __future__ import annotations

from playground.ratings.repeats import RaterAgreement, SideWins
from playground.ui.pages.leaderboard.scrolling import scrolling
from playground.ui.rendering import escape
from playground.ui.texts import agreement as texts
from playground.ui.texts import formats


def agreement(found: RaterAgreement) -> str:
    """Return a sentence on raters and each other, one on each with themselves, and a table of sides."""
    sentences = "".join(f"<p>{escape(text)}</p>" for text in found.sentences())
    return f"{sentences}{_sides(found)}"


def _sides(found: RaterAgreement) -> str:
    """Return the table, folded: its one finding is among those on trust."""
    head = "".join(f"<th scope='col'>{escape(words)}</th>" for words in texts.HEAD)
    body = "".join(f"<tr><th scope='row'>{escape(one.name)}</th>{_cells(one)}</tr>" for one in found.sides)
    table = scrolling(texts.SIDES, f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    return (
        f"<details id='board-sides'><summary>{escape(texts.SIDES)}</summary>"
        f"<p class='soft'>{escape(texts.SIDES_NOTE)}</p>{table}</details>"
    )


def _cells(one: SideWins) -> str:
    cells = [_share(one.won_earlier, one.earlier), _share(one.won_later, one.later)]
    if one.difference is None or one.lower is None or one.upper is None:
        cells += ["–", "–"]
    else:
        interval = texts.INTERVAL.format(lower=_points(one.lower), upper=_points(one.upper))
        cells += [_points(one.difference), interval]
    return "".join(f"<td>{escape(cell)}</td>" for cell in cells)


def _share(share: float | None, pairs: int) -> str:
    return "–" if share is None else texts.SHARE_OF.format(share=formats.share(share), pairs=f"{pairs:,}")


def _points(difference: float) -> str:
    """Return a difference of shares in points of a hundred: +4, −12."""
    number = round(100 * difference)
    return f"+{number}" if number > 0 else formats.signed(number)
