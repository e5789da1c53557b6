"""Options and helpers for the events of all pages.

Boundary: knows Gradio's events, no page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

Updates = dict[Any, Any]
"""A handler's answer: new values or `gr.update` results by component."""
QUIET: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": [], "api_visibility": "private"}
"""For every event of a page. Gradio's script otherwise keeps a progress state of each output that was ever written and
sets all of them again, each by a search through the page's components, three times in every event."""
AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}
"""For events that never wait behind a running generation."""
LAST: dict[str, Any] = {**AT_ONCE, "trigger_mode": "always_last"}
"""For events of which the last counts: one that comes while the one before is answered is sent after it. Gradio would
drop it, and answers to several listeners could come in another order than their clicks."""


def bound(handler: Callable[..., Any], value: str) -> Callable[[object, gr.Request], Any]:
    """Return `handler` with its last argument given, under the same name: limits know an event by it."""

    def handle(sent: object, request: gr.Request) -> Any:
        return handler(sent, request, value)

    handle.__name__ = handler.__name__
    return handle


def unchanged(component: Any) -> Updates:
    """Return updates that change nothing; Gradio would take an empty dict as a value."""
    return {component: gr.skip()}
