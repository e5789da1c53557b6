"""HTML of the judged battles of the Data page, newest first.

Boundary: strings from rows; the rows are of revealed battles with their words.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.records import BattleRow
from playground.ui.data_address import BEFORE, DataAddress
from playground.ui.rendering import escape
from playground.ui.texts import compare as compare_texts
from playground.ui.texts import data as texts
from playground.ui.texts.language import joined

HEADING = "data-battles-head"
SHOWN = 20
"""Battles on a page of the list."""
START_CHARS = 160


def battles_html(rows: Sequence[BattleRow], address: DataAddress, has_older: bool) -> str:
    """Return a page of the list with links to the battles, and to the next page."""
    head = f"<h2 id='{HEADING}' tabindex='-1'>{escape(texts.BATTLES)}</h2>"
    if not rows:
        return f"<section aria-labelledby='{HEADING}'>{head}<p class='soft'>{escape(texts.NO_BATTLES)}</p></section>"
    items = "".join(_item(row) for row in rows)
    links = _page_link(address, "", texts.NEWEST) if address.before else ""
    links += _page_link(address, rows[-1].cursor, texts.OLDER) if has_older else ""
    pages = f"<nav class='pages' aria-label='{escape(texts.BATTLES)}'>{links}</nav>" if links else ""
    return f"<section aria-labelledby='{HEADING}'>{head}<ol class='own'>{items}</ol>{pages}</section>"


def _item(row: BattleRow) -> str:
    link = f"<a href='./?battle={escape(row.battle_id)}&amp;look=1'>{escape(_title(row))}</a>"
    return f"<li>{link}<small>{escape(facts(row))}</small></li>"


def _page_link(address: DataAddress, before: str, words: str) -> str:
    link = address.link(**{BEFORE: before})
    return f"<a href='{escape(link)}' data-view data-focus='{HEADING}'>{escape(words)}</a>"


def _title(row: BattleRow) -> str:
    start = " ".join(row.start.split())
    return (f"{start[:START_CHARS]}…" if len(start) > START_CHARS else start) or texts.NO_TEXT


def facts(row: BattleRow) -> str:
    """Return the outcome, reasons, category and day of a battle."""
    reasons = [compare_texts.REASON_CHIPS.get(reason, reason) for reason in row.reasons]
    parts = (
        outcome(row),
        texts.BECAUSE.format(reasons=joined(", ", reasons)) if reasons else "",
        row.category,
        texts.CHOICES["origin"].get(row.origin, row.origin) if row.origin != "person" else "",
        "" if row.blind else texts.CHOICES["mode"]["open"],
        f"{row.created_at[:16].replace('T', ' ')} UTC",
    )
    return joined(" · ", parts)


def outcome(row: BattleRow) -> str:
    """Return the winner of a battle and the other models."""
    names = texts.join_names(row.models)
    if row.winner == "tie":
        return texts.TIED.format(models=names)
    if row.winner == "both_bad":
        return texts.ALL_BAD.format(models=names)
    if row.winner not in row.models:
        return texts.RANKED.format(order=row.winner.replace(">", " > ").replace("=", " = "))
    others = list(row.models)
    others.remove(row.winner)
    return texts.BEST.format(winner=row.winner, others=texts.join_names(others))
