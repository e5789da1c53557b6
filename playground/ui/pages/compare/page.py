"""The Compare page: its panels, and the handlers that are wired to them.

Boundary: builds and connects; the modules beside this one do the work.
"""

from __future__ import annotations

import gradio as gr

from playground.arena.arena import Arena
from playground.ui.pages.compare.composing import Composing
from playground.ui.pages.compare.differing import Differing
from playground.ui.pages.compare.drafting import Drafting
from playground.ui.pages.compare.following import Following
from playground.ui.pages.compare.guessing import Guessing
from playground.ui.pages.compare.notes import Notes
from playground.ui.pages.compare.panels import Panels
from playground.ui.pages.compare.ranking import Ranking
from playground.ui.pages.compare.starting import Starting
from playground.ui.pages.compare.tab import Replies
from playground.ui.pages.compare.voting import Voting


class ComparePage:
    """The panels and handlers of the page; created inside a `gr.Blocks`."""

    def __init__(self, arena: Arena) -> None:
        self.panels = Panels.build(arena.models.line_up, arena.starters, arena.settings)
        replies = Replies(arena, self.panels)
        self.composing = Composing(replies)
        self.following = Following(replies)
        self.starting = Starting(replies)
        self.voting = Voting(replies)
        self.ranking = Ranking(self.voting)
        self.guessing = Guessing(replies)
        self.notes = Notes(replies)
        self.differing = Differing(replies)
        self.drafting = Drafting(self.panels)

    def wire(self, demo: gr.Blocks) -> None:
        """Connect all handlers."""
        self.composing.wire(demo)
        self.following.wire(demo)
        self.starting.wire()
        self.voting.wire()
        self.ranking.wire()
        self.guessing.wire()
        self.notes.wire()
        self.differing.wire()
        self.drafting.wire()
