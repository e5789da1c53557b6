"""Sentences on the votes that carry first place.

Boundary: takes numbers and names and returns sentences.
"""

from __future__ import annotations

from playground.messages import Message
from playground.ratings.phrases import number_of


def carrying(votes: int, of_votes: int, leader: str, first: str) -> str:
    """Return how few votes decide first place."""
    if votes == 1:
        one = "1 of {all} decides first place: without it {first} would be first, not {leader}."
        return Message(one, all=number_of("vote", of_votes), first=first, leader=leader)
    return Message(
        "{votes} of {all} decide first place: without them {first} would be first, not {leader}.",
        votes=f"{votes:,}",
        all=number_of("vote", of_votes),
        first=first,
        leader=leader,
    )
