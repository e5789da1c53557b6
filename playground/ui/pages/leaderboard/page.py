"""The Leaderboard page: verdict, ratings with intervals, win rates, ranks, findings about trust.

Boundary: reads the address and asks the arena for boards; `board` draws them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import gradio as gr

from playground.arena.arena import Arena
from playground.errors import PlaygroundError, UnknownCategory
from playground.ui.board_address import BoardAddress, Selection, read_board_address
from playground.ui.http.operator import operator_status
from playground.ui.http.rater_cookie import rater_of
from playground.ui.pages.leaderboard.analyses import analyses_html
from playground.ui.pages.leaderboard.blinding import blinding_html
from playground.ui.pages.leaderboard.board import empty_html, lead_html, parts_html
from playground.ui.pages.leaderboard.filters import form_html
from playground.ui.pages.leaderboard.left_out import left_out_html
from playground.ui.pages.leaderboard.view import BoardView
from playground.ui.pages.store_line import add_store_line
from playground.ui.query import echoed, read_query
from playground.ui.rendering import live_region
from playground.ui.texts import leaderboard as texts
from playground.ui.wiring import AT_ONCE, Updates, unchanged

REFRESH_S = 15
"""The time between two looks of an open page for new votes."""
SAID = "leaderboard-said"
"""Id of the live region; it names the address that was drawn."""
ASKED = "() => [location.search]"
ASKED_AGAIN = "(query, shown) => [location.search, shown]"


@dataclass(frozen=True, slots=True)
class Drawn:
    """The page for one address."""

    form: str
    lead: str
    parts: str
    error: str = ""

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.lead}{self.parts}{self.error}".encode()).hexdigest()


class LeaderboardPage:
    """Components of the page, drawn for its address."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        with gr.Column(elem_id="board"):
            self.lead = gr.HTML(elem_id="board-lead", apply_default_css=False)
            self.form = gr.HTML(elem_id="board-filters", apply_default_css=False)
            self.said = gr.HTML(elem_id="board-said", apply_default_css=False)
            self.parts = gr.HTML(elem_id="board-parts", apply_default_css=False)
        self.query = gr.Textbox("", visible=False)
        self.shown = gr.Textbox(visible=False)  # a digest of the board on the page
        self.ask = gr.Button("show", elem_id="leaderboard-show", elem_classes="unseen")
        self.timer = gr.Timer(REFRESH_S)

    def wire(self, demo: gr.Blocks) -> None:
        """Draw at each load, when the script has changed the address, and when votes have changed the board."""
        drawn = [self.form, self.lead, self.said, self.parts, self.shown]
        demo.load(self.show, [self.query], drawn, js=ASKED, **AT_ONCE)
        self.ask.click(self.show, [self.query], drawn, js=ASKED, trigger_mode="multiple", **AT_ONCE)
        self.timer.tick(self.refresh, [self.query, self.shown], drawn, js=ASKED_AGAIN, **AT_ONCE)
        add_store_line(self._arena, demo)

    def show(self, query: object, request: gr.Request) -> Updates:
        """Draw the board of an address, and remember which it is."""
        drawn = self.draw(query, rater_of(request), operator_status(request).is_operator)
        return {
            self.form: drawn.form,
            self.lead: drawn.lead,
            self.said: live_region(SAID, drawn.error, is_error=bool(drawn.error), data={"query": echoed(query)}),
            self.parts: drawn.parts,
            self.shown: drawn.digest,
        }

    def refresh(self, query: object, shown: object, request: gr.Request) -> Updates:
        """Draw the board if it is another than the one that is shown: a reader's place in it is kept otherwise."""
        updates = self.show(query, request)
        if updates[self.shown] == shown:
            return unchanged(self.parts)
        del updates[self.form]  # somebody may be about to change it
        return updates

    def draw(self, query: object, rater: str | None, is_operator: bool = False) -> Drawn:
        """Draw the page of an address; an address that cannot be shown says why."""
        address = BoardAddress()
        try:
            address = read_board_address(read_query(query))
            form = form_html(address, tuple(self._arena.starters))
            selection = address.selection(self._arena.policy, rater)
            view = self._view(address, selection)
        except PlaygroundError as error:
            form = form_html(address, tuple(self._arena.starters))
            return Drawn(form, empty_html(texts.NO_BOARD), "", error.public)
        if view is None:
            category = dict(address.conditions)["category"]
            return Drawn(form, empty_html(texts.EMPTY_CATEGORY.format(category=category)), "")
        beside = self._beside(selection, is_operator) if view.rows else ""  # analyses need a board
        return Drawn(form, lead_html(view), parts_html(view, beside))

    def _beside(self, selection: Selection, is_operator: bool) -> str:
        """Return the boxes on what is computed, or watched, beside the board."""
        analyses = self._arena.analyses(*selection, is_operator=is_operator)
        watched = left_out_html(self._arena.gate_watch.latest, self._arena.policy)
        watched += blinding_html(self._arena.blinding.latest, self._arena.catalog.cards)
        return f"{analyses_html(analyses)}<div class='boxes'>{watched}</div>"

    def _view(self, address: BoardAddress, selection: Selection) -> BoardView | None:
        """Return the board of an address; None if no vote is in its category."""
        try:
            board = self._arena.leaderboard(*selection)
        except UnknownCategory:
            return None
        line_up = [card.id for card in self._arena.models.line_up] or None  # without models none has retired
        return BoardView(board, self._arena.catalog.cards, line_up, _advice(address), address)


def _advice(address: BoardAddress) -> str:
    """Return what a visitor may do about a filtered board without votes."""
    conditions = dict(address.conditions)
    if address.mine:
        return texts.EMPTY_MINE
    if list(conditions) == ["pairs"] and conditions["pairs"] == "chosen":
        return texts.EMPTY_CHOSEN
    if list(conditions) == ["origin"]:
        return texts.EMPTY_ORIGINS.get(conditions["origin"], "")
    return texts.EMPTY_FILTER if conditions else ""
