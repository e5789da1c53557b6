"""Judged pairs as the pair formats want them: filtered the same way for all.

Boundary: options in, records out.
"""

from __future__ import annotations

from collections.abc import Iterator

from playground.exchange.formats import ExportOptions
from playground.exchange.licenses import allows_commercial_use
from playground.records import JudgedTexts
from playground.storage.statements import Reading


def judged_texts(reading: Reading, options: ExportOptions) -> Iterator[JudgedTexts]:
    """Pairs of good answers under a vote that stands, in time."""
    found = reading.judged_texts(blind_only=options.blind_only, category=options.category)
    if not options.commercial_only:
        return found
    return (
        texts for texts in found if allows_commercial_use(texts.license_a) and allows_commercial_use(texts.license_b)
    )
