"""The answer columns: six are declared, as many are visible as the battle has sides.

Boundary: components and their rendering from a `PageState`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.records import SIDES, BattleView, ColumnView, Generation, ModelCard
from playground.ui.pages.compare.column_html import (
    card_html,
    foot_html,
    head_html,
    intro_html,
    whole_html,
    why_not_exact,
)
from playground.ui.pages.compare.state import PageState
from playground.ui.rendering import LATEX_DELIMITERS, answer_markdown
from playground.ui.texts import compare as texts
from playground.ui.wiring import Updates

MAX_IDS_SHOWN = 8192


@dataclass(frozen=True, slots=True)
class ColumnPanel:
    """Components of one column."""

    side: str
    box: gr.Column
    head: gr.HTML
    answer: gr.Markdown
    raw: gr.Textbox
    foot: gr.HTML
    details: gr.Accordion
    prompt: gr.Textbox
    ids: gr.Textbox
    card: gr.HTML
    stop: gr.Button
    report: gr.Button

    @classmethod
    def build(cls, side: str) -> ColumnPanel:
        """Lay one column out; called while a `gr.Blocks` is being built."""
        letter = side.upper()
        with gr.Column(
            visible=False, elem_id=f"column-{side}", elem_classes=["side", f"side-{side}"], min_width=0
        ) as box:
            head = gr.HTML(elem_id=f"head-{side}", elem_classes="head", apply_default_css=False)
            answer = gr.Markdown(
                elem_id=f"answer-{side}",
                elem_classes="answer",
                latex_delimiters=LATEX_DELIMITERS,
                line_breaks=True,
                sanitize_html=True,
            )
            raw = gr.Textbox(
                label=texts.RAW_ANSWER_LABEL.format(letter=letter),
                elem_id=f"raw-{side}",
                elem_classes="raw",
                interactive=False,
                lines=8,
                max_lines=40,
            )
            gr.HTML(whole_html(side), elem_classes="whole", apply_default_css=False)
            foot = gr.HTML(elem_id=f"foot-{side}", elem_classes="foot", apply_default_css=False)
            details, card, prompt, ids = _details(side)
            stop = gr.Button(texts.STOP_LABEL.format(letter=letter), elem_id=f"stop-{side}", elem_classes="unseen")
            report = gr.Button(
                texts.REPORT_LABEL.format(letter=letter), elem_id=f"report-{side}", elem_classes="unseen"
            )
        return cls(side, box, head, answer, raw, foot, details, prompt, ids, card, stop, report)

    @property
    def live_outputs(self) -> list[Any]:
        """Components that `render_live` changes."""
        return [self.head, self.answer, self.foot]

    @property
    def outputs(self) -> list[Any]:
        """Components that `render` changes."""
        return [self.box, *self.live_outputs, self.raw, self.details, self.prompt, self.ids, self.card]

    def render_live(self, state: PageState, column: ColumnView | None) -> Updates:
        """Return plain values: Gradio streams a growing string as what was added."""
        if column is None or state.view is None:
            return {self.head: "", self.answer: "", self.foot: ""}
        return {
            self.head: head_html(state, column),
            self.answer: answer_markdown(column.text),
            self.foot: foot_html(state, column),
        }

    def render(self, state: PageState, column: ColumnView | None) -> Updates:
        """Draw the column of a side, or hide it where the battle has no such side."""
        live = {component: gr.update(value=value) for component, value in self.render_live(state, column).items()}
        ended = column is not None and state.allowed.tools and not (state.view is not None and state.view.withheld)
        card, generation = (column.card, column.generation) if column is not None else (None, None)
        return {
            **live,
            self.box: gr.update(visible=column is not None and state.allowed.columns),
            self.raw: gr.update(value=column.text if column is not None and ended else ""),
            self.details: gr.update(visible=generation is not None and ended, open=False),
            **self._render_details(card, generation),
        }

    def _render_details(self, card: ModelCard | None, generation: Generation | None) -> Updates:
        if generation is None or card is None:
            return {self.prompt: gr.update(value=""), self.ids: gr.update(value=""), self.card: gr.update(value="")}
        prompt = generation.prompt
        ids = ", ".join(str(token_id) for token_id in prompt.token_ids[:MAX_IDS_SHOWN])
        exact = texts.PROMPT_LABEL.format(count=prompt.num_tokens)
        return {
            self.prompt: gr.update(value=prompt.text, label=texts.PROMPT_SENT if why_not_exact(generation) else exact),
            self.ids: gr.update(value=ids),
            self.card: gr.update(value=card_html(card, generation)),
        }


def _details(side: str) -> tuple[gr.Accordion, gr.HTML, gr.Textbox, gr.Textbox]:
    """Lay out the drawer of a column: card, exact prompt, token ids."""
    classes = ["quiet", "details"]
    with gr.Accordion(
        texts.DETAILS, open=False, visible=False, elem_id=f"details-{side}", elem_classes=classes
    ) as drawer:
        card = gr.HTML(apply_default_css=False, elem_classes="card")
        prompt = gr.Textbox(
            label=texts.PROMPT_LABEL.format(count=0), interactive=False, lines=3, max_lines=16, elem_classes="mono"
        )
        ids = gr.Textbox(label=texts.IDS_LABEL, interactive=False, lines=2, max_lines=8, elem_classes="mono")
    return drawer, card, prompt, ids


@dataclass(frozen=True, slots=True)
class Columns:
    """All columns, and the introduction that is shown before the first battle."""

    intro: gr.HTML
    panels: tuple[ColumnPanel, ...]

    @classmethod
    def build(cls, num_models: int) -> Columns:
        """Lay the columns out; called while a `gr.Blocks` is being built."""
        intro = gr.HTML(intro_html(num_models), elem_id="intro", apply_default_css=False)
        with gr.Row(elem_id="answers"):
            panels = tuple(ColumnPanel.build(side) for side in SIDES)
        return cls(intro, panels)

    @property
    def live_outputs(self) -> list[Any]:
        """Components that `render_live` changes."""
        return [component for panel in self.panels for component in panel.live_outputs]

    @property
    def outputs(self) -> list[Any]:
        """Components that `render` changes."""
        return [component for panel in self.panels for component in panel.outputs]

    def render_live(self, state: PageState) -> Updates:
        """Return plain values of all columns."""
        updates: Updates = {}
        for panel, column in self._pairs(state.view):
            updates |= panel.render_live(state, column)
        return updates

    def render(self, state: PageState) -> Updates:
        updates: Updates = {}
        for panel, column in self._pairs(state.view):
            updates |= panel.render(state, column)
        return updates

    def _pairs(self, view: BattleView | None) -> list[tuple[ColumnPanel, ColumnView | None]]:
        shown = {column.side: column for column in view.columns} if view is not None else {}
        return [(panel, shown.get(panel.side)) for panel in self.panels]
