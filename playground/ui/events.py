"""What Gradio does in each step of each event, without what nobody needs here.

Boundary: knows one internal of Gradio: it sets the backend of matplotlib before and after each step, for which Python
looks for that library in every folder where one may lie. Nothing here draws with it, and nothing may load it either.
"""

from __future__ import annotations

import sys

UNUSED = "matplotlib"


def lighten_events() -> None:
    """Have Python know that the library is not there, unless it is in use."""
    sys.modules.setdefault(UNUSED, None)  # type: ignore[arg-type]  # as the import system says it
