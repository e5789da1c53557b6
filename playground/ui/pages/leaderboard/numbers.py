"""Numbers of a board as texts.

Boundary: pure functions.
"""

from __future__ import annotations

from playground.ui.texts import formats


def points(rating: float) -> str:
    """Return a rating in whole points: 1031, −20."""
    return formats.signed(round(rating))


def interval(lower: float, upper: float) -> str:
    """Return an interval in whole points: 990–1073."""
    return f"{points(lower)}–{points(upper)}"
