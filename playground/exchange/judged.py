"""What is exported of what was judged: filtered the same way for all formats.

Boundary: options in, records out.
"""

from __future__ import annotations

from collections.abc import Iterator

from playground.counting import CountingPolicy, counted_votes
from playground.exchange.formats import ExportOptions
from playground.exchange.licenses import allows_commercial_use
from playground.records import JudgedBattle, JudgedTexts
from playground.storage.statements import Reading


def judged_texts(reading: Reading, options: ExportOptions) -> Iterator[JudgedTexts]:
    """Pairs of good answers under a vote that stands, in time."""
    found = reading.judged_texts(blind_only=options.blind_only, category=options.category)
    if options.counted_only:
        counted = counted_votes(reading.judged_pairs(), CountingPolicy())
        found = (texts for texts in found if texts.pair.vote_id in counted)
    if not options.commercial_only:
        return found
    return (
        texts for texts in found if allows_commercial_use(texts.license_a) and allows_commercial_use(texts.license_b)
    )


def judged_battles(reading: Reading, options: ExportOptions) -> Iterator[JudgedBattle]:
    """Votes that stand with their battles, in time."""
    found = reading.judged_battles(blind_only=options.blind_only, category=options.category)
    if not options.counted_only:
        return found
    counted = counted_votes(reading.judged_pairs(), CountingPolicy())
    return (judged for judged in found if judged.vote.id in counted)
