"""The drawer that shows two answers with their differences marked, once their models are known.

Boundary: components and their rendering from a `PageState`; which two are compared is asked for in `differing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.records import SIDES, BattleView, ColumnView
from playground.ui.pages.compare.state import PageState
from playground.ui.rendering import escape
from playground.ui.rendering.differences import marked_differences
from playground.ui.texts import compare as texts
from playground.ui.wiring import Updates


@dataclass(frozen=True, slots=True)
class Differences:
    """Components of the drawer."""

    drawer: gr.Accordion
    left: gr.Radio
    right: gr.Radio
    pair: gr.HTML

    @classmethod
    def build(cls) -> Differences:
        """Lay the drawer out; called while a `gr.Blocks` is being built."""
        with gr.Accordion(
            texts.DIFFERENCES, open=False, visible=False, elem_id="differences", elem_classes=["quiet"]
        ) as drawer:
            with gr.Row(elem_id="differences-sides"):
                left, right = (
                    gr.Radio([], label=label, elem_id=elem_id, elem_classes="segment")
                    for label, elem_id in (
                        (texts.DIFFERENCES_LEFT, "differences-left"),
                        (texts.DIFFERENCES_RIGHT, "differences-right"),
                    )
                )
            pair = gr.HTML(elem_id="difference", apply_default_css=False)
        return cls(drawer, left, right, pair)

    @property
    def outputs(self) -> list[Any]:
        """Components that `render` changes."""
        return [self.drawer, self.left, self.right, self.pair]

    def render(self, state: PageState) -> Updates:
        """Offer the answers that may be compared, closed; a battle that is drawn again keeps what is open."""
        sides = [column.side for column in comparable(state.view)] if state.allowed.tools else []
        shown = len(sides) > 1
        if state.again:
            return {self.drawer: gr.update(visible=shown)} if not shown else self._offer(sides)
        return {**self._offer(sides), self.drawer: gr.update(visible=shown, open=False), self.pair: gr.update(value="")}

    def _offer(self, sides: list[str]) -> Updates:
        letters = [(side.upper(), side) for side in sides]
        more = len(sides) > 2
        first, second = (*sides, "", "")[:2]
        return {
            self.drawer: gr.update(visible=len(sides) > 1),
            self.left: gr.update(choices=letters, value=first or None, visible=more),
            self.right: gr.update(choices=letters, value=second or None, visible=more),
        }


def comparable(view: BattleView | None) -> list[ColumnView]:
    """Return the columns with a text and a known model; none while blind."""
    if view is None or view.withheld:
        return []
    return [column for column in view.columns if column.card is not None and column.text.strip()]


def difference_html(view: BattleView, left: object, right: object) -> str:
    """Return two answers side by side; the first two if the sides are not two of those that may be compared."""
    columns = {column.side: column for column in comparable(view)}
    if len(columns) < 2:
        return ""
    sides = [side for side in (left, right) if isinstance(side, str) and side in columns]
    if len(sides) < 2:
        sides = [side for side in SIDES if side in columns][:2]
    html = marked_differences(*(columns[side].text for side in sides))
    if columns[sides[0]].text == columns[sides[1]].text:
        return f"<p class='soft'>{escape(texts.NO_DIFFERENCES)}</p>"
    return "".join(_compared(side, words) for side, words in zip(sides, html, strict=True))


def _compared(side: str, html: str) -> str:
    legend = escape(texts.DIFFERENCES_OF.format(letter=side.upper()))
    heading = f"<h3><span class='letter'>{side.upper()}</span><mark>{legend}</mark></h3>"
    box = f"class='compared side-{side}' tabindex='0' aria-label='{legend}'"
    return f"<section {box}>{heading}<p dir='auto'>{html}</p></section>"
