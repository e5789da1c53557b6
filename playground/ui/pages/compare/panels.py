"""The panels of the Compare page, laid out and rendered together.

Boundary: components only; handlers stand in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.records import ModelCard
from playground.settings import Settings
from playground.ui.pages.compare.columns import Columns
from playground.ui.pages.compare.composer import Composer
from playground.ui.pages.compare.differences import Differences
from playground.ui.pages.compare.report import ReportForm
from playground.ui.pages.compare.starters import Starters
from playground.ui.pages.compare.state import PageState
from playground.ui.pages.compare.status import StatusLine
from playground.ui.pages.compare.votebar import VoteBar
from playground.ui.pages.keys_html import keys_html
from playground.ui.texts.keys import KEYS, LEGEND
from playground.ui.wiring import Updates
from playground.validation.texts import COMMENT_CHARS


@dataclass(frozen=True, slots=True)
class Panels:
    """All panels, and the components that only `battle.js` uses."""

    shown: gr.Textbox  # the script sends a `Shown` in place of its value
    composer: Composer
    offer: gr.HTML  # a link to a battle that is not finished, on the empty page
    status: StatusLine
    columns: Columns
    differences: Differences
    report: ReportForm
    pulse: gr.HTML
    again: gr.Button
    recall: gr.Button
    watch: gr.Button
    go_on: gr.Button
    draft: gr.Button
    recalled: gr.Textbox  # the composer of a battle, for `recall.js`
    votebar: VoteBar

    @classmethod
    def build(cls, cards: Sequence[ModelCard], starters: Starters, settings: Settings) -> Panels:
        """Lay the page out; called while a `gr.Blocks` is being built."""
        shown = gr.Textbox(visible=False, elem_id="shown")
        composer = Composer.build(cards, starters, settings)
        offer = gr.HTML(elem_id="offer", apply_default_css=False)
        status, answers, differences = StatusLine.build(), Columns.build(len(cards)), Differences.build()
        report = ReportForm.build(COMMENT_CHARS)
        gr.HTML(keys_html(LEGEND, KEYS), elem_id="legend", apply_default_css=False)
        pulse = gr.HTML(elem_id="pulse", elem_classes="unseen", apply_default_css=False)
        again, recall, watch, go_on, draft = (
            gr.Button(name, elem_id=name, elem_classes="unseen")
            for name in ("again", "recall", "watch", "go-on", "draft")
        )
        recalled = gr.Textbox(elem_id="recalled", elem_classes="unseen")
        bar = VoteBar.build(COMMENT_CHARS)
        pressed = (again, recall, watch, go_on, draft)
        return cls(shown, composer, offer, status, answers, differences, report, pulse, *pressed, recalled, bar)

    @property
    def outputs(self) -> list[Any]:
        """Components that `render` changes."""
        panels = (self.composer, self.columns, self.differences, self.report, self.votebar)
        return [self.status.line, *(component for panel in panels for component in panel.outputs)]

    def render(self, state: PageState) -> Updates:
        """Draw the whole page; a report that is being typed stays if the battle is drawn again."""
        return {
            **self.status.render(state),
            **self.composer.render(state),
            **self.columns.render(state),
            **self.differences.render(state),
            **({} if state.again else self.report.render("")),
            **self.votebar.render(state),
        }
