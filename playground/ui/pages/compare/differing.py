"""Comparing two answers: the handler of the drawer of differences.

Boundary: reads the battle as the viewer may see it; changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from playground.errors import PlaygroundError
from playground.ui.pages.compare.differences import difference_html
from playground.ui.pages.compare.script import NAMED
from playground.ui.pages.compare.tab import Replies, Tab
from playground.ui.wiring import LAST, Updates


@dataclass(frozen=True, slots=True)
class Differing:
    """The handler."""

    replies: Replies

    def wire(self) -> None:
        """Connect the drawer and its two choices."""
        panels = self.replies.panels
        drawer = panels.differences
        asked = [panels.shown, drawer.left, drawer.right]
        changed = [drawer.drawer.expand, drawer.left.input, drawer.right.input]
        gr.on(changed, self.mark_differences, asked, [drawer.pair], js=NAMED, **LAST)

    def mark_differences(self, sent: object, left: object, right: object, request: gr.Request) -> Updates:
        """Show two answers with their differences marked."""
        try:
            html = difference_html(self.replies.view(Tab.read(sent, request)), left, right)
        except PlaygroundError:  # the battle is gone, which the page says by itself
            html = ""
        return {self.replies.panels.differences.pair: html}
