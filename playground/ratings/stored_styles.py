"""Styles of the answers of stored pairs; each answer is counted once for as long as it is asked for.

Boundary: asks for texts through `Reading`; no SQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from playground.ratings.answer_style import AnswerStyle, style_of
from playground.ratings.judged import BoolArray, FloatArray
from playground.storage.database.statements import Reading

NEWEST = 50_000
"""Pairs whose texts are read at most: the newest that count."""
KEPT = 4 * NEWEST
"""Answers whose counts are kept; beyond, those that were not asked for now are forgotten."""
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, eq=False)
class PairStyles:
    """Counts of the answers of n pairs, in their order."""

    first: FloatArray  # (n, 5) of `AnswerStyle`
    second: FloatArray  # (n, 5)
    known: BoolArray  # (n,) False if a text was erased


@dataclass(slots=True)
class StoredStyles:
    """Styles by the number of the answer; answers never change, except that their words may be erased."""

    _known: dict[int, AnswerStyle] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of_rows(self, reading: Reading, keys: Sequence[int]) -> PairStyles:
        """Return the styles of the answers of these rows."""
        pairs = [pair for part in _parts(keys) for pair in reading.answers_of_rows(part)]
        asked = dict.fromkeys(number for pair in pairs for number in pair)
        with self._lock:
            self._read(reading, asked)
            found = np.array([self._known[number] for number in asked], dtype=np.float64)
        place = {number: n for n, number in enumerate(asked)}
        index = np.array([(place[a], place[b]) for a, b in pairs], dtype=np.int64).reshape(len(pairs), 2)
        styles = found.reshape(len(asked), len(AnswerStyle._fields))
        first, second = (styles[side] for side in index.T)
        return PairStyles(first, second, (first[:, 0] > 0) & (second[:, 0] > 0))

    def _read(self, reading: Reading, asked: dict[int, None]) -> None:
        missing = [number for number in asked if number not in self._known]
        if len(self._known) + len(missing) > KEPT:
            self._known = {number: style for number, style in self._known.items() if number in asked}
        for part in _parts(missing):
            self._known.update((number, style_of(text)) for number, text in reading.texts_of_answers(part))


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), _AT_ONCE):
        yield numbers[start : start + _AT_ONCE]
