"""The terms that a rater agrees to by comparing, and their version.

Boundary: reads one text file beside it; the store records who agreed when.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from playground.errors import InvalidValue
from playground.messages import Message

TERMS_FILE = Path(__file__).parent / "terms.md"
_TERMS = re.compile(r"Version: (?P<version>\d{4}-\d{2}-\d{2}(?:\.\d+)?)\n\n(?P<text>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Terms:
    """A version of the terms."""

    version: str  # the day of the change, and a number where a day had two
    text: str  # Markdown


def read_terms(path: Path = TERMS_FILE) -> Terms:
    """Return the terms in force.

    Raises:
        InvalidValue: the file does not begin with a version.
    """
    found = _TERMS.fullmatch(path.read_text("utf-8"))
    if found is None:
        raise InvalidValue(
            Message("{path} has to begin with a line such as 'Version: 2026-11-21' and an empty line", path=path)
        )
    return Terms(found["version"], found["text"].strip())
