"""What Gradio does in each step of each event, and between events, without what nobody needs here.

Boundary: knows two internals of Gradio. It sets the backend of matplotlib before and after each step, for which Python
looks for that library in every folder where one may lie; nothing here draws with it, and nothing may load it either.
And its queue looks a thousand times a second whether an event has come, which takes a
twelfth of a processor for a page that nobody uses, and wakes the thread that answers votes as often.
"""

from __future__ import annotations

import sys

import gradio as gr

LOOK_S = 0.01
"""An event of the queue waits half of it, on average; votes do not pass there."""
PROGRESS_S = 1.0
"""Bars of progress are not used here."""
UNUSED = "matplotlib"


def lighten_events(page: gr.Blocks) -> None:
    """Have the queue of a launched page look seldomer, and Python know that the library is not there, if it is not."""
    page._queue.sleep_when_free = LOOK_S
    page._queue.progress_update_sleep_when_free = PROGRESS_S
    sys.modules.setdefault(UNUSED, None)  # type: ignore[arg-type]  # as the import system says it
