"""Ratings of resampled votes: the cluster bootstrap.

Boundary: draws and fits; the seed is an argument. For intervals see `intervals`.
"""

from __future__ import annotations

import numpy as np

from playground.errors import InvalidValue
from playground.ratings.bradley_terry import MEAN, POINTS, Fit, maximise
from playground.ratings.pairs import FloatArray, PairTable
from playground.ratings.unit_sums import UnitSums


def resampled_ratings(table: PairTable, fit: Fit, *, unit: str, resamples: int, seed: int) -> FloatArray:
    """Return the ratings, shape (resamples, m), of tables whose units (rater or vote) are drawn with replacement.

    Models, groups and prior stay those of `fit`. The cost is that of the sums of units (`UnitSums`), not of votes.

    Raises:
        InvalidValue: fewer than 2 resamples, or a fit without a prior, which a resample may need.
    """
    if resamples < 2:
        raise InvalidValue(f"resamples is {resamples!r}; valid: 2 or more, 1000 is usual")
    if fit.prior == 0:
        raise InvalidValue("a bootstrap needs a prior above 0: a resample may leave somebody undefeated")
    rng = np.random.default_rng(seed)
    sums, m = UnitSums.of(table, unit), len(table.models)
    start, ratings = (fit.ratings - MEAN) / POINTS, np.empty((resamples, m))
    ahead, back = sums.first * m + sums.second, sums.second * m + sums.first
    for k in range(resamples):
        drawn = rng.multinomial(sums.number, sums.times / sums.number)[sums.unit] if sums.number else sums.times
        won = np.bincount(ahead, drawn * sums.won, m * m) + np.bincount(back, drawn * (sums.weight - sums.won), m * m)
        ratings[k] = MEAN + POINTS * maximise(won.reshape(m, m) + fit.prior_wins, fit.groups, start)
    return ratings
