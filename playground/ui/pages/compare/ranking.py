"""Ranking: a vote for an order of the answers, such as b>a=c.

Boundary: `ranking.js` makes the choice from clicks and keys; it is saved as any other vote.
"""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from playground.ui.pages.compare.tab import Tab
from playground.ui.pages.compare.voting import Voting
from playground.ui.wiring import AT_ONCE, Updates

ORDERED = "(_, ...values) => [playground.judged(playground.ranked()), ...values]"
"""The script that names a vote as `script.JUDGED` does, with the choice of `ranking.js`."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The handler of the saved order."""

    voting: Voting

    def wire(self) -> None:
        """Connect the button that `ranking.js` presses."""
        panels = self.voting.replies.panels
        drawn = {"outputs": panels.outputs, **AT_ONCE, "postprocess": False}
        panels.votebar.order.click(self.vote, [panels.shown], js=ORDERED, **drawn)

    def vote(self, sent: object, request: gr.Request) -> Updates:
        """Save the order that the page sent as its choice."""
        return self.voting.vote(sent, request, Tab.read(sent, request).shown.choice)
