"""Sentences on the votes that carry first place.

Boundary: takes numbers and names and returns sentences.
"""

from __future__ import annotations

from playground.ratings.phrases import number_of


def carrying(votes: int, of_votes: int, leader: str, first: str) -> str:
    """Return how few votes decide first place."""
    decide, them = ("decides", "it") if votes == 1 else ("decide", "them")
    then = f"without {them} {first} would be first, not {leader}"
    return f"{votes:,} of {number_of('vote', of_votes)} {decide} first place: {then}."
