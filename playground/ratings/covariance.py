"""Variances of the ratings by a jackknife over raters or votes, with their degrees of freedom.

Boundary: variances only; intervals and ranks are in `intervals`.

The covariance is that of the delete-one-unit jackknife, in one Newton step per unit (CR3: Bell and McCaffrey 2002,
Survey Methodology 28): without unit g the strengths move by (H - H_g)⁻¹ s_g, with H the curvature of the likelihood,
H_g the unit's share of it and s_g its gradient. The unit is a rater, because one person's votes are alike, or a vote
if there are too few raters to compare.

Each rating and each difference has its own degrees of freedom (Satterthwaite's approximation): the variance is a sum
of one square per unit, and a model that two raters judged has two of them, on a board of any size. The expected size
of a square counts what raters differ by beyond chance, found from the gradients themselves: with it, few raters with
many votes do not pass for many.

Two rules keep small numbers honest. If fewer than MIN_RATERS have judged a model, its variance is at least that of
votes taken one by one: the gradient of a single rater is zero, which would look like certainty. And no variance is
below VARIANCE_FLOOR of what the model itself expects: a row of ties leaves no residuals either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import POINTS, Fit, pseudo_inverse
from playground.ratings.pairs import SCORES, BoolArray, FloatArray, IntArray, PairTable

UNITS = ("auto", "rater", "vote")
MIN_RATERS = 8
"""Effective raters below which votes are the unit, and nothing is said about raters who have not voted."""
VARIANCE_FLOOR = 1 / 3
"""Least share of the variance that the model itself expects."""
_CELLS_AT_ONCE = 1_000_000
"""Entries of the matrices (units, m, m) that are held at a time: 8 MB each."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Variances of the m ratings of one fit and of their differences, in points², and their degrees of freedom."""

    unit: str  # rater | vote: what was taken to be independent
    effective_raters: float  # (Σn)² / Σn² of the weights n of their votes: fewer than there are if some vote more
    few_raters: BoolArray  # (m,) judged by fewer than MIN_RATERS, if raters are the unit
    rating: FloatArray  # (m,)
    difference: FloatArray  # (m, m)
    rating_degrees: FloatArray  # (m,)
    difference_degrees: FloatArray  # (m, m)


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
    found = jackknife(table, fit, unit)
    by_unit = found.covariance if covariance is None else covariance
    few = np.zeros(len(table.models), dtype=bool)
    if unit == "rater":
        few = effective_raters_by_model(table) < MIN_RATERS - 1e-9
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
    m, units = len(table.models), _Units.of(table, fit, unit)
    taste = units.taste_variance
    covariance, rating, difference = np.zeros((m, m)), _Sums.zero(m), _Sums.zero(m, m)
    for changes, expected, times in units.left_out(fit, taste):
        covariance += (changes * times[:, None]).T @ changes
        own = np.diagonal(expected, axis1=1, axis2=2)
        rating.add(own, times)
        difference.add(own[:, :, None] + own[:, None, :] - 2 * expected, times)
    correction = max(units.number - 1, 1) / max(units.number, 1)
    return Jackknife(POINTS**2 * correction * covariance, rating.degrees(), difference.degrees())


def scores(table: PairTable, ratings: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the residual and the information of each row at these ratings, each of shape (n,)."""
    expected = 1 / (1 + np.exp((ratings[table.second] - ratings[table.first]) / POINTS))
    return table.weight * (SCORES[table.outcome] - expected), table.weight * expected * (1 - expected)


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

    def add(self, squares: FloatArray, times: FloatArray) -> None:
        np.add(self.first, np.tensordot(times, squares, 1), out=self.first)
        np.add(self.second, np.tensordot(times, np.square(squares), 1), out=self.second)

    def degrees(self) -> FloatArray:
        """Return the effective number of squares less one, for the fit that they share; at least 1."""
        number = np.divide(np.square(self.first), self.second, out=np.ones_like(self.first), where=self.second > 0)
        return np.asarray(np.maximum(number - 1, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """Rows by unit; single votes that say the same of the same two models are one unit that occurs several times."""

    m: int
    number: int  # of units
    first: IntArray  # (k,) of rows, sorted by unit
    second: IntArray  # (k,)
    residual: FloatArray  # (k,)
    information: FloatArray  # (k,)
    unit: IntArray  # (k,) from 0
    times: FloatArray  # (u,) how often each unit occurs
    singles: int  # the first units, of one row each

    @classmethod
    def of(cls, table: PairTable, fit: Fit, unit: str) -> _Units:
        index = table.rater if unit == "rater" else table.vote
        residual, information = scores(table, fit.ratings)
        rows = np.bincount(index, minlength=1)
        single = rows[index] == 1
        kinds = (table.first * len(table.models) + table.second) * len(SCORES) + table.outcome
        weights, of_weight = np.unique(table.weight[single], return_inverse=True)
        _, chosen, times = np.unique(
            kinds[single] * max(len(weights), 1) + of_weight, return_index=True, return_counts=True
        )
        several = np.flatnonzero(~single)
        several = several[np.argsort(index[several], kind="stable")]
        _, codes = np.unique(index[several], return_inverse=True)
        keep = np.concatenate([np.flatnonzero(single)[chosen], several])
        return cls(
            m=len(table.models),
            number=int(np.count_nonzero(rows)),
            first=table.first[keep],
            second=table.second[keep],
            residual=residual[keep],
            information=information[keep],
            unit=np.concatenate([np.arange(len(chosen)), len(chosen) + codes]),
            times=np.concatenate([times, np.ones(len(np.unique(codes)))]),
            singles=len(chosen),
        )

    @property
    def taste_variance(self) -> float:
        """Variance of a unit's own opinion of each model, in squared log-odds, from what gradients have beyond chance.

        A unit with the information H_g and an opinion of variance τ² has a squared gradient of tr H_g + τ² tr H_g².
        """
        found = by_chance = by_taste = 0.0
        for gradient, curvature, times in self._blocks():
            found += float(times @ np.square(gradient).sum(axis=1))
            by_chance += float(times @ np.trace(curvature, axis1=1, axis2=2))
            by_taste += float(times @ np.square(curvature).sum(axis=(1, 2)))
        return max(found - by_chance, 0.0) / by_taste if by_taste > 0 else 0.0

    def left_out(self, fit: Fit, taste: float) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield blocks of units: the change (u, m) without each, the square that was expected (u, m, m), and times.

        Changes are in log-odds.
        """
        inverse = fit.covariance / POINTS**2
        yield from self._singles_left_out(inverse, taste)
        curvature = pseudo_inverse(inverse, fit.groups)
        scale = max(float(np.trace(curvature)) / max(self.m, 1), np.finfo(float).tiny)
        same = fit.groups[:, None] == fit.groups
        whole = curvature * (1 + 1e-9) + scale * same / same.sum(axis=1)  # invertible, also without a prior
        for gradient, own, times in self._blocks(self.singles):
            without = np.linalg.inv(whole - own)
            changes = (without @ gradient[:, :, None])[:, :, 0]
            yield changes, without @ (own + taste * own @ own) @ without, times

    def _singles_left_out(
        self, inverse: FloatArray, taste: float
    ) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield the same for units of one row, whose share of the curvature has rank one (Sherman and Morrison)."""
        step = max(1, _CELLS_AT_ONCE // max(self.m, 1) ** 2)
        for start in range(0, self.singles, step):
            rows = slice(start, min(start + step, self.singles))
            first, second, information = self.first[rows], self.second[rows], self.information[rows]
            along = inverse[first] - inverse[second]  # (u, m)
            number = np.arange(len(first))
            leverage = information * (along[number, first] - along[number, second])
            along = along / np.maximum(1 - leverage, 1e-9)[:, None]
            square = (information * (1 + 2 * taste * information))[:, None, None]
            yield along * self.residual[rows, None], square * along[:, :, None] * along[:, None, :], self.times[rows]

    def _blocks(self, start: int = 0) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield gradients (u, m), curvatures (u, m, m) and times of the units from `start` on, some at a time."""
        m, step = self.m, max(1, _CELLS_AT_ONCE // max(self.m, 1) ** 2)
        for low in range(start, len(self.times), step):
            high = min(low + step, len(self.times))
            rows = slice(*np.searchsorted(self.unit, [low, high]))
            unit, first, second = self.unit[rows] - low, self.first[rows], self.second[rows]
            units, residual, information = high - low, self.residual[rows], self.information[rows]
            up = np.bincount(unit * m + first, weights=residual, minlength=units * m)
            down = np.bincount(unit * m + second, weights=residual, minlength=units * m)
            shared = np.bincount((unit * m + first) * m + second, weights=information, minlength=units * m * m)
            shared = shared.reshape(units, m, m)
            shared = shared + shared.transpose(0, 2, 1)
            curvature = shared.sum(axis=2)[:, :, None] * np.eye(m) - shared
            yield np.asarray(up - down, dtype=np.float64).reshape(units, m), curvature, self.times[low:high]
