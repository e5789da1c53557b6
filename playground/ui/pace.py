"""How often answers that are being written are looked at and sent on.

Boundary: pure. One thread serves everybody: what it sends in a second must not grow with how many read, or votes would
wait behind snapshots.
"""

from __future__ import annotations

TICK_S = 0.09
"""As quick as an eye follows, for as many battles as `AT_FULL_PACE`."""
AT_FULL_PACE = 6
SLOWEST_S = 1.0


def tick_s(battles: int) -> float:
    """Seconds between two looks at one of so many battles that are being written."""
    return min(SLOWEST_S, TICK_S * max(1.0, battles / AT_FULL_PACE))
