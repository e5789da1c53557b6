"""Judged pairs and battles, filtered the same way for all formats.

Boundary: options in, records out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from playground.exchange.formats import ExportOptions
from playground.exchange.licenses import allows_commercial_use
from playground.ratings.counting import reasons_of
from playground.ratings.policy import Reason
from playground.records import JudgedBattle, JudgedTexts
from playground.storage.database.statements import Reading


def judged_texts(reading: Reading, options: ExportOptions) -> Iterator[JudgedTexts]:
    """Return the judged pairs with their answers, in order of time."""
    found = reading.judged_texts(blind_only=options.blind_only, category=options.category)
    if options.counted_only:
        reasons = exclusions(reading, options)
        found = (texts for texts in found if texts.pair.vote_id not in reasons)
    if not options.commercial_only:
        return found
    return (
        texts for texts in found if allows_commercial_use(texts.license_a) and allows_commercial_use(texts.license_b)
    )


def judged_battles(reading: Reading, options: ExportOptions) -> Iterator[JudgedBattle]:
    """Return the votes with their battles, in order of time."""
    found = reading.judged_battles(blind_only=options.blind_only, category=options.category)
    if not options.counted_only:
        return found
    reasons = exclusions(reading, options)
    return (judged for judged in found if judged.vote.id not in reasons)


def exclusions(reading: Reading, options: ExportOptions) -> Mapping[str, Reason]:
    """Return why votes do not count on the leaderboard, by vote id."""
    pairs = list(reading.judged_pairs())
    return reasons_of(pairs, options.policy.with_fallback(pairs))
