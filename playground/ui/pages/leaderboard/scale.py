"""Round tick marks of an axis.

Boundary: numbers only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000)
MOST_TICKS = 7


def scale(points: Sequence[float]) -> list[float]:
    """Return at most seven round tick marks that span all `points`."""
    low, high = min(points), max(points)
    step = next((s for s in STEPS if (high - low) / s <= MOST_TICKS - 2), STEPS[-1])
    while (high - low) / step > MOST_TICKS - 2:
        step *= 2
    first, last = math.floor(low / step), math.ceil(high / step)
    return [float(step * n) for n in range(first, max(last, first + 1) + 1)]
