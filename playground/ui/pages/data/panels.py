"""The components of the Data page, and their drawing from one state.

Boundary: knows no store; `view` reads what is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.ui.data_address import DataAddress
from playground.ui.pages.data.battles import battles_html
from playground.ui.pages.data.filters import Offered, form_html
from playground.ui.pages.data.formats import formats_html
from playground.ui.pages.data.view import Content
from playground.ui.rendering import escape, live_region, page_head, with_link
from playground.ui.texts import PAGE_DATA, PAGE_MY_DATA
from playground.ui.texts import data as texts
from playground.ui.texts import formats as numbers
from playground.ui.texts.language import joined
from playground.ui.wiring import Updates

SAID = "data-said"
"""Id of the live region; it names the address that was drawn."""


@dataclass(frozen=True, slots=True)
class DataState:
    """Everything that the page shows."""

    query: str  # of its address, as the browser sent it
    is_allowed: bool = True
    contact: str = ""  # the operator's, in their words
    is_operators: bool = False  # only the operator may see it, and this visitor is the operator
    is_operator: bool = False
    address: DataAddress = DataAddress()
    offered: Offered = Offered((), ())
    content: Content | None = None  # None: nothing to show, because of `error`
    error: str = ""
    redraws_form: bool = True


@dataclass(frozen=True, slots=True)
class DataPanels:
    """All components; `query`, `fresh` and `show` are for `data.js`."""

    lead: gr.HTML
    filters: gr.HTML
    said: gr.HTML
    formats: gr.HTML
    battles: gr.HTML
    query: gr.Textbox
    fresh: gr.Textbox
    show: gr.Button

    @classmethod
    def build(cls) -> DataPanels:
        """Lay the page out; called while a `gr.Blocks` is being built."""
        lead = gr.HTML(elem_id="data-lead", apply_default_css=False)
        filters = gr.HTML(elem_id="data-filters", apply_default_css=False)
        said = gr.HTML(elem_id="data-news", apply_default_css=False)
        formats = gr.HTML(elem_id="data-formats", apply_default_css=False)
        battles = gr.HTML(elem_id="data-battles", apply_default_css=False)
        gr.HTML(progress_html(), elem_id="data-file", apply_default_css=False)
        return cls(
            lead,
            filters,
            said,
            formats,
            battles,
            query=gr.Textbox(visible=False),
            fresh=gr.Textbox(visible=False),
            show=gr.Button("show", elem_id="data-show", elem_classes="unseen"),
        )

    @property
    def outputs(self) -> list[Any]:
        """Components that `render` changes."""
        return [self.lead, self.filters, self.said, self.formats, self.battles]

    def render(self, state: DataState) -> Updates:
        """Draw the page."""
        return {
            self.lead: lead_html(state),
            self.filters: self._filters(state),
            self.said: live_region(SAID, state.error, is_error=bool(state.error), data={"query": state.query}),
            self.formats: ""
            if state.content is None
            else formats_html(state.content.kinds, state.address, state.content.inside, state.is_operator),
            self.battles: ""
            if state.content is None
            else battles_html(state.content.battles, state.address, state.content.has_older),
        }

    def _filters(self, state: DataState) -> Any:
        if not state.is_allowed:
            return ""
        if not state.redraws_form:
            return gr.skip()
        return form_html(state.address, state.offered, state.is_operator)


def lead_html(state: DataState) -> str:
    """Return the heading, and a line on what is shown or who may see it."""
    if not state.is_allowed:
        link = f"<a href='./yours'>{escape(PAGE_MY_DATA)}</a>"
        ask = texts.ASK_OPERATOR_AT.format(contact=state.contact) if state.contact else texts.ASK_OPERATOR
        whom = joined(" ", (texts.OPERATOR_ONLY_LEAD, ask))
        return f"{page_head(PAGE_DATA, whom)}<p>{with_link(texts.OWN_DATA, link)}</p>"
    words = ""
    if state.content is not None:
        lead = (texts.LEAD if state.content.matching else texts.LEAD_NONE)[state.address.is_filtered]
        words = lead.format(battles=numbers.counted(state.content.matching, texts.BATTLES_MATCH))
    soft = joined(" ", (texts.ABOUT, texts.OPERATOR_HERE if state.is_operators else ""))
    return f"{page_head(PAGE_DATA, words)}<p class='soft'>{escape(soft)}</p>"


def progress_html() -> str:
    """Return the bar at the foot of the window, hidden until a download begins."""
    return (
        f"<div id='data-progress' hidden role='group' aria-label='{escape(texts.PROGRESS)}' "
        f"data-starts='{escape(texts.DOWNLOAD_STARTS)}' data-failed='{escape(texts.DOWNLOAD_FAILED)}'>"
        f"<p id='data-progress-words' role='status' aria-live='polite'></p>"
        f"<progress max='1' aria-label='{escape(texts.PROGRESS)}'></progress>"
        f"<a hidden href='./data' download>{escape(texts.MANIFEST)}</a>"
        f"<button type='button' class='tool' hidden>{escape(texts.DISMISS)}</button></div>"
    )
