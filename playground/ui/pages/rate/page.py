"""The Rate page: stored battles, one after another.

Boundary: a frame and its list of keys; the page's scripts fill it from the JSON routes ``/rate/…`` and ``/vote``, so
that the next battle is on the screen without a round trip.
"""

from __future__ import annotations

import gradio as gr

from playground.ui.pages.keys_html import keys_html
from playground.ui.pages.rate.frame import agree_html, frame_html
from playground.ui.texts import rate as texts


def build_rate() -> None:
    """Lay the page out; called while a `gr.Blocks` is being built."""
    gr.HTML(frame_html(), elem_id="rate-page", apply_default_css=False)
    gr.HTML(keys_html(texts.LEGEND, texts.KEYS), elem_id="legend", apply_default_css=False)
    gr.HTML(agree_html(), elem_id="agree", apply_default_css=False)
