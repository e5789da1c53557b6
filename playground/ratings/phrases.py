"""Pieces of sentences, as messages that a page can say in another language.

Boundary: numbers and names in, words out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.messages import Counted, Message, joined, marked_forms

MOST_NAMES = 4
"""Names in a list before the rest becomes a number."""


_NOUNS: Mapping[str, tuple[str, str]] = {
    "vote": marked_forms("{count:,} vote", "{count:,} votes"),
    "more vote": marked_forms("{count:,} more vote", "{count:,} more votes"),
    "flagged vote": marked_forms("{count:,} flagged vote", "{count:,} flagged votes"),
    "dishonest vote": marked_forms("{count:,} dishonest vote", "{count:,} dishonest votes"),
    "decided vote": marked_forms("{count:,} decided vote", "{count:,} decided votes"),
    "tie": marked_forms("{count:,} tie", "{count:,} ties"),
    "judged pair": marked_forms("{count:,} judged pair", "{count:,} judged pairs"),
    "pair": marked_forms("{count:,} pair", "{count:,} pairs"),
    "model": marked_forms("{count:,} model", "{count:,} models"),
}
"""Nouns of the pages; those of the command line, which is English, are made from the noun."""


def listed(names: Sequence[str]) -> str:
    """Return ``A``, ``A and B``, ``A, B and C`` or ``A, B, C and 3 others``."""
    if len(names) > MOST_NAMES:
        first = joined(", ", names[: MOST_NAMES - 1])
        return Message("{names} and {count} others", names=first, count=len(names) - MOST_NAMES + 1)
    if len(names) < 2:
        return joined(", ", names)
    return Message("{names} and {last}", names=joined(", ", names[:-1]), last=names[-1])


def number_of(noun: str, number: int) -> str:
    """Return "1 vote" or "1,234 votes"."""
    one, other = _NOUNS.get(noun, (f"{{count:,}} {noun}", f"{{count:,}} {noun}s"))
    return Counted(one, other, count=number)


def percent(share: float, digits: int = 0) -> str:
    """Return a share in per cent: "62 %"."""
    return Message("{number} %", number=f"{100 * share:.{digits}f}")


def rank_range(lower: int, upper: int, provisional: bool) -> str:
    """Return "2" or "1–3"; "–" for a provisional rating, which claims no rank."""
    if provisional:
        return "–"
    return f"{lower}" if lower == upper else f"{lower}–{upper}"
