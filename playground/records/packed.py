"""Judged pairs as the database gives them for counting: several small numbers of a row packed into one.

A million rows of Python values take 1 GB; a million numbers of 8 bytes take 8 MB, and are unpacked by arithmetic.

Boundary: values only; `storage` packs, `ratings` unpacks.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass

PAIR_BITS = 6
"""Bits of the pair in a row's key; the others are the vote's number."""


@dataclass(frozen=True, slots=True)
class PackedWord:
    """One number of 63 bits for each row, with the names and widths in bits of its parts, the lowest first."""

    parts: tuple[tuple[str, int], ...]
    values: array[int]


@dataclass(frozen=True, slots=True)
class PackedPairs:
    """All judged pairs of final votes, those of a vote in a row."""

    words: tuple[PackedWord, ...]
    marks: Mapping[str, tuple[int, int]]  # parts of the number `marks`: by how many bits each is shifted, and its mask
    origins: tuple[str, ...]  # by number
    models: Mapping[int, str]
    categories: Mapping[int, str]
    one_each: bool  # every vote judges one pair
