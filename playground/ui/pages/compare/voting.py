"""Voting: choose, undo, reveal, go on to the next battle.

Boundary: the database decides whether a vote is allowed; its answer is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from playground.battles import Ballot
from playground.errors import InvalidValue, PlaygroundError
from playground.records import BattleState, BattleView, Instruction
from playground.ui.pages.compare.script import BEGUN, JUDGED, LOOKED, by_script
from playground.ui.pages.compare.shown import Shown
from playground.ui.pages.compare.tab import Replies, Tab
from playground.ui.texts import compare as texts
from playground.ui.wiring import AT_ONCE, Updates, bound


@dataclass(frozen=True, slots=True)
class Voting:
    """Handlers of the vote bar's buttons."""

    replies: Replies

    def wire(self) -> None:
        """Connect the buttons."""
        panels = self.replies.panels
        bar, shown = panels.votebar, [panels.shown]
        drawn = {"outputs": panels.outputs, **AT_ONCE, "postprocess": False}
        for choice, button in bar.choices.items():
            button.click(bound(self.vote, choice), shown, js=by_script("judged", choice), **drawn)
        bar.undo.click(self.undo, shown, js=JUDGED, **drawn)
        bar.reveal.click(self.reveal, shown, js=JUDGED, **drawn)
        bar.join.click(self.join, shown, js=BEGUN, **drawn)
        bar.look.click(self.look, shown, js=LOOKED, **drawn)
        emptied = {**drawn, "outputs": [*panels.outputs, *panels.composer.fields]}
        gr.on([bar.next.click, panels.composer.next.click], self.next, shown, js=BEGUN, **emptied)

    def vote(self, sent: object, request: gr.Request, choice: str) -> Updates:
        """Save a choice, and draw what the database has."""
        return self._judged(Tab.read(sent, request), lambda tab: self._vote(tab, choice))

    def undo(self, sent: object, request: gr.Request) -> Updates:
        """Take the vote back."""
        battles = self.replies.arena.battles
        return self._judged(
            Tab.read(sent, request),
            lambda tab: self.replies.draw(tab.shown, battles.undo(tab.battle_id, tab.viewer)),
        )

    def reveal(self, sent: object, request: gr.Request) -> Updates:
        """Make the vote final and show the models."""
        battles = self.replies.arena.battles
        return self._judged(
            Tab.read(sent, request),
            lambda tab: self.replies.draw(tab.shown, battles.reveal(tab.battle_id, tab.viewer), again=True),
        )

    def join(self, sent: object, request: gr.Request) -> Updates:
        """Let the guest of a shared battle vote blind, in a battle of their own."""
        arena = self.replies.arena

        def join(tab: Tab) -> Updates:
            return self.replies.draw(tab.shown, arena.battles.join(tab.battle_id, tab.viewer, arena.terms.version))

        return self._judged(Tab.read(sent, request), join)

    def look(self, sent: object, request: gr.Request) -> Updates:
        """Show the guest of a shared battle its models."""
        battles = self.replies.arena.battles
        return self._judged(
            Tab.read(sent, request),
            lambda tab: self.replies.draw(tab.shown, battles.reveal_to_guest(tab.battle_id, tab.viewer)),
        )

    def next(self, sent: object, request: gr.Request) -> Updates:
        """Draw the empty page."""
        step = Tab.read(sent, request).shown.step
        return {**self.replies.draw(Shown(step=step)), **self.replies.panels.composer.fill(Instruction(""))}

    def _judged(self, tab: Tab, judge: Callable[[Tab], Updates]) -> Updates:
        try:
            return judge(tab)
        except PlaygroundError as error:
            return self.replies.refused(tab, error)

    def _vote(self, tab: Tab, choice: str) -> Updates:
        shown = tab.shown
        if shown.choice not in ("", choice):  # a page of another version numbers its events differently
            raise InvalidValue(texts.PAGE_CHANGED)
        view = self.replies.arena.battles.vote(tab.battle_id, tab.viewer, Ballot(choice, shown.revision))
        return self.replies.draw(shown, view, _missed(view, choice, shown.revision))


def _missed(view: BattleView, choice: str, revision: int | None) -> str:
    """Return why the vote was not taken: this or another tab had changed the battle; empty if it was."""
    if view.state is BattleState.OPEN:
        return texts.CHANGED_ELSEWHERE if view.revision != revision else ""
    return "" if view.choice == choice else texts.VOTED_ELSEWHERE
