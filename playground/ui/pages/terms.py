"""The Terms page.

Boundary: draws the text of `arena.terms`.
"""

from __future__ import annotations

import gradio as gr

from playground.arena.terms import Terms
from playground.ui import texts
from playground.ui.rendering import escape, page_head


def build_terms(terms: Terms, contact: str = "") -> None:
    """Lay the page out; called while a `gr.Blocks` is being built."""
    head = page_head(texts.PAGE_TERMS, texts.TERMS_VERSION.format(version=terms.version))
    gr.HTML(head, elem_id="terms-lead", apply_default_css=False)
    gr.Markdown(terms.text, elem_id="terms")
    if contact:  # the operator's words, of which no version is kept
        words = escape(texts.TERMS_CONTACT.format(contact=contact))
        gr.HTML(f"<p>{words}</p>", elem_id="terms-contact", apply_default_css=False)
