"""The Terms page: the text in force, and who runs the playground."""

from __future__ import annotations

import gradio as gr

from playground.arena.terms import read_terms
from playground.ui.pages.terms import build_terms


def shown(contact: str) -> str:
    with gr.Blocks() as page:
        build_terms(read_terms(), contact)
    return "\n".join(str(block.value) for block in page.blocks.values() if hasattr(block, "value"))


def test_page_shows_the_text_and_who_runs_the_playground() -> None:
    page = shown("Ada <b>Lovelace</b>, ${ada}@example.org")
    assert "You agree by pressing Compare, or by judging comparisons of others." in page
    assert "This playground is run by: Ada &lt;b&gt;Lovelace&lt;/b&gt;, &#36;&#123;ada&#125;@example.org" in page


def test_nobody_is_named_without_a_contact() -> None:
    assert "run by:" not in shown("")
