"""The status line: the page's only live region, with data about the battle for the page's script.

Boundary: one component and its rendering from a `PageState`.
"""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from playground.errors import without_folders
from playground.records import BattleView
from playground.ui.pages.compare.state import Bar, PageState, Phase
from playground.ui.rendering import live_region
from playground.ui.texts import compare as texts
from playground.ui.wiring import Updates


@dataclass(frozen=True, slots=True)
class StatusLine:
    """The component."""

    line: gr.HTML

    @classmethod
    def build(cls) -> StatusLine:
        """Lay the line out; called while a `gr.Blocks` is being built."""
        return cls(gr.HTML(status_html(PageState()), elem_id="status-line", apply_default_css=False))

    def render(self, state: PageState) -> Updates:
        """Draw the line as a plain value."""
        return {self.line: status_html(state)}

    def render_message(self, message: str, is_error: bool = False) -> Updates:
        """Show a message without data, so that the script leaves page and address as they are."""
        return {self.line: live_region("status", without_folders(message), is_error)}


def status_html(state: PageState) -> str:
    """Return the line; its data name the battle and phase, and say when votes open and become final."""
    data: dict[str, object] = {"phase": state.phase, "step": state.step}
    if state.gone:
        data["gone"] = state.gone
    if state.view is not None:
        data |= _battle_data(state, state.view)
    return live_region("status", without_folders(_text(state)), state.is_error, data)


def _battle_data(state: PageState, view: BattleView) -> dict[str, object]:
    written = "".join(column.side for column in view.columns if column.text.strip())
    data: dict[str, object] = {
        "battle": view.battle_id,
        "revision": view.revision,
        "columns": len(view.columns),
        "written": written,
    }
    if state.allowed.bar in (Bar.OFF, Bar.ON) and view.mine:
        data["votes"] = ""
    if state.said:
        data["said"] = state.said
    if view.final_in_s is not None:
        data["final-in"] = f"{view.final_in_s:.1f}"
    if state.opens_in_s:
        data["opens-in"] = f"{state.opens_in_s:.3f}"
    return data


def _text(state: PageState) -> str:
    view = state.view
    if state.message or view is None:
        return state.message
    if view.erased:
        return texts.STATUS_ERASED
    if view.hidden:
        return texts.STATUS_HIDDEN
    match state.phase:
        case Phase.GENERATING:
            return texts.STATUS_WORKING
        case Phase.OPEN:
            return texts.STATUS_OPEN
        case Phase.SHARED:
            return texts.STATUS_SHARED
        case Phase.VOTED:
            return texts.STATUS_VOTED if view.stored else texts.STATUS_VOTED_UNSTORED
        case Phase.REVEALED:
            return texts.STATUS_REVEALED if view.blind else texts.STATUS_FINAL
    return texts.STATUS_VOID[view.void_reason or "failed"]
