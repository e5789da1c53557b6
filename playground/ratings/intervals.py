"""Intervals, significant differences and rank ranges, for one look at the votes.

Boundary: numbers only; what may be said however often a board is looked at is in `claims`, the words in `verdict`.

Quantiles are Student's with the degrees of freedom of each rating and difference (`covariance`). The interval of a
model that nearly always wins or loses comes from the profile of the likelihood (`profile`).

Ranks are corrected for the number of comparisons, so that all rank ranges of a table hold together at its level:
without, five equal models would be given a false order in one table of four. The correction is max-t: the quantile of
the largest of the m (m - 1) / 2 standardised differences of a group. The interval of a rating or of a difference is
for that one alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import MEAN, POINTS, Fit
from playground.ratings.covariance import Spread, choose_unit, scores, spread
from playground.ratings.pairs import BoolArray, FloatArray, IntArray, PairTable
from playground.ratings.profile import Profile
from playground.ratings.resampling import resampled_ratings
from playground.ratings.student import student_quantile

DEFAULT_LEVEL = 0.95
LOPSIDED_WINS = 10.0
LOPSIDED_SHARE = 0.1
"""A model with fewer wins, or losses, than both has its interval from the profile."""
_DRAWS = 500  # at once, of the differences of a group
_ROUNDS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Intervals of the m ratings of one fit and of their differences, in points; NaN without a comparison."""

    level: float
    method: str  # jackknife | bootstrap
    spread: Spread
    lower: FloatArray  # (m,)
    upper: FloatArray  # (m,)
    difference_lower: FloatArray  # (m, m) of i minus j
    difference_upper: FloatArray  # (m, m)
    better: BoolArray  # (m, m) True if i is better than j, all of these statements together at the level


def estimate_intervals(
    table: PairTable,
    fit: Fit,
    *,
    level: float = DEFAULT_LEVEL,
    unit: str = "auto",
    resamples: int = 0,
    seed: int = 0,
) -> Intervals:
    """Return the intervals of a fit to this table: by the jackknife, or by a bootstrap of `resamples`.

    Raises:
        InvalidValue: a level not between 0 and 1, an unknown unit, or what `resampled_ratings` refuses.
    """
    if not 0 < level < 1:
        raise InvalidValue(f"level is {level!r}; valid: between 0 and 1, for example {DEFAULT_LEVEL}")
    unit = choose_unit(table, unit)
    drawn = covariance = None
    if resamples and table.first.size:
        drawn = resampled_ratings(table, fit, unit=unit, resamples=resamples, seed=seed)
        covariance = np.cov(drawn, rowvar=False).reshape(fit.covariance.shape)
    spreads = spread(table, fit, unit, covariance)
    profiles = Profiles(table, fit, spreads, level) if drawn is None and fit.prior > 0 else None
    lower, upper = _of_ratings(fit, spreads, drawn, level, profiles)
    apart_lower, apart_upper = _of_differences(fit, spreads, drawn, level)
    return Intervals(
        level=level,
        method="jackknife" if drawn is None else "bootstrap",
        spread=spreads,
        lower=lower,
        upper=upper,
        difference_lower=apart_lower,
        difference_upper=apart_upper,
        better=_better(fit, spreads, level, profiles),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """Ends of intervals from the profile of the likelihood, in points, for a fit with a prior."""

    table: PairTable
    fit: Fit
    spread: Spread
    level: float

    @property
    def lopsided(self) -> BoolArray:
        """True for models that win or lose nearly always, shape (m,)."""
        wins = self.table.wins + self.fit.prior_wins
        won, lost = wins.sum(axis=1), wins.sum(axis=0)
        return np.asarray(np.minimum(won, lost) < np.minimum(LOPSIDED_WINS, LOPSIDED_SHARE * (won + lost)))

    def of_rating(self, i: int) -> tuple[float, float]:
        """Return the lower and the upper end of a model's rating."""
        same = self.fit.groups == self.fit.groups[i]
        contrast = (np.arange(len(same)) == i) - same / same.sum()
        degrees = float(self.spread.rating_degrees[i])
        return MEAN + self._end(contrast, -1, degrees), MEAN + self._end(contrast, 1, degrees)

    def tested_variance(self, pairs: BoolArray) -> FloatArray:
        """Return the variances (m, m) of differences with which to test that i is better than j.

        Where one of `pairs` has a lopsided model the test is that of the likelihood ratio, as a variance: the
        curvature at the maximum, far from equality, says little about equality.
        """
        variance, lopsided = self.spread.difference.copy(), self.lopsided
        for i, j in np.argwhere(pairs & (lopsided[:, None] | lopsided)):
            contrast = self._difference(i, j)
            fallen = self._profile(contrast).fall_at(0.0, self._inflation)
            variance[i, j] = variance[j, i] = (self.fit.ratings[i] - self.fit.ratings[j]) ** 2 / max(fallen, 1e-9)
        return variance

    def least_difference(self, i: int, j: int) -> float:
        """Return the lower end of the rating of i minus that of j."""
        return self._end(self._difference(i, j), -1, float(self.spread.difference_degrees[i, j]))

    def _difference(self, i: int, j: int) -> FloatArray:
        contrast = np.zeros(len(self.fit.groups))
        contrast[[i, j]] = 1, -1
        return contrast

    def _profile(self, contrast: FloatArray) -> Profile:
        return Profile(
            wins=self.table.wins + self.fit.prior_wins,
            groups=self.fit.groups,
            strengths=(self.fit.ratings - MEAN) / POINTS,
            contrast=contrast,
        )

    def _end(self, contrast: FloatArray, side: int, degrees: float) -> float:
        quantile = float(student_quantile((1 + self.level) / 2, degrees))
        return POINTS * self._profile(contrast).bound(side, quantile, self._inflation)

    def _inflation(self, strengths: FloatArray, direction: FloatArray) -> float:
        """Return the variance of the contrast's score between units over the one within the model."""
        table = self.table
        residual, information = scores(table, POINTS * strengths)
        apart = direction[table.first] - direction[table.second]
        unit = table.rater if self.spread.unit == "rater" else table.vote
        score = np.bincount(unit, weights=residual * apart)
        expected = float(information @ np.square(apart))
        return float(np.var(score)) * len(score) ** 2 / max(len(score) - 1, 1) / expected if expected > 0 else 1.0


def _of_ratings(
    fit: Fit, spreads: Spread, drawn: FloatArray | None, level: float, profiles: Profiles | None
) -> tuple[FloatArray, FloatArray]:
    """Return the bounds (m,) of ratings; NaN for a model that met no other."""
    lower, upper = _bounds(fit.ratings, spreads.rating, spreads.rating_degrees, drawn, level)
    met = fit.comparable.any(axis=1)
    if profiles is not None:
        for i in np.flatnonzero(profiles.lopsided & met):
            lower[i], upper[i] = profiles.of_rating(int(i))
    return np.where(met, lower, np.nan), np.where(met, upper, np.nan)


def _of_differences(fit: Fit, spreads: Spread, drawn: FloatArray | None, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the bounds (m, m) of differences; NaN on the diagonal and between groups."""
    apart = None if drawn is None else drawn[:, :, None] - drawn[:, None, :]
    difference = fit.ratings[:, None] - fit.ratings
    lower, upper = _bounds(difference, spreads.difference, spreads.difference_degrees, apart, level)
    return np.where(fit.comparable, lower, np.nan), np.where(fit.comparable, upper, np.nan)


def _better(fit: Fit, spreads: Spread, level: float, profiles: Profiles | None) -> BoolArray:
    """Return True where i is better than j, shape (m, m)."""
    difference, tested = fit.ratings[:, None] - fit.ratings, spreads.difference
    critical = critical_values(fit, spreads.difference_degrees, level)
    if profiles is not None:
        undecided = fit.comparable & (difference > 0) & (difference <= _reach(critical, tested))
        tested = profiles.tested_variance(undecided)
    return fit.comparable & (difference > _reach(critical, tested))


def _bounds(
    centre: FloatArray, variance: FloatArray, degrees: FloatArray, drawn: FloatArray | None, level: float
) -> tuple[FloatArray, FloatArray]:
    """Return lower and upper bounds from the variance, or from the quantiles of values that were drawn."""
    quantile = student_quantile((1 + level) / 2, degrees)
    if drawn is not None:
        tails = _expanded_tails(quantile, degrees)
        lower, upper = _quantiles(drawn, tails), _quantiles(drawn, 1 - tails)
        return lower, upper
    reach = quantile * np.sqrt(variance)
    return centre - reach, centre + reach


def _reach(critical: FloatArray, variance: FloatArray) -> FloatArray:
    """Return the difference (m, m) beyond which two models are told apart; infinite between groups."""
    return np.multiply(critical, np.sqrt(variance), out=np.full_like(critical, np.inf), where=np.isfinite(critical))


def _quantiles(drawn: FloatArray, tails: FloatArray) -> FloatArray:
    """Return for each entry the quantile of its draws (along the first axis) at its own tail."""
    columns = zip(drawn.reshape(len(drawn), -1).T, tails.ravel(), strict=True)
    return np.array([np.quantile(column, tail) for column, tail in columns]).reshape(tails.shape)


def critical_values(fit: Fit, degrees: FloatArray, level: float) -> FloatArray:
    """Return the standard errors (m, m) that tell two models apart, corrected for the comparisons in their group.

    The joint distribution of the differences is that of the fit; each has the tail of its own degrees of freedom.
    """
    critical = np.full(fit.covariance.shape, np.inf)
    for group in np.unique(fit.groups):
        members = np.flatnonzero(fit.groups == group)
        if len(members) > 1:
            cells = np.ix_(members, members)
            tail = ndtr(-largest_of_differences(fit.covariance[cells], level))
            critical[cells] = -student_quantile(tail, degrees[cells])
    return critical


def largest_of_differences(covariance: FloatArray, level: float) -> float:
    """Return the quantile of the largest standardised difference of normal values, from their covariance (m, m)."""
    if len(covariance) == 2:
        return float(ndtri((1 + level) / 2))
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    first, second = np.triu_indices(len(covariance), 1)
    apart = root[first] - root[second]
    apart /= np.sqrt(np.square(apart).sum(axis=1, keepdims=True))
    rng = np.random.default_rng(0)  # the same votes give the same ranks
    largest = [
        np.abs(rng.normal(size=(_DRAWS, len(covariance))) @ apart.T).max(axis=1, initial=0.0) for _ in range(_ROUNDS)
    ]
    return float(np.quantile(np.concatenate(largest), level))


def rank_ranges(better: BoolArray, groups: IntArray) -> tuple[IntArray, IntArray]:
    """Return the best and the worst rank (m,) of each model in its group, from `Intervals.better` (m, m)."""
    sizes = np.bincount(groups, minlength=1)[groups]
    return 1 + better.sum(axis=0), sizes - better.sum(axis=1)


def _expanded_tails(quantile: FloatArray, degrees: FloatArray) -> FloatArray:
    """Return the lower percentiles of a bootstrap that cover in small samples (Hesterberg 2015, Am. Stat. 69)."""
    return np.asarray(ndtr(-quantile * np.sqrt((degrees + 1) / degrees)))
