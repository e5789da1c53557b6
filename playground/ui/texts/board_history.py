"""Texts of the box on ratings over time on the Leaderboard page.

Boundary: words only.
"""

from __future__ import annotations

from playground.ui.texts.language import _

TITLE = _("Ratings over time")
LEAD = _("Each point is the rating from all votes up to that day, with its {level} % interval.")
NOTE = _(
    "All of them count as they count today, so this shows how these ratings came to be, not the board as it stood "
    "on a day. "
    "The mean stays 1000: a model that joins moves the others. Models with few battles have no point yet."
)
PLOT = _("{name}: from {first} ({first_day}) to {last} ({last_day}). The table has all numbers.")
PLOT_ONE = _("{name}: {last} ({last_day}).")
TABLE = _("All numbers as a table")
DAY, VOTES = _("up to day (UTC)"), _("votes")
CELL = _("{rating} ({interval})")
