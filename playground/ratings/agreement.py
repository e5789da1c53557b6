"""Agreement of raters on the same items, and of a rater with themselves.

Boundary: codes of judgements in, coefficients with intervals out; `repeats` decides which judgements are of the same
item.

Krippendorff's alpha takes any number of raters and missing judgements (Krippendorff 2011, "Computing Krippendorff's
alpha-reliability"); Cohen's kappa takes two, or two judgements of one rater. Both are 1 for perfect agreement and 0
for that of chance. The interval of alpha is from the jackknife over items, that of kappa from its asymptotic variance
(Fleiss, Cohen and Everitt 1969, Psychological Bulletin 72).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from playground.errors import InvalidValue
from playground.ratings.pairs import FloatArray, IntArray
from playground.ratings.student import student_quantile


@dataclass(frozen=True, slots=True)
class Agreement:
    """A coefficient with its interval; NaN if there is nothing to agree on."""

    value: float
    lower: float
    upper: float
    items: int  # judged twice or more


NOTHING_SHARED = Agreement(math.nan, math.nan, math.nan, 0)


def krippendorff_alpha(counts: IntArray, *, level: float = 0.95, unit: IntArray | None = None) -> Agreement:
    """Return alpha from the judgements of each item by nominal code, shape (items, codes), one of each rater.

    Args:
        unit: of each item, shape (items,): the jackknife leaves out the items of a unit together; None: each is one.

    Raises:
        InvalidValue: an array of another shape, or a count below 0.
    """
    if counts.ndim != 2 or (counts < 0).any():
        raise InvalidValue(f"counts have shape {counts.shape}; valid: (items, codes), each 0 or more")
    units = np.arange(len(counts)) if unit is None else unit
    shared = counts.sum(axis=1) > 1
    counts, units = counts[shared], np.unique(units[shared], return_inverse=True)[1]
    items, found = len(counts), _Sums.of(counts)
    value = float(found.total().alpha()[0])
    if math.isnan(value):
        return Agreement(math.nan, math.nan, math.nan, items)
    without = found.without(units).alpha()
    without = without[~np.isnan(without)]
    if len(without) < 2:
        return Agreement(value, math.nan, math.nan, items)
    variance = (len(without) - 1) * float(np.var(without))
    reach = float(student_quantile((1 + level) / 2, len(without) - 1)) * math.sqrt(variance)
    return Agreement(value, value - reach, min(1.0, value + reach), items)


def share_equal(counts: IntArray) -> float:
    """Return the share of equal judgements of two raters of an item, each judgement weighing the same; NaN of none."""
    judged = counts.sum(axis=1)
    shared = counts[judged > 1]
    if not len(shared):
        return math.nan
    return 1 - float(_Sums.of(shared).apart.sum()) / float(shared.sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Sums over the items of n parts, of which alpha is a function."""

    by_code: FloatArray  # (n, codes) judgements
    apart: FloatArray  # (n,) pairs of judgements that differ, each item's over its judgements but one

    @classmethod
    def of(cls, counts: IntArray) -> _Sums:
        """Return those of each item, from its two judgements or more by code, shape (items, codes)."""
        judged = counts.sum(axis=1)
        return cls(counts.astype(np.float64), (judged**2 - np.square(counts).sum(axis=1)) / (judged - 1))

    def total(self) -> _Sums:
        return _Sums(self.by_code.sum(axis=0)[None], self.apart.sum()[None])

    def without(self, units: IntArray) -> _Sums:
        """Return those of all items but the ones of each unit, from the unit of each."""
        by_code = np.stack([np.bincount(units, weights=column) for column in self.by_code.T], axis=1)
        total = self.total()
        return _Sums(total.by_code - by_code, total.apart - np.bincount(units, weights=self.apart))

    def alpha(self) -> FloatArray:
        """Return alpha of each part, shape (n,); NaN if all of its judgements have one code."""
        total = self.by_code.sum(axis=1)
        by_chance = total**2 - np.square(self.by_code).sum(axis=1)
        known = by_chance > 0
        return np.where(known, 1 - (total - 1) * self.apart / np.where(known, by_chance, 1.0), np.nan)


def cohen_kappa(first: IntArray, second: IntArray, *, level: float = 0.95) -> Agreement:
    """Return kappa of two judgements (items,) of each item, as codes from 0 on.

    Raises:
        InvalidValue: arrays of different lengths.
    """
    if first.shape != second.shape or first.ndim != 1:
        raise InvalidValue(f"{first.shape} judgements and {second.shape}; valid: one of each for each item")
    if not len(first):
        return NOTHING_SHARED
    size = int(max(first.max(), second.max())) + 1
    share = np.bincount(first * size + second, minlength=size * size).reshape(size, size) / len(first)
    rows, columns, same = share.sum(axis=1), share.sum(axis=0), np.diagonal(share)
    found, chance = float(same.sum()), float(rows @ columns)
    if chance == 1:
        return Agreement(math.nan, math.nan, math.nan, len(first))
    value = (found - chance) / (1 - chance)
    own = float((same * np.square((1 - chance) - (rows + columns) * (1 - found))).sum())
    across = np.square(columns[:, None] + rows) * share
    others = (1 - found) ** 2 * float(across.sum() - np.diagonal(across).sum())
    variance = (own + others - (found * chance - 2 * chance + found) ** 2) / (len(first) * (1 - chance) ** 4)
    reach = float(student_quantile((1 + level) / 2, math.inf)) * math.sqrt(max(variance, 0.0))
    return Agreement(value, max(-1.0, value - reach), min(1.0, value + reach), len(first))
