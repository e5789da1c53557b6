"""Intervals, significant differences, rank ranges, and the votes that would settle a difference.

Boundary: numbers only; the words are in `verdict`.

Quantiles are Student's with one degree less than the effective number of units (`covariance`): with 10 to 50
raters with unequal numbers of votes, normal quantiles cover 89 to 94 % instead of 95 %.

Ranks are corrected for the number of comparisons (Bonferroni over the m (m - 1) / 2 differences of a group),
so that all rank ranges of a table hold together at its level: without, five equal models would be given a
false order in one table of four. The interval of a rating or of a difference is for that one alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import POINTS, Fit
from playground.ratings.covariance import Spread, choose_unit, difference_variance, spread
from playground.ratings.pairs import BoolArray, FloatArray, IntArray, PairTable
from playground.ratings.resampling import resampled_ratings

DEFAULT_LEVEL = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Intervals of the m ratings of one fit and of their differences, in points; NaN without a comparison."""

    level: float
    method: str  # sandwich | bootstrap
    spread: Spread
    lower: FloatArray  # (m,)
    upper: FloatArray  # (m,)
    difference_lower: FloatArray  # (m, m) of i minus j
    difference_upper: FloatArray  # (m, m)
    critical: FloatArray  # (m,) standard errors between two models of this one's group that tell them apart
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
    """Return the intervals of a fit to this table: by the sandwich, or by a bootstrap of `resamples`.

    Raises:
        InvalidValue: a level not between 0 and 1, an unknown unit, or what `resampled_ratings` refuses.
    """
    if not 0 < level < 1:
        raise InvalidValue(f"level is {level!r}; valid: between 0 and 1, for example {DEFAULT_LEVEL}")
    unit = choose_unit(table, unit)
    sizes = np.bincount(fit.groups, minlength=1)[fit.groups]
    comparable = (fit.groups[:, None] == fit.groups) & ~np.eye(len(sizes), dtype=bool)
    difference = fit.ratings[:, None] - fit.ratings
    drawn = covariance = apart = None
    if resamples and table.first.size:
        drawn = resampled_ratings(table, fit, unit=unit, resamples=resamples, seed=seed)
        covariance = np.cov(drawn, rowvar=False).reshape(len(sizes), len(sizes))
        apart = drawn[:, :, None] - drawn[:, None, :]
    spreads = spread(table, fit, unit, covariance)
    lower, upper = _bounds(fit.ratings, spreads.rating, drawn, level, spreads.degrees)
    difference_lower, difference_upper = _bounds(difference, spreads.difference, apart, level, spreads.degrees)
    critical = critical_values(sizes, level, spreads.degrees)
    return Intervals(
        level=level,
        method="sandwich" if drawn is None else "bootstrap",
        spread=spreads,
        lower=np.where(sizes > 1, lower, np.nan),
        upper=np.where(sizes > 1, upper, np.nan),
        difference_lower=np.where(comparable, difference_lower, np.nan),
        difference_upper=np.where(comparable, difference_upper, np.nan),
        critical=critical,
        better=comparable & (difference > critical[:, None] * np.sqrt(spreads.difference)),
    )


def _bounds(
    centre: FloatArray, variance: FloatArray, drawn: FloatArray | None, level: float, degrees: float
) -> tuple[FloatArray, FloatArray]:
    """Return lower and upper bounds from the variance, or from the quantiles of values that were drawn."""
    if drawn is not None:
        lower, upper = np.quantile(drawn, _expanded_tails(level, degrees), axis=0)
        return lower, upper
    reach = student_quantile((1 + level) / 2, degrees) * np.sqrt(variance)
    return centre - reach, centre + reach


def critical_values(group_sizes: IntArray, level: float, degrees: float) -> FloatArray:
    """Return the standard errors (m,) that tell two models apart, corrected for the comparisons in their group."""
    comparisons = np.maximum(group_sizes * (group_sizes - 1) // 2, 1)
    return np.array([student_quantile(1 - (1 - level) / 2 / int(k), degrees) for k in comparisons])


def rank_ranges(better: BoolArray, groups: IntArray) -> tuple[IntArray, IntArray]:
    """Return the best and the worst rank (m,) of each model in its group, from `Intervals.better` (m, m)."""
    sizes = np.bincount(groups, minlength=1)[groups]
    return 1 + better.sum(axis=0), sizes - better.sum(axis=1)


def votes_to_tell_apart(fit: Fit, intervals: Intervals) -> FloatArray:
    """Return about how many more votes between i and j would tell them apart if their difference stays, (m, m).

    0 if they are told apart, infinite for equal ratings, NaN between groups and on the diagonal. A vote adds
    the information p (1 - p) / r, with r the ratio of the variance found to the one that the model expects:
    ties and raters who differ count as they did until now.
    """
    comparable = np.isfinite(fit.probability)
    found = np.where(comparable, intervals.spread.difference, np.nan) / POINTS**2
    expected = difference_variance(fit.covariance) / POINTS**2
    per_vote = fit.probability * fit.probability.T * expected / found
    squared = np.square((fit.ratings[:, None] - fit.ratings) / POINTS)
    enough = np.square(intervals.critical)[:, None]
    needed = np.divide(enough, squared, out=np.full_like(squared, np.inf), where=squared > 0)
    return np.maximum((needed - 1 / found) / per_vote, 0.0)


def _expanded_tails(level: float, degrees: float) -> tuple[float, float]:
    """Return the percentiles of a bootstrap that cover in small samples (Hesterberg 2015, American Statistician 69)."""
    tail = NormalDist().cdf(-student_quantile((1 + level) / 2, degrees) * math.sqrt((degrees + 1) / degrees))
    return tail, 1 - tail


def student_quantile(probability: float, degrees: float) -> float:
    """Return the quantile of Student's t, by the expansion of Abramowitz and Stegun 26.7.5.

    At 0.975 within 1 % from 2 degrees; at 0.9975 within 0.2 % from 5. Too small below.
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees ** (k + 1) for k, term in enumerate(terms))
