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

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

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
    for changes, expected, times, doubt in units.left_out(fit, taste):
        covariance += (changes * times[:, None]).T @ changes
        own = np.diagonal(expected, axis1=1, axis2=2)
        rating.add(own, times, doubt)
        difference.add(own[:, :, None] + own[:, None, :] - 2 * expected, times, doubt)
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


def _doubt(information: FloatArray, weight: FloatArray) -> FloatArray:
    """Return how much the squared residual of one vote varies, 1 as a normal one: not at all at even odds."""
    variance = information / np.where(weight > 0, weight, 1.0)  # p (1 - p)
    return np.asarray(np.clip((1 - 4 * variance) / (2 * np.maximum(variance, 1e-12)), 0.0, 1.0))


_LeftOut = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


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
        np.add(self.first, np.tensordot(times, squares, 1), out=self.first)
        np.add(self.second, np.tensordot(times * doubt, np.square(squares), 1), out=self.second)

    def degrees(self) -> FloatArray:
        """Return the effective number of squares less one, for the fit that they share; at least 1."""
        known = self.second > _FEWEST_PER_SQUARE * np.square(self.first)
        number = np.divide(np.square(self.first), self.second, out=np.full_like(self.first, np.inf), where=known)
        return np.where(self.first > 0, np.maximum(np.minimum(number, 1 / _FEWEST_PER_SQUARE) - 1, 1.0), 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """Rows by unit; single votes that say the same of the same two models are one unit that occurs several times."""

    m: int
    number: int  # of units
    first: IntArray  # (k,) of rows, sorted by unit
    second: IntArray  # (k,)
    residual: FloatArray  # (k,)
    information: FloatArray  # (k,)
    doubt: FloatArray  # (k,) variance of the squared residual as a share of that of a squared normal value, at most 1
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
            doubt=_doubt(information[keep], table.weight[keep]),
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
            found += float((times @ np.square(gradient)).sum())
            by_chance += float((times @ np.diagonal(curvature, axis1=1, axis2=2)).sum())
            by_taste += float((times @ np.square(curvature).reshape(len(times), -1)).sum())
        return max(found - by_chance, 0.0) / by_taste if by_taste > 0 else 0.0

    def left_out(self, fit: Fit, taste: float) -> Iterator[_LeftOut]:
        """Yield blocks of units: the change (u, m) in log-odds without each, its expected square, times and doubt.

        The sum of the outer products of the changes is the covariance.
        """
        inverse = fit.covariance / POINTS**2
        yield from self._singles_left_out(inverse, taste)
        curvature = pseudo_inverse(inverse, fit.groups)
        scale = max(float(np.trace(curvature)) / max(self.m, 1), np.finfo(float).tiny)
        same = fit.groups[:, None] == fit.groups
        whole = curvature * (1 + 1e-9) + scale * same / same.sum(axis=1)  # invertible, also without a prior
        for gradient, own, times in self._blocks(self.singles):
            without = np.linalg.inv(whole - own)
            changes = (without @ gradient[:, :, None])[:, :, 0] * np.sqrt(max(self.number - 1, 1) / self.number)
            yield changes, without @ (own + taste * own @ own) @ without, times, np.ones(len(times))

    def _singles_left_out(self, inverse: FloatArray, taste: float) -> Iterator[_LeftOut]:
        """Yield the same for units of one row, whose share of the curvature has rank one."""
        step = max(1, _CELLS_AT_ONCE // max(self.m, 1) ** 2)
        for start in range(0, self.singles, step):
            rows = slice(start, min(start + step, self.singles))
            first, second, information = self.first[rows], self.second[rows], self.information[rows]
            along = inverse[first] - inverse[second]  # (u, m)
            number = np.arange(len(first))
            leverage = information * (along[number, first] - along[number, second])
            along = along / np.sqrt(np.maximum(1 - leverage, 1e-9))[:, None]  # half of the jackknife's correction
            square = (information * (1 + 2 * taste * information))[:, None, None]
            expected = square * along[:, :, None] * along[:, None, :]
            yield along * self.residual[rows, None], expected, self.times[rows], self.doubt[rows]

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
