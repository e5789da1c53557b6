"""Licenses that clearly allow commercial use of a model's answers.

Boundary: a list; a license that is not on it counts as not allowing it.
"""

from __future__ import annotations

COMMERCIAL = frozenset(
    {
        "apache-2.0",
        "mit",
        "bsd-2-clause",
        "bsd-3-clause",
        "isc",
        "cc0-1.0",
        "cc-by-3.0",
        "cc-by-4.0",
        "cc-by-sa-3.0",
        "cc-by-sa-4.0",
        "unlicense",
        "zlib",
    }
)


def allows_commercial_use(license: str) -> bool:
    """Return True if a license, named as on a model card or by SPDX, is one of `COMMERCIAL`."""
    return license.strip().casefold() in COMMERCIAL
