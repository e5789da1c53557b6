"""Agreement of raters on the same items, and of a rater with themselves.

No page and no command shows them yet: they need studies, in which several raters judge the same items.

Boundary: codes of judgements in, coefficients with intervals out; which battles are the same item is decided elsewhere.

Krippendorff's alpha takes any number of raters and missing judgements (Krippendorff 2011, "Computing Krippendorff's
alpha-reliability"); Cohen's kappa takes two, or one rater's two judgements of the same answers, the second with its
sides swapped back. Both are 1 for perfect agreement and 0 for that of chance. The interval of alpha is from the
jackknife over items, that of kappa from its asymptotic variance (Fleiss, Cohen and Everitt 1969, Psychological
Bulletin 72).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from playground.errors import InvalidValue
from playground.ratings.pairs import BOTH_BAD, FIRST, SECOND, TIE, FloatArray, IntArray
from playground.ratings.student import student_quantile

MISSING = -1
"""Code of an item that a rater did not judge."""
SWAPPED = np.array([SECOND, FIRST, TIE, BOTH_BAD])
"""Outcome with the sides swapped, for each of `pairs.WINNERS`."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A coefficient with its interval; NaN if there is nothing to agree on."""

    value: float
    lower: float
    upper: float
    items: int  # judged twice or more


NOTHING_SHARED = Agreement(math.nan, math.nan, math.nan, 0)


def krippendorff_alpha(codes: IntArray, *, level: float = 0.95) -> Agreement:
    """Return alpha for nominal codes (items, raters), MISSING where a rater did not judge an item.

    Raises:
        InvalidValue: an array of another shape, or a code below MISSING.
    """
    if codes.ndim != 2 or (codes < MISSING).any():
        raise InvalidValue(f"codes have shape {codes.shape}; valid: (items, raters), each {MISSING} or more")
    counts = np.stack([(codes == code).sum(axis=1) for code in range(int(codes.max(initial=0)) + 1)], axis=1)
    counts = counts[counts.sum(axis=1) > 1].astype(np.float64)
    items = len(counts)
    value = _alpha(counts)
    if math.isnan(value):
        return Agreement(math.nan, math.nan, math.nan, items)
    without = np.array([_alpha(np.delete(counts, item, axis=0)) for item in range(items)])
    without = without[~np.isnan(without)]
    if len(without) < 2:
        return Agreement(value, math.nan, math.nan, items)
    variance = (len(without) - 1) * float(np.var(without))
    reach = float(student_quantile((1 + level) / 2, len(without) - 1)) * math.sqrt(variance)
    return Agreement(value, value - reach, min(1.0, value + reach), items)


def _alpha(counts: FloatArray) -> float:
    """Return alpha from the judgements of each item by code, shape (items, codes); NaN if all have one code."""
    judged = counts.sum(axis=1)
    by_code = counts.sum(axis=0)
    total = float(by_code.sum())
    by_chance = total**2 - float(np.square(by_code).sum())
    if by_chance == 0:
        return math.nan
    apart = float(((np.square(judged) - np.square(counts).sum(axis=1)) / (judged - 1)).sum())
    return 1 - (total - 1) * apart / by_chance


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


def self_consistency(outcome: IntArray, repeated: IntArray, *, level: float = 0.95) -> Agreement:
    """Return kappa of one rater's outcomes, as in `pairs.WINNERS`, with those on the same answers, sides swapped."""
    return cohen_kappa(outcome, SWAPPED[repeated], level=level)
