"""Licenses of answers: their spelling, and which of them clearly allow commercial use.

Boundary: a list; a license that is not on it counts as not allowing it.
"""

from __future__ import annotations

from collections.abc import Iterable

from playground.records import UNKNOWN_LICENSE, spdx

COMMERCIAL = frozenset(
    {
        "Apache-2.0",
        "MIT",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "CC0-1.0",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC-BY-SA-3.0",
        "CC-BY-SA-4.0",
        "Unlicense",
        "Zlib",
    }
)

COMMERCIAL_LICENSES = tuple(sorted(license.casefold() for license in COMMERCIAL))
"""The same for SQL, which compares them without case."""

_NOT_NAMED = frozenset({UNKNOWN_LICENSE, "other"})


def allows_commercial_use(license: str) -> bool:
    """Return True if a license, named as on a model card or by SPDX, is one of `COMMERCIAL`."""
    return spdx(license) in COMMERCIAL


def license_class(licenses: Iterable[str]) -> str:
    """Return ``commercial`` if all licenses allow commercial use, else ``other``, as the filter `license` spells it."""
    return "commercial" if all(allows_commercial_use(license) for license in licenses) else "other"


def is_named(license: str) -> bool:
    """Return True if somebody has said which license applies."""
    return spdx(license).casefold() not in _NOT_NAMED


def license_of(license: str, on_card: str) -> str:
    """Return the license of an answer: as stored with it, or of its model's card if none was known at the time."""
    return spdx(license if is_named(license) else on_card if is_named(on_card) else license)
