"""Outcomes of votes, as the formats need them.

Boundary: pure.
"""

from __future__ import annotations

from playground.records import ExportedVote

TIED = ("tie", "both_bad")


def best_sides(choice: str) -> str:
    """Return the letters of the sides that won; none for a tie of all, and if all are bad."""
    if choice in TIED:
        return ""
    best, _, rest = choice.partition(">")
    return "" if "=" in best and not rest else best.replace("=", "")


def good_sides(choice: str, sides: str) -> str:
    """Return the letters of the sides that were judged good: the best ones, or all of a tie."""
    if choice == "both_bad":
        return ""
    return best_sides(choice) or sides


def winner_of_two(vote: ExportedVote) -> tuple[str | None, str | None, str | None]:
    """Return both models and the winner, as in the view `pairs`; three times None for more than two answers."""
    if len(vote.sides) != 2:
        return None, None, None
    first, second = vote.sides
    best = best_sides(vote.choice)
    if not best:
        winner = "both_bad" if vote.choice == "both_bad" else "tie"
    else:
        winner = "model_a" if best == first.side else "model_b"
    return first.answer.model_id, second.answer.model_id, winner
