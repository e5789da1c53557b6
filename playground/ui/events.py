"""Slow the polling of Gradio's queue down.

Boundary: knows one internal of Gradio. Its queue looks a thousand times a second whether an event has come, which takes
a twelfth of a processor for a page that nobody uses, and wakes the thread that answers votes as often.
"""

from __future__ import annotations

import gradio as gr

LOOK_S = 0.01
"""An event of the queue waits half of it, on average; votes do not pass there."""
PROGRESS_S = 1.0
"""Bars of progress are not used here."""


def lighten_events(page: gr.Blocks) -> None:
    """Have the queue of a launched page look seldomer."""
    page._queue.sleep_when_free = LOOK_S
    page._queue.progress_update_sleep_when_free = PROGRESS_S
