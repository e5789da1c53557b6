"""The status line: the page's only live region, and what the page's script reads about the battle.

Boundary: one component and its rendering from a `PageState`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from playground.errors import without_folders
from playground.records import BattleView
from playground.ui import texts
from playground.ui.pages.compare.state import Bar, PageState, Phase
from playground.ui.rendering import escape


@dataclass(frozen=True, slots=True)
class StatusLine:
    """The one component."""

    line: gr.HTML

    @classmethod
    def build(cls) -> StatusLine:
        """Lay the line out; called while a `gr.Blocks` is being built."""
        return cls(gr.HTML(status_html(PageState()), elem_id="status-line", apply_default_css=False))

    def render_live(self, state: PageState) -> dict[Any, Any]:
        """The line as a plain value."""
        return {self.line: status_html(state)}

    def render_words(self, message: str, is_error: bool = False) -> dict[Any, Any]:
        """Words with no news of the battle: the script leaves page and address as they are."""
        return {self.line: _line("error" if is_error else "said", "", message)}


def status_html(state: PageState) -> str:
    """The line with its data for the script: battle, phase, and when votes open and become final."""
    view = state.view
    data = f" data-phase='{state.phase}' data-step='{state.step}'"
    if state.gone:
        data += f" data-gone='{escape(state.gone)}'"
    if view is not None:
        data += f" data-battle='{escape(view.battle_id)}' data-revision='{view.revision}'"
        data += f" data-columns='{len(view.columns)}' data-sides='{''.join(c.side for c in view.columns)}'"
        data += f" data-written='{''.join(c.side for c in view.columns if c.text.strip())}'"
        if state.allowed.bar in (Bar.OFF, Bar.ON) and view.mine:
            data += " data-votes"
        if state.said:
            data += f" data-said='{escape(state.said)}'"
        if view.final_in_s is not None:
            data += f" data-final-in='{view.final_in_s:.1f}'"
        if state.opens_in_s:
            data += f" data-opens-in='{state.opens_in_s:.3f}'"
    kind = "error" if state.is_error else "said"
    return _line(kind, data, _words(state))


def _line(kind: str, data: str, words: str) -> str:
    said = escape(without_folders(words))
    return f"<div id='status' role='status' aria-live='polite' class='{kind}'{data}>{said}</div>"


def _words(state: PageState) -> str:
    if state.message:
        return state.message
    if state.view is not None and state.view.erased:
        return texts.STATUS_ERASED
    match state.phase:
        case Phase.COMPOSE:
            return ""
        case Phase.GENERATING:
            return texts.STATUS_WORKING
        case Phase.OPEN:
            return _open_words(state.view)
        case Phase.VOTED:
            return texts.STATUS_VOTED
        case Phase.REVEALED:
            return texts.STATUS_REVEALED if state.view is None or state.view.blind else texts.STATUS_FINAL
        case Phase.VOID:
            return _void_words(state.view)


def _open_words(view: BattleView | None) -> str:
    two = view is not None and len(view.columns) == 2
    return texts.STATUS_OPEN_TWO if two else texts.STATUS_OPEN_MORE


def _void_words(view: BattleView | None) -> str:
    reason = (view.void_reason if view is not None else None) or "failed"
    return texts.STATUS_VOID.format(reason=texts.VOID_REASONS.get(reason, reason))
