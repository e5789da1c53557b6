"""The Leaderboard page: verdict, ratings with intervals, win probabilities, ranks, findings about trust.

Boundary: asks the arena for boards; `board` draws them.
"""

from __future__ import annotations

import hashlib

import gradio as gr

from playground.arena.arena import Arena
from playground.errors import InvalidValue, PlaygroundError
from playground.ratings.policy import EVERY_VOTE, CountingPolicy, filtered
from playground.records import VoteFilter
from playground.ui.pages.leaderboard.board import empty_html, lead_html, parts_html
from playground.ui.pages.leaderboard.view import BoardView
from playground.ui.pages.store_line import add_store_line
from playground.ui.texts import leaderboard as texts
from playground.ui.wiring import AT_ONCE, Updates, unchanged

ALL = ""
PEOPLE = "people"
REFRESH_S = 15
"""The time between two looks of an open page for new votes."""


class LeaderboardPage:
    """Components of the page, drawn at each load."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        with gr.Column(elem_id="board"):
            self.lead = gr.HTML(elem_id="board-lead", apply_default_css=False)
            self.category = gr.Radio(
                [(texts.ALL, ALL), *((name, name) for name in arena.starters)],
                value=ALL,
                label=texts.CATEGORY,
                elem_id="board-category",
                elem_classes="tabs",
            )
            self.votes = gr.Radio(
                [(words, view) for view, words in texts.VIEWS.items()],
                value=PEOPLE,
                label=texts.VIEW,
                elem_id="board-votes",
                elem_classes="tabs",
            )
            self.parts = gr.HTML(elem_id="board-parts", apply_default_css=False)
        self.shown = gr.Textbox(visible=False)  # a digest of the board on the page
        self.timer = gr.Timer(REFRESH_S)

    def wire(self, demo: gr.Blocks) -> None:
        """Draw at each load, when a filter changes, and when votes have changed the board."""
        drawn = [self.lead, self.parts, self.shown]
        for listen in (demo.load, self.category.input, self.votes.input):
            listen(self.show, [self.category, self.votes], drawn, **AT_ONCE)
        self.timer.tick(self.refresh, [self.category, self.votes, self.shown], drawn, **AT_ONCE)
        add_store_line(self._arena, demo)

    def show(self, category: object, votes: object) -> Updates:
        """Draw the board, and remember which it is."""
        lead, parts = self.draw(category, votes)
        return {self.lead: lead, self.parts: parts, self.shown: _digest(lead + parts)}

    def refresh(self, category: object, votes: object, shown: object) -> Updates:
        """Draw the board if it is another than the one that is shown: a reader's place in it is kept otherwise."""
        updates = self.show(category, votes)
        return unchanged(self.parts) if updates[self.shown] == shown else updates

    def draw(self, category: object, votes: object) -> tuple[str, str]:
        """Draw lead and parts of the board of one category and one kind of votes."""
        try:
            view = self._view(str(category), _policy(self._arena.policy, votes), str(votes))
        except PlaygroundError as error:
            return empty_html(error.public), ""
        if view is None:
            return empty_html(texts.EMPTY_CATEGORY.format(category=category)), ""
        return lead_html(view), parts_html(view)

    def _view(self, category: str, policy: CountingPolicy, votes: str) -> BoardView | None:
        """Return the board of a category; None if no vote is in it."""
        try:
            board = self._arena.leaderboard(VoteFilter(category=category), policy)
        except InvalidValue:
            return None
        line_up = [card.id for card in self._arena.models.line_up]
        return BoardView(board, self._arena.catalog.cards, line_up, texts.EMPTY_VIEWS.get(votes, ""))


def _digest(html: str) -> str:
    return hashlib.sha256(html.encode()).hexdigest()


def _policy(default: CountingPolicy, view: object) -> CountingPolicy:
    """Return the votes that a view of the board counts.

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
        case "imported":
            return filtered(default, imported=True)
        case "all":
            return EVERY_VOTE
    raise InvalidValue(f"the votes are {view!r}; valid: {', '.join(texts.VIEWS)}")
