"""Guesses: the answer to the question which model an answer was, between a vote and its reveal.

Boundary: `guess.js` makes the choice from clicks and keys; the database decides whether it is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from playground.errors import InvalidValue, PlaygroundError
from playground.records import Question
from playground.ui.pages.compare.tab import Replies, Tab
from playground.ui.texts import compare as texts
from playground.ui.wiring import AT_ONCE, Updates

GUESSED = "(_, ...values) => [playground.judged(playground.guessed()), ...values]"
"""The script that names a guess as `script.JUDGED` names a vote: the number of the choice, from 1."""


@dataclass(frozen=True, slots=True)
class Guessing:
    """The handler of the guess."""

    replies: Replies

    def wire(self) -> None:
        """Connect the button that `guess.js` presses."""
        panels = self.replies.panels
        drawn = {"outputs": panels.outputs, **AT_ONCE, "postprocess": False}
        panels.votebar.guess.click(self.guess, [panels.shown], js=GUESSED, **drawn)

    def guess(self, sent: object, request: gr.Request) -> Updates:
        """Save the guess that the page sent as its choice, and draw the revealed battle."""
        tab, battles = Tab.read(sent, request), self.replies.arena.battles
        try:
            viewer, question = tab.viewer, self.replies.view(tab).question
            named = "" if question is None else _named(question, tab.shown.choice)
            return self.replies.draw(tab.shown, battles.guess(tab.battle_id, viewer, named), again=True)
        except PlaygroundError as error:
            return self.replies.refused(tab, error)


def _named(question: Question, number: str) -> str:
    """Return the id of the choice with a number; raise InvalidValue if there is none."""
    ids = list(question.choices)
    if not (number.isascii() and number.isdecimal() and 1 <= int(number) <= len(ids)):
        raise InvalidValue(texts.PAGE_CHANGED)
    return ids[int(number) - 1]
