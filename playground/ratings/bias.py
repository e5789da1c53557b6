"""What may have swayed the votes beside the answers: the position and the length.

Boundary: shares of decided pairs with their intervals; whether that is worrying is said in `verdict`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from playground.errors import InvalidValue
from playground.ratings.pairs import FIRST, SECOND, BoolArray, PairTable


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a number of pairs; `share`, `lower` and `upper` are NaN when there are none."""

    count: int
    total: int
    share: float
    lower: float
    upper: float


def first_side_wins(table: PairTable, *, model: str = "", level: float = 0.95) -> Share:
    """How many decided pairs the model on the earlier side won; only those of one model when it is named.

    Raises:
        InvalidValue: a model that is not in the table.
    """
    among = np.ones(len(table.first), dtype=bool)
    if model:
        if model not in table.models:
            raise InvalidValue(f"unknown model {model!r}; valid are: {', '.join(table.models)}")
        index = table.models.index(model)
        among = (table.first == index) | (table.second == index)
    return _share(table, table.outcome == FIRST, among & _decided(table), level)


def longer_wins(table: PairTable, *, level: float = 0.95) -> Share:
    """How many decided pairs of unequal length the longer answer won."""
    won = np.where(table.longer > 0, table.outcome == FIRST, table.outcome == SECOND)
    return _share(table, won, _decided(table) & (table.longer != 0), level)


def wilson(share: float, total: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share of `total` independent trials (Wilson 1927, JASA 22)."""
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = share + z * z / (2 * total)
    reach = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)


def _decided(table: PairTable) -> BoolArray:
    return np.isin(table.outcome, (FIRST, SECOND))


def _share(table: PairTable, success: BoolArray, among: BoolArray, level: float) -> Share:
    """The share of `success` among rows; Wilson's interval, wider where the pairs of a vote are alike."""
    repeats = table.repeats_of_vote()
    trials = np.bincount(table.vote, weights=among, minlength=len(repeats))
    successes = np.bincount(table.vote, weights=among & success, minlength=len(repeats))
    total = float(repeats @ trials)
    if not total:
        return Share(0, 0, math.nan, math.nan, math.nan)
    share = float(repeats @ successes) / total
    independent = share * (1 - share) * total
    found = float(repeats @ np.square(successes - share * trials))
    size = float(repeats @ np.square(trials)) / total  # 1 where each vote is one pair
    effect = max(1.0, found / independent) if independent else size
    lower, upper = wilson(share, total / effect, level)
    return Share(round(share * total), int(total), share, lower, upper)
