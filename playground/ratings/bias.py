"""Share of wins of each model by the side of its answer; the effect of the side over all models is in `style`.

Boundary: shares of decided pairs with their intervals; `findings` judges them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from playground.ratings.pairs import FIRST, SECOND, PairTable


@dataclass(frozen=True, slots=True)
class Sides:
    """The decided pairs of a model on each side, and the difference of the shares that it won."""

    won_earlier: int
    earlier: int
    won_later: int
    later: int
    difference: float  # of the shares, earlier minus later; NaN without a pair on each side
    lower: float
    upper: float


def wins_by_side(table: PairTable, *, level: float = 0.95) -> tuple[Sides, ...]:
    """Return the wins of each model on the earlier and the later side.

    The intervals of all models that were judged on both sides hold together (Bonferroni).
    """
    first, second = table.counts[:, :, FIRST], table.counts[:, :, SECOND]
    decided = first + second
    counts = [side.tolist() for side in (first.sum(1), decided.sum(1), second.sum(0), decided.sum(0))]
    compared = sum(bool(earlier and later) for _, earlier, _, later in zip(*counts, strict=True))
    own = 1 - (1 - level) / max(compared, 1)
    return tuple(
        Sides(won, total, other_won, other_total, *_difference(won, total, other_won, other_total, own))
        for won, total, other_won, other_total in zip(*counts, strict=True)
    )


def _difference(won: int, total: int, other_won: int, other_total: int, level: float) -> tuple[float, float, float]:
    """Return the difference of two shares and its interval (method 10 of Newcombe 1998, Statistics in Medicine 17)."""
    if not (total and other_total):
        return math.nan, math.nan, math.nan
    one, other = won / total, other_won / other_total
    low, high = wilson(one, total, level)
    other_low, other_high = wilson(other, other_total, level)
    found = one - other
    return found, found - math.hypot(one - low, other_high - other), found + math.hypot(high - one, other - other_low)


def wilson(share: float, total: float, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a share of `total` independent trials (Wilson 1927, JASA 22)."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = share + z * z / (2 * total)
    reach = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)
