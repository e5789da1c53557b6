"""Filling in the composer: optional fields, starters, models, settings.

Boundary: handlers that need no battle.
"""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from playground.catalog.starters import in_turn
from playground.ui.pages.compare.column_html import intro_html
from playground.ui.pages.compare.script import DEALT
from playground.ui.pages.compare.starters import clicked_starter
from playground.ui.pages.compare.tab import Replies, Tab
from playground.ui.wiring import AT_ONCE, LAST, QUIET, Updates, unchanged

SHOW_FIELD = "(shown) => [{ __type__: 'update', visible: shown, ...(shown ? {} : { value: '' }) }]"
"""Show an optional field, or hide and empty it. In the browser, so that it moves what stands below it with the click
itself: a reply that came later moved it under the next click, which was lost."""


@dataclass(frozen=True, slots=True)
class Composing:
    """Handlers of the composer's fields."""

    replies: Replies

    def wire(self, demo: gr.Blocks) -> None:
        """Connect the fields."""
        panels = self.replies.panels
        composer, settings, starters = panels.composer, panels.composer.settings, panels.composer.starters
        demo.load(self.offer_models, None, [*settings.models, panels.columns.intro], **AT_ONCE)
        for box, field in ((composer.with_input, composer.input), (composer.with_system, composer.system)):
            box.input(None, [box], [field], js=SHOW_FIELD, **QUIET)
        choices = [settings.who_chooses, composer.columns, composer.mode]
        changed = [*(control.input for control in choices), *(field.blur for field in settings.written)]
        gr.on(changed, settings.render, [*choices, *settings.written], settings.outputs, **LAST)
        composer.surprise.click(self.surprise, [panels.shown], composer.fields, js=DEALT, **LAST)
        starters.category.input(self.show_starters, [starters.category], [starters.samples], **LAST)
        starters.samples.select(self.take_starter, [starters.category], composer.fields, **LAST)

    def offer_models(self) -> Updates:
        """Offer the models that answer here now; one may have joined since the page was built."""
        panels, cards = self.replies.panels, self.replies.arena.models.line_up
        return {
            **panels.composer.settings.offer(cards),
            panels.columns.intro: gr.update(value=intro_html(len(cards), self.replies.arena.settings.rate == "public")),
        }

    def surprise(self, sent: object, request: gr.Request) -> Updates:
        """Fill in the next starter of the browser's order."""
        shown = Tab.read(sent, request).shown
        return self.replies.panels.composer.fill(in_turn(self.replies.arena.starters, shown.order, shown.turn))

    def show_starters(self, category: str) -> Updates:
        """Show the starters of one category."""
        return self.replies.panels.composer.starters.render_category(self.replies.arena.starters, category)

    def take_starter(self, category: object, event: gr.EventData) -> Updates:
        """Fill in the clicked starter."""
        composer = self.replies.panels.composer
        starter = clicked_starter(self.replies.arena.starters, category, event._data)
        return unchanged(composer.instruction) if starter is None else composer.fill(starter)
