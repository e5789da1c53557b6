"""A call of one tab, and the page drawn in reply.

Replies may arrive in any order: `battle.js` notices when an older one was drawn last and asks again.

Boundary: reads battles from the arena. The browser says which battle it shows; the rater's cookie and the database
decide what is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import gradio as gr

from playground.arena.arena import Arena
from playground.battles import Viewer
from playground.errors import InvalidValue, PlaygroundError, Refused
from playground.prompting.prompt import ignores_system
from playground.ratings.pairing import WhyDrawn
from playground.records import BattleState, BattleView
from playground.ui.http.asgi import address_of
from playground.ui.http.gate import check_pace
from playground.ui.http.rater_cookie import rater_of
from playground.ui.pages.compare.panels import Panels
from playground.ui.pages.compare.shown import Shown
from playground.ui.pages.compare.state import PageState
from playground.ui.texts import NO_RATER
from playground.ui.texts import compare as texts
from playground.ui.wiring import Updates
from playground.validation.ids import clean_battle_id

GONE = ("unknown", "foreign")
"""Reasons of a refusal after which the page drops the battle; other errors may pass."""


@dataclass(frozen=True, slots=True)
class Tab:
    """The tab that calls: the battle it shows, and its request."""

    shown: Shown
    request: gr.Request

    @classmethod
    def read(cls, sent: object, request: gr.Request) -> Tab:
        """Read what the page's script sent.

        Raises:
            gr.Error: `sent` has another shape.
        """
        try:
            return cls(Shown.read(sent), request)
        except InvalidValue as error:
            raise gr.Error(error.public, print_exception=False) from error

    @property
    def battle_id(self) -> str:
        """Return the battle's id, or raise `Refused` if there is no battle."""
        if not self.shown.battle_id:
            raise Refused("unknown", texts.NO_BATTLE)
        return clean_battle_id(self.shown.battle_id)

    @property
    def reader(self) -> Viewer:
        """Return the viewer who only reads; without a cookie, one who owns nothing."""
        return Viewer(rater_of(self.request) or "")

    @property
    def viewer(self) -> Viewer:
        """Return the viewer who acts, or raise `Refused` without a cookie and `Busy` above the limits."""
        check_pace(self.request)
        rater = rater_of(self.request)
        if rater is None:
            raise Refused("foreign", NO_RATER)
        return Viewer(rater, address=address_of(self.request))


@dataclass(frozen=True, slots=True)
class Replies:
    """Draw the battle of a tab as the database has it."""

    arena: Arena
    panels: Panels

    def view(self, tab: Tab) -> BattleView:
        """Return the tab's battle, or raise as `ArenaBattles.visit` does."""
        battles = self.arena.battles
        return (battles.view if tab.shown.look else battles.visit)(tab.battle_id, tab.reader)

    def draw(self, shown: Shown, view: BattleView | None = None, error: str = "", again: bool = False) -> Updates:
        """Draw the whole page."""
        return self.panels.render(replace(self.state(shown, view, error), again=again))

    def say(self, message: str, is_error: bool = False) -> Updates:
        """Change the status line only."""
        return self.panels.status.render_message(message, is_error)

    def refused(self, tab: Tab, error: PlaygroundError) -> Updates:
        """Draw the battle as it stands, with the error."""
        try:
            view = self.view(tab)
        except PlaygroundError as trouble:
            return self.lost(tab, trouble)
        return self.draw(tab.shown, view, error.public, again=True)

    def lost(self, tab: Tab, error: PlaygroundError) -> Updates:
        """Draw the empty page if the battle is gone; keep the page after an error that may pass."""
        if not is_gone(error):
            return self.say(error.public, is_error=True)
        state = self.state(Shown(step=tab.shown.step), error=error.public)
        return self.panels.render(replace(state, gone=tab.shown.battle_id))

    def state(self, shown: Shown, view: BattleView | None = None, error: str = "") -> PageState:
        """Return the state to render."""
        return PageState(
            view,
            message=error,
            is_error=bool(error),
            said=shown.said,
            no_system=self._no_system(view),
            why=self._why(view),
            met=() if view is None else self.arena.battles.head_to_heads(view),
            step=shown.step,
            min_decision_s=self.arena.policy.min_decision_s,
        )

    def _why(self, view: BattleView | None) -> WhyDrawn | None:
        """Return why the models were drawn, to the battle's rater and not before the reveal."""
        is_known = view is not None and view.mine and view.state is BattleState.REVEALED
        return self.arena.pair_choice.why(view.battle_id) if view is not None and is_known else None

    def _no_system(self, view: BattleView | None) -> frozenset[str]:
        """Return the sides whose model is known and whose template dropped the system text."""
        if view is None or not view.instruction.system:
            return frozenset()
        catalog = self.arena.catalog
        here = catalog.cards  # a model that was removed may have taken its template with it
        known = [(column.side, column.card) for column in view.columns if column.card and column.card.id in here]
        return frozenset(side for side, card in known if ignores_system(catalog.template_of(card), view.instruction))


def is_gone(error: PlaygroundError) -> bool:
    """Return True if the battle cannot be shown to this visitor."""
    return isinstance(error, Refused) and error.reason in GONE
