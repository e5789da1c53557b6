"""Licenses: one spelling each, as SPDX writes them.

Boundary: spelling only; which licenses allow commercial use is a list of `exchange.licenses`.
"""

from __future__ import annotations

UNKNOWN_LICENSE = "unknown"
"""The license of a model that names none."""

_SPDX = (
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
    "CC-BY-NC-3.0",
    "CC-BY-NC-4.0",
    "CC-BY-NC-SA-3.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-NC-ND-4.0",
    "CC-BY-ND-4.0",
    "GPL-3.0",
    "AGPL-3.0",
    "LGPL-3.0",
    "MPL-2.0",
    "Unlicense",
    "Zlib",
)
_SPELLINGS = {name.casefold(): name for name in _SPDX}


def spdx(license: str) -> str:
    """Return a license in its SPDX spelling; "unknown" for an empty one, others as they are without outer blanks."""
    license = license.strip()
    return _SPELLINGS.get(license.casefold(), license) or UNKNOWN_LICENSE
