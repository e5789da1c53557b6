"""The Terms room: what a rater agrees to by comparing.

Boundary: draws the text that `terms` reads; knows no rater.
"""

from __future__ import annotations

import gradio as gr

from playground.arena.terms import Terms
from playground.ui import texts
from playground.ui.rendering import escape


def build_terms(terms: Terms) -> None:
    """Lay the room out; called while a `gr.Blocks` is being built."""
    words = escape(texts.TERMS_VERSION.format(version=terms.version))
    gr.HTML(
        f"<h1>{escape(texts.TERMS_ROOM)}</h1><p class='lead'>{words}</p>",
        elem_id="terms-lead",
        apply_default_css=False,
    )
    gr.Markdown(terms.text, elem_id="terms")
