"""Variances of the ratings by the sandwich formula, with raters or votes as the unit.

Boundary: variances only; intervals and ranks are in `intervals`.

The covariance is the clustered sandwich (Liang and Zeger 1986, Biometrika 73): H⁻¹ B H⁻¹ with H the curvature
of the likelihood and B the sum over units of the outer product of the unit's gradient, times G / (G - 1). The
unit is a rater, because one person's votes are alike, or a vote if there are too few raters to compare.
Seven raters with tastes of their own (0.5 log-odds per model, 500 votes on five models) give intervals that
cover 95 % of the time with raters as units, and 79 % with votes.

Two rules keep small numbers honest. If fewer than MIN_RATERS have judged a model, its variance is at least
that of votes taken one by one: the gradient of a single rater is zero, which would look like certainty. And
no variance is below VARIANCE_FLOOR of what the model itself expects: an undefeated model or a row of ties
leaves no residuals either. With the floor, the interval of 30 wins in 30 begins at 92 % wins, as does that of
Jeffreys.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import POINTS, Fit
from playground.ratings.pairs import SCORES, BoolArray, FloatArray, IntArray, PairTable

UNITS = ("auto", "rater", "vote")
MIN_RATERS = 5
"""Effective raters below which votes are the unit."""
VARIANCE_FLOOR = 1 / 3
"""Least share of the variance that the model itself expects."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Variances of the m ratings of one fit and of their differences, in points²."""

    unit: str  # rater | vote: what was taken to be independent
    effective_raters: float  # (Σn)² / Σn² of the weights n of their votes: fewer than there are if some vote more
    degrees: float  # of freedom: one less than the effective number of units
    few_raters: BoolArray  # (m,) judged by fewer than MIN_RATERS, if raters are the unit
    rating: FloatArray  # (m,)
    difference: FloatArray  # (m, m)


def choose_unit(table: PairTable, unit: str = "auto") -> str:
    """Return ``rater`` or ``vote``; ``auto`` takes raters if there are effectively MIN_RATERS or more.

    Raises:
        InvalidValue: an unknown unit.
    """
    if unit not in UNITS:
        raise InvalidValue(f"unit is {unit!r}; valid are: {', '.join(UNITS)}")
    if unit != "auto":
        return unit
    return "rater" if effective_raters(table) >= MIN_RATERS else "vote"


def spread(table: PairTable, fit: Fit, unit: str, covariance: FloatArray | None = None) -> Spread:
    """Return the variances with a unit (rater or vote); `covariance` (m, m) replaces that of the sandwich."""
    by_unit = sandwich(table, fit, unit) if covariance is None else covariance
    few = np.zeros(len(table.models), dtype=bool)
    if unit == "rater":
        few = effective_raters_by_model(table) < MIN_RATERS
    by_vote = sandwich(table, fit, "vote") if few.any() else by_unit
    raters = effective_raters(table)
    return Spread(
        unit=unit,
        effective_raters=raters,
        degrees=max((raters if unit == "rater" else table.num_votes) - 1.0, 1.0),
        few_raters=few,
        rating=_honest(np.diagonal(by_unit), np.diagonal(by_vote), np.diagonal(fit.covariance), few),
        difference=_honest(
            difference_variance(by_unit),
            difference_variance(by_vote),
            difference_variance(fit.covariance),
            few[:, None] | few,
        ),
    )


def sandwich(table: PairTable, fit: Fit, unit: str) -> FloatArray:
    """Return the covariance (m, m) of the ratings in points², with raters or votes as the independent units."""
    expected = 1 / (1 + np.exp((fit.ratings[table.second] - fit.ratings[table.first]) / POINTS))
    residual = table.weight * (SCORES[table.outcome] - expected)
    gradient = _gradients(table, table.rater if unit == "rater" else table.vote, residual)
    units = len(gradient)
    correction = units / (units - 1) if units > 1 else 1.0
    meat = correction * gradient.T @ gradient
    return np.asarray(fit.covariance @ meat @ fit.covariance / POINTS**2)


def difference_variance(covariance: FloatArray) -> FloatArray:
    """Return the variance (m, m) of the difference of each two, from a covariance (m, m)."""
    own = np.diagonal(covariance)
    return np.maximum(own[:, None] + own - 2 * covariance, 0.0)


def effective_raters(table: PairTable) -> float:
    """Return Kish's effective number of raters, (Σn)² / Σn² with n the weight of a rater's votes; 0 without a vote."""
    return _effective(table.weight_by_rater())


def effective_raters_by_model(table: PairTable) -> FloatArray:
    """Return the same for the pairs of each model, shape (m,)."""
    m, pairs = len(table.models), np.tile(table.weight, 2)
    cells = np.concatenate([table.rater * m + table.first, table.rater * m + table.second])
    by_rater = np.bincount(cells, weights=pairs, minlength=table.num_raters * m).reshape(table.num_raters, m)
    return np.array([_effective(column) for column in by_rater.T])


def _effective(counts: FloatArray | IntArray) -> float:
    squares = float(np.square(counts, dtype=np.float64).sum())
    return float(counts.sum()) ** 2 / squares if squares > 0 else 0.0


def _gradients(table: PairTable, unit: IntArray, residual: FloatArray) -> FloatArray:
    """Return each unit's gradient of the log-likelihood, shape (G, m), in log-odds."""
    m, units = len(table.models), int(unit.max(initial=-1)) + 1
    up = np.bincount(unit * m + table.first, weights=residual, minlength=units * m)
    down = np.bincount(unit * m + table.second, weights=residual, minlength=units * m)
    return np.asarray(up - down, dtype=np.float64).reshape(units, m)


def _honest(by_unit: FloatArray, by_vote: FloatArray, by_model: FloatArray, few: BoolArray) -> FloatArray:
    """Apply the two rules of the module's docstring, entry by entry."""
    return np.maximum(np.where(few, np.maximum(by_unit, by_vote), by_unit), VARIANCE_FLOOR * by_model)
