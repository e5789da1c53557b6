"""The life of a battle: states, events, permissions, and the views of it.

Boundary: page, API and restart call this package and decide none of it themselves.
"""

from playground.battles.ballot import MAX_COMMENT_CHARS, VOTE_REASONS, Ballot, Viewer
from playground.battles.life import Battles
from playground.battles.moderation import Moderation
from playground.battles.rater_data import RaterData
from playground.battles.sharing import Sharing, may_join
from playground.battles.state_table import REFUSALS, TABLE, Event, Sends, Who, cell

__all__ = [
    "MAX_COMMENT_CHARS",
    "REFUSALS",
    "TABLE",
    "VOTE_REASONS",
    "Ballot",
    "Battles",
    "Event",
    "Moderation",
    "RaterData",
    "Sends",
    "Sharing",
    "Viewer",
    "Who",
    "cell",
    "may_join",
]
