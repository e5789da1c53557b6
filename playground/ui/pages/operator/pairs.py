"""The pairs of models with their chances of being drawn next, for the operator.

Boundary: draws what the arena's pair choice knows.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.arena.arena import Arena
from playground.ratings.pairing import PairState
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import operator as texts

MOST_PAIRS = 100


def pairs_html(arena: Arena) -> str:
    """Return the pairs as a table, the likeliest first."""
    pairing, title = arena.pair_choice.pairing, escape(texts.PAIRS)
    pairs = () if pairing is None else pairing.pairs_of(arena.models.ids())
    if pairing is None or not pairs:
        inside = f"<p class='soft'>{escape(texts.PAIRS_UNIFORM)}</p>"
    else:
        words = texts.PAIRS_LEAD if pairing.is_informed else texts.PAIRS_WAITING
        votes, uniform = formats.counted(pairing.votes, formats.VOTES), formats.chance(1 / len(pairs))
        inside = f"<p class='soft'>{escape(words.format(votes=votes, uniform=uniform))}</p>{_table(arena, pairs)}"
    return f"<section class='pairs' aria-label='{title}'><h2>{title}</h2>{inside}</section>"


def _table(arena: Arena, pairs: Sequence[PairState]) -> str:
    names = {card.id: card.name for card in arena.models.line_up}
    head = "".join(f"<th scope='col'>{escape(words)}</th>" for words in texts.PAIRS_HEAD)
    body = "".join(
        f"<tr><th scope='row'>{escape(texts.PAIRS_OF.format(first=names[p.model_a], second=names[p.model_b]))}</th>"
        f"<td>{formats.chance(p.chance)}</td><td>{p.met:,}</td></tr>"
        for p in pairs[:MOST_PAIRS]
    )
    left = len(pairs) - MOST_PAIRS
    more = f"<p class='soft'>{escape(texts.PAIRS_MORE.format(count=left))}</p>" if left > 0 else ""
    scroll = f"<div class='scroll' tabindex='0' role='group' aria-label='{escape(texts.PAIRS)}'>"
    return f"{scroll}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}"
