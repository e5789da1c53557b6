"""Starting a comparison: Compare, Regenerate, and the next one of a rater who keeps going.

Boundary: hands checked values to the arena; answers are followed in a stream of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from playground.catalog.starters import in_turn
from playground.errors import InvalidInstruction, InvalidValue, PlaygroundError
from playground.messages import Message
from playground.records import SIDES, BattleState
from playground.ui.pages.compare.following import pulse_html
from playground.ui.pages.compare.script import BEGUN, DEALT_NEXT
from playground.ui.pages.compare.tab import Replies, Tab
from playground.ui.pages.compare.typed import Typed
from playground.ui.texts import compare as texts
from playground.ui.texts.language import joined
from playground.ui.wiring import AT_ONCE, Updates
from playground.validation.ids import clean_models
from playground.validation.sampling import clean_overrides
from playground.validation.texts import clean_instruction

Started = tuple[str, str]
"""A battle's id, and what validation removed from its instruction."""


@dataclass(frozen=True, slots=True)
class Starting:
    """Handlers that make a battle."""

    replies: Replies

    def wire(self) -> None:
        """Connect the buttons; one event for Compare and Enter, so that only one runs at a time."""
        panels = self.replies.panels
        composer = panels.composer
        drawn = {"outputs": [*panels.outputs, panels.pulse], "js": BEGUN, **AT_ONCE, "postprocess": False}
        asked = [composer.compare.click, composer.instruction.submit]
        gr.on(asked, self.compare, [panels.shown, *composer.inputs], **drawn)
        composer.regenerate.click(self.regenerate, [panels.shown], **drawn)
        filled = {**drawn, "outputs": [*drawn["outputs"], *composer.fields], "js": DEALT_NEXT}
        panels.go_on.click(self.go_on, [panels.shown, *composer.inputs], **filled)

    def compare(self, sent: object, request: gr.Request, *values: object) -> Updates:
        """Start a battle from the composer."""
        tab = Tab.read(sent, request)
        return self._started(tab, lambda: self._compare(tab, self.replies.panels.composer.read(values)))

    def regenerate(self, sent: object, request: gr.Request) -> Updates:
        """Start a battle with the same instruction; the earlier one is kept."""
        tab, arena = Tab.read(sent, request), self.replies.arena
        return self._started(tab, lambda: (arena.regenerate(tab.battle_id, tab.viewer), ""))

    def go_on(self, sent: object, request: gr.Request, *values: object) -> Updates:
        """Start a battle with the next starter and everything else as the composer has it."""
        tab, composer = Tab.read(sent, request), self.replies.panels.composer
        starter = in_turn(self.replies.arena.starters, tab.shown.order, tab.shown.turn)
        typed = replace(
            composer.read(values), instruction=starter.instruction, input=starter.input, system=starter.system
        )
        return {**self._started(tab, lambda: self._compare(tab, typed)), **composer.fill(starter)}

    def _compare(self, tab: Tab, typed: Typed) -> Started:
        viewer, arena = tab.viewer, self.replies.arena
        if not isinstance(typed.instruction, str) or not typed.instruction.strip():
            raise InvalidInstruction(texts.NO_INSTRUCTION)
        instruction, notes = clean_instruction(typed.instruction, typed.input or "", typed.system or "", arena.settings)
        columns = _count(typed.columns)
        battle_id = arena.compare(
            instruction,
            viewer,
            blind=typed.blind,
            models=clean_models(list(typed.models[:columns])) if typed.who_chooses == "mine" else (),
            columns=columns,
            overrides=_overrides(typed, columns),
            keep=typed.forget is not True,
        )
        return battle_id, joined("; ", notes)

    def _started(self, tab: Tab, start: Callable[[], Started]) -> Updates:
        """Draw a new battle, or say why there is none."""
        if self._is_writing(tab):
            return self.replies.say(texts.STILL_WRITING, is_error=True)
        try:
            battle_id, said = start()
            view = self.replies.arena.battles.view(battle_id, tab.reader)
        except PlaygroundError as error:
            return self.replies.say(error.public, is_error=True)
        drawn = self.replies.draw(replace(tab.shown, said=said), view)
        return {**drawn, self.replies.panels.pulse: pulse_html(tab.shown, view.battle_id, view.state, 0)}

    def _is_writing(self, tab: Tab) -> bool:
        """Return True if the tab shows a battle that is being written."""
        try:
            return self.replies.view(tab).state is BattleState.GENERATING
        except PlaygroundError:
            return False


def _overrides(typed: Typed, columns: int) -> Mapping[str, Any]:
    """Return the settings for all columns, or by side if a column has its own."""
    own = typed.overrides_by_column(columns)
    if not own:
        return clean_overrides(typed.overrides)
    return {side: clean_overrides(settings) for side, settings in zip(SIDES, own, strict=False)}


def _count(columns: object) -> int:
    if isinstance(columns, bool) or not isinstance(columns, int) or not 2 <= columns <= len(SIDES):
        raise InvalidValue(Message("columns is {columns!r}; valid: 2 to {sides}", columns=columns, sides=len(SIDES)))
    return columns
