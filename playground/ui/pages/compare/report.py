"""The form that reports an answer; all columns share it.

Boundary: components and their rendering.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.ui.texts import compare as texts
from playground.ui.wiring import Updates


@dataclass(frozen=True, slots=True)
class ReportForm:
    """Components of the form."""

    box: gr.Column
    side: gr.Textbox  # hidden: the reported answer
    words: gr.Textbox
    send: gr.Button
    cancel: gr.Button

    @classmethod
    def build(cls, max_chars: int) -> ReportForm:
        """Lay the form out; called while a `gr.Blocks` is being built."""
        with gr.Column(visible=False, elem_id="report", elem_classes=["sheet"]) as box:
            side = gr.Textbox(visible=False)
            words = gr.Textbox(
                label=texts.REPORT_TITLE.format(letter=""),
                placeholder=texts.REPORT_HINT,
                lines=2,
                max_lines=4,
                max_length=max_chars,
                elem_id="report-words",
            )
            with gr.Row():
                send = gr.Button(texts.REPORT_SEND, variant="primary", elem_id="report-send", size="sm")
                cancel = gr.Button(texts.REPORT_CANCEL, elem_id="report-cancel", elem_classes="ghost", size="sm")
        return cls(box, side, words, send, cancel)

    @property
    def outputs(self) -> list[Any]:
        """Components that `render` changes."""
        return [self.box, self.side, self.words]

    def render(self, side: str) -> Updates:
        """Show an empty form for one side, or hide it if `side` is empty."""
        label = texts.REPORT_TITLE.format(letter=side.upper())
        return {
            self.box: gr.update(visible=bool(side)),
            self.side: gr.update(value=side),
            self.words: gr.update(value="", label=label),
        }
