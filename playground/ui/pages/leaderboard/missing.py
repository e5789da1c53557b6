"""The battles that models need before anything is claimed of them.

Boundary: a string from a `BoardView`.
"""

from __future__ import annotations

from playground.ui.pages.leaderboard.view import BoardView
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import leaderboard as texts


def missing(view: BoardView) -> str:
    """Return the models with too few battles, and the number that each needs; empty if none does."""
    least = view.board.options.min_battles
    rated = {row.model for row in view.board.rows}
    unrated = [model for model in view.line_up or () if model not in rated]
    names = {model: view.cards[model].name if model in view.cards else model for model in unrated}
    lines = [(row.name, least - row.battles) for row in view.rows if row.battles < least]
    lines += [(names[model], least) for model in unrated]
    if not lines:
        return ""
    items = "".join(
        f"<li><b>{escape(name)}</b> {escape(formats.counted(number, texts.MORE_BATTLES))}</li>"
        for name, number in sorted(lines, key=lambda line: line[1])
    )
    return f"<p class='soft'>{escape(texts.MISSING_NOTE.format(least=least))}</p><ul>{items}</ul>"
