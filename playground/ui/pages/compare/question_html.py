"""The question which model an answer was, as HTML.

Not to know is to press Reveal: nothing is saved then, and the models are shown at once either way.

Boundary: strings from a `BattleView`.
"""

from __future__ import annotations

from playground.records import BattleState, BattleView
from playground.ui.rendering import escape
from playground.ui.texts import blinding as texts

KEYS = 9
"""Choices that a key of their number chooses."""


def question_html(view: BattleView) -> str:
    """Return the question with its choices while it waits for an answer; else nothing."""
    question = view.question
    if view.state is not BattleState.VOTED or question is None or question.named is not None:
        return ""
    words = escape(texts.QUESTION.format(side=question.side.upper()))
    choices = "".join(_choice(number, name) for number, name in enumerate(question.choices.values(), 1))
    skip = (
        "<button type='button' class='guess unknown' data-tool='press' data-press='reveal' aria-keyshortcuts='r'>"
        f"{escape(texts.DONT_KNOW)}<kbd>r</kbd></button>"
    )
    return f"<div class='question' role='group' aria-label='{words}'><b>{words}</b>{choices}{skip}</div>"


def _choice(number: int, name: str) -> str:
    key, shortcut = (f"<kbd>{number}</kbd>", f" aria-keyshortcuts='{number}'") if number <= KEYS else ("", "")
    return f"<button type='button' class='guess' data-guess='{number}'{shortcut}>{escape(name)}{key}</button>"
