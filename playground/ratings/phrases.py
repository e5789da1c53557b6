"""Pieces of sentences.

Boundary: numbers and names in, words out.
"""

from __future__ import annotations

from collections.abc import Sequence

MOST_NAMES = 4
"""Names in a list before the rest becomes a number."""


def listed(names: Sequence[str]) -> str:
    """Return ``A``, ``A and B``, ``A, B and C`` or ``A, B, C and 3 others``."""
    if len(names) > MOST_NAMES:
        return f"{', '.join(names[: MOST_NAMES - 1])} and {len(names) - MOST_NAMES + 1} others"
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def number_of(noun: str, number: int) -> str:
    """Return "1 vote" or "1,234 votes"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def rank_range(lower: int, upper: int, provisional: bool) -> str:
    """Return "2" or "1–3"; "–" for a provisional rating, which claims no rank."""
    if provisional:
        return "–"
    return f"{lower}" if lower == upper else f"{lower}–{upper}"
