"""The life of a battle: what leads where, who may do it, and what may be sent to whom.

Boundary: the only place that decides these three; page, API and restart call it and decide nothing themselves.
"""

from playground.battles.choices import MAX_COMMENT_CHARS, REASONS, Ballot
from playground.battles.life import Battles
from playground.battles.table import REFUSALS, TABLE, Event, Sends, Who, cell
from playground.battles.views import VoteResult

__all__ = [
    "MAX_COMMENT_CHARS",
    "REASONS",
    "REFUSALS",
    "TABLE",
    "Ballot",
    "Battles",
    "Event",
    "Sends",
    "VoteResult",
    "Who",
    "cell",
]
