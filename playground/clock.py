"""Time as an argument: one record of two functions, so that tests can hold it still.

Boundary: the standard library's clocks and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def utc_now() -> str:
    """The present in UTC as ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Clock:
    """`now()` for what is stored, `monotonic()` in seconds for what is measured."""

    now: Callable[[], str] = utc_now
    monotonic: Callable[[], float] = time.monotonic
