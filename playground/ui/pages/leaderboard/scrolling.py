"""A box in which a wide table scrolls.

Boundary: HTML in, HTML out.
"""

from __future__ import annotations

from playground.ui.rendering import escape


def scrolling(label: str, table: str) -> str:
    """Return a table that scrolls inside its box, also by keyboard."""
    return f"<div class='scroll' tabindex='0' role='group' aria-label='{escape(label)}'>{table}</div>"
