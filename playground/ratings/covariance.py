"""Variances of the ratings by a jackknife over raters or votes, with their degrees of freedom.

Boundary: variances only; intervals and ranks are in `intervals`.

The covariance is that of the delete-one-unit jackknife, in one Newton step per unit (CR3: Bell and McCaffrey 2002,
Survey Methodology 28): without unit g the strengths move by (H - H_g)⁻¹ s_g, with H the curvature of the likelihood,
H_g the unit's share of it and s_g its gradient. The unit is a rater, because one person's votes are alike, or a vote
if there are too few raters to compare. Units of a single vote get half of that correction (HC2: MacKinnon and White
1985, Journal of Econometrics 29), which has no bias: 20 models with 600 votes have 7 % too much variance by the whole.

Each rating and each difference has its own degrees of freedom (Satterthwaite's approximation): the variance is a sum
of one square per unit, and a model that two raters judged has two of them, on a board of any size. The expected size
of a square counts what raters differ by beyond chance, found from the gradients themselves: with it, few raters with
many votes do not pass for many. A single vote at even odds has a square that is known; at worse odds it varies.

Two rules keep small numbers honest. If fewer than MIN_RATERS have judged a model, its variance is at least that of
votes taken one by one: the gradient of a single rater is zero, which would look like certainty. And no variance is
below VARIANCE_FLOOR of what the model itself expects: a row of ties leaves no residuals either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import POINTS, Fit
from playground.ratings.pairs import SCORES, BoolArray, FloatArray, PairTable
from playground.ratings.small_matrices import diagonals
from playground.ratings.unit_sums import UnitSums
from playground.ratings.units import Units

UNITS = ("auto", "rater", "vote")
MIN_RATERS = 8
"""Effective raters below which votes are the unit, and nothing is said about raters who have not voted."""
VARIANCE_FLOOR = 1 / 3
"""Least share of the variance that the model itself expects."""
_FEWEST_PER_SQUARE = 1e-7  # degrees of freedom end at ten million


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Variances of the m ratings of one fit and of their differences, in points², and their degrees of freedom."""

    unit: str  # rater | vote: what was taken to be independent
    effective_raters: float  # (Σn)² / Σn² of the weights n of their votes: fewer than there are if some vote more
    few_raters: BoolArray  # (m,) judged by effectively fewer than MIN_RATERS, if raters are the unit
    rating: FloatArray  # (m,)
    difference: FloatArray  # (m, m)
    rating_degrees: FloatArray  # (m,)
    difference_degrees: FloatArray  # (m, m)

    @property
    def is_about_these(self) -> bool:
        """True if the votes say nothing of other raters, whatever unit was asked for."""
        return self.unit == "vote" or self.effective_raters < MIN_RATERS - 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Jackknife:
    """The covariance of the ratings in points², and the degrees of freedom of its contrasts, 1 or more."""

    covariance: FloatArray  # (m, m)
    rating_degrees: FloatArray  # (m,)
    difference_degrees: FloatArray  # (m, m)


def choose_unit(table: PairTable, unit: str = "auto") -> str:
    """Return ``rater`` or ``vote``; ``auto`` takes raters if there are effectively MIN_RATERS or more.

    Raises:
        InvalidValue: an unknown unit.
    """
    if unit not in UNITS:
        raise InvalidValue(f"unit is {unit!r}; valid are: {', '.join(UNITS)}")
    if unit != "auto":
        return unit
    return "rater" if effective_raters(table) >= MIN_RATERS - 1e-9 else "vote"


def spread(table: PairTable, fit: Fit, unit: str, covariance: FloatArray | None = None) -> Spread:
    """Return the variances with a unit (rater or vote); `covariance` (m, m) replaces that of the jackknife."""
    sums = UnitSums.of(table, unit)
    found = _jackknife(table, fit, sums)
    by_unit = found.covariance if covariance is None else covariance
    few = np.zeros(len(table.models), dtype=bool)
    if unit == "rater":
        few = _effective_by_model(sums, len(few)) < MIN_RATERS - 1e-9
    by_vote = jackknife(table, fit, "vote").covariance if few.any() else by_unit
    return Spread(
        unit=unit,
        effective_raters=effective_raters(table),
        few_raters=few,
        rating=_honest(np.diagonal(by_unit), np.diagonal(by_vote), np.diagonal(fit.covariance), few),
        difference=_honest(
            difference_variance(by_unit),
            difference_variance(by_vote),
            difference_variance(fit.covariance),
            few[:, None] | few,
        ),
        rating_degrees=found.rating_degrees,
        difference_degrees=found.difference_degrees,
    )


def jackknife(table: PairTable, fit: Fit, unit: str) -> Jackknife:
    """Return the jackknife over raters or votes."""
    return _jackknife(table, fit, UnitSums.of(table, unit))


def _jackknife(table: PairTable, fit: Fit, sums: UnitSums) -> Jackknife:
    m, units = len(table.models), Units.of(sums, fit)
    taste = units.taste_variance
    covariance, rating, difference = np.zeros((m, m)), _Sums.zero(m), _Sums.zero(m, m)
    for changes, expected, times, doubt in units.left_out(fit, taste):
        covariance += (changes * times) @ changes.T
        own = diagonals(expected)
        rating.add(own, times, doubt)
        difference.add(own[:, None] + own - 2 * expected, times, doubt)
    return Jackknife(POINTS**2 * covariance, rating.degrees(), difference.degrees())


def scores(table: PairTable, ratings: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the residual and the information of each row at these ratings, each of shape (n,)."""
    expected = expit((ratings[table.first] - ratings[table.second]) / POINTS)
    return table.weight * (SCORES[table.outcome] - expected), table.weight * expected * (1 - expected)


def difference_variance(covariance: FloatArray) -> FloatArray:
    """Return the variance (m, m) of the difference of each two, from a covariance (m, m)."""
    own = np.diagonal(covariance)
    return np.maximum(own[:, None] + own - 2 * covariance, 0.0)


def effective_raters(table: PairTable) -> float:
    """Return Kish's effective number of raters, (Σn)² / Σn² with n the weight of a rater's votes; 0 without a vote."""
    weight = table.weight_by_rater
    return float(_effective(float(weight.sum()), float(np.square(weight).sum())))


def _effective_by_model(raters: UnitSums, m: int) -> FloatArray:
    """Return the effective number of raters of the pairs of each model, shape (m,)."""
    cells = (raters.unit * m + raters.first, raters.unit * m + raters.second)
    weights = sum(np.bincount(cell, raters.weight, len(raters.times) * m) for cell in cells)
    by_rater = np.asarray(weights).reshape(len(raters.times), m)
    return _effective(raters.times @ by_rater, raters.times @ np.square(by_rater))


def _effective(total: FloatArray | float, squares: FloatArray | float) -> FloatArray:
    return np.divide(np.square(total), squares, out=np.zeros(np.shape(total)), where=np.asarray(squares) > 0)


def _honest(by_unit: FloatArray, by_vote: FloatArray, by_model: FloatArray, few: BoolArray) -> FloatArray:
    """Apply the two rules of the module's docstring, entry by entry."""
    return np.maximum(np.where(few, np.maximum(by_unit, by_vote), by_unit), VARIANCE_FLOOR * by_model)


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Sums of the expected squares of units, for Satterthwaite's degrees of freedom."""

    first: FloatArray
    second: FloatArray

    @classmethod
    def zero(cls, *shape: int) -> _Sums:
        return cls(np.zeros(shape), np.zeros(shape))

    def add(self, squares: FloatArray, times: FloatArray, doubt: FloatArray) -> None:
        """Add squares that occur `times`, with the variance of each as a share of that of a squared normal value."""
        np.add(self.first, squares @ times, out=self.first)
        np.add(self.second, np.square(squares) @ (times * doubt), out=self.second)

    def degrees(self) -> FloatArray:
        """Return the effective number of squares less one, for the fit that they share; at least 1."""
        known = self.second > _FEWEST_PER_SQUARE * np.square(self.first)
        number = np.divide(np.square(self.first), self.second, out=np.full_like(self.first, np.inf), where=known)
        return np.where(self.first > 0, np.maximum(np.minimum(number, 1 / _FEWEST_PER_SQUARE) - 1, 1.0), 1.0)
