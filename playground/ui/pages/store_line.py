"""The line that says how far the store has the votes: for everybody, with reasons for the operator.

Boundary: words of a `SyncState`; it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from playground.arena.arena import Arena
from playground.errors import PlaygroundError
from playground.publishing.sync import SyncState
from playground.ui.http.operator import operator_status
from playground.ui.rendering import escape
from playground.ui.texts import formats
from playground.ui.texts import store as texts
from playground.ui.wiring import AT_ONCE


def add_store_line(arena: Arena, demo: gr.Blocks) -> None:
    """Add the line to a page, drawn at each load; nothing without a store."""
    if not arena.settings.store:
        return
    line = gr.HTML(elem_id="store", apply_default_css=False)

    def store(request: gr.Request) -> str:
        return store_html(arena, operator_status(request).is_operator)

    demo.load(store, None, [line], **AT_ONCE)


def store_html(arena: Arena, is_operator: bool) -> str:
    """Return the line; empty if nothing is written here."""
    try:
        state = None if arena.journal is None else arena.journal.sync
    except PlaygroundError as error:
        return _paragraph(texts.UNKNOWN.format(error=error.public))
    if state is None:
        return ""
    return "".join(_paragraph(words) for words in (store_words(state), *(store_details(state) if is_operator else ())))


def store_words(state: SyncState) -> str:
    """Return the state in a sentence."""
    waiting = formats.counted(state.waiting, formats.VOTES)
    if state.age_s is None:
        return texts.NEVER.format(waiting=waiting)
    text = texts.LATE if state.is_late or state.error else texts.WAITING if state.waiting else texts.SYNCED
    return text.format(votes=state.votes, age=formats.about(state.age_s), waiting=waiting)


def store_details(state: SyncState) -> Iterator[str]:
    """Yield where the store is, and what needs attention; for the operator only."""
    yield texts.WHERE.format(repo=state.repo)
    if state.error:
        yield texts.REASON.format(error=state.error.removesuffix("."))
    yield from (texts.WARNING.format(warning=warning) for warning in state.warnings)


def _paragraph(words: str) -> str:
    return f"<p class='soft'>{escape(words)}</p>"
