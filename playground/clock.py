"""Time as an argument, so that tests can set it.

Boundary: the standard library's clocks and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def utc_now() -> str:
    """Return the current time in UTC as ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Clock:
    """Two clocks: `now()` for stored times, `monotonic()` in seconds for durations."""

    now: Callable[[], str] = utc_now
    monotonic: Callable[[], float] = time.monotonic
