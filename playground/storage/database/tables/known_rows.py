"""Rows that many others name, each read once for as long as memory for it lasts.

Boundary: keys in, rows out; knows no table. The caller reads the rows that are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

K = TypeVar("K", int, str)
V = TypeVar("V")

MOST_BYTES = 16_000_000
"""About the most memory of the rows that are kept; those of one batch may take more."""


@dataclass(slots=True)
class KnownRows(Generic[K, V]):
    """Rows by key.

    Args:
        load: reads rows by their keys, each with about its size in bytes.
    """

    load: Callable[[Sequence[K]], Iterable[tuple[K, V, int]]]
    _rows: dict[K, V] = field(default_factory=dict)
    _bytes: int = 0

    def of(self, keys: set[K]) -> Mapping[K, V]:
        """Return rows, among them all of `keys` that exist; those that are missing are read at once."""
        missing = keys.difference(self._rows)
        if missing:
            if self._bytes > MOST_BYTES:
                self._rows = {key: self._rows[key] for key in keys - missing}
                self._bytes = 0
            for key, row, size_bytes in self.load(sorted(missing)):
                self._rows[key] = row
                self._bytes += size_bytes
        return self._rows


def text_bytes(row: Iterable[Any]) -> int:
    """Return about the bytes that the texts of a row take in memory."""
    return sum(len(value) for value in row if isinstance(value, str | bytes))
