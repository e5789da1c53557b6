"""Bounds of one rating or difference from the profile of the penalised likelihood.

Boundary: wins and one contrast in, numbers out; which models need it is decided in `intervals`.

An interval that reaches equally far to both sides fails where a model nearly always wins: the likelihood falls fast
below its maximum and slowly above it. The profile takes every value of the contrast for which the likelihood, at its
maximum under that value, is not too far below the highest one (Venzon and Moolgavkar 1988, Applied Statistics 37;
with Firth's penalty Heinze and Schemper 2002, Statistics in Medicine 21). If votes are clustered, the distance that
is allowed grows with the variance between units over the variance that the model expects, at the bound itself, and
never shrinks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from playground.ratings.bradley_terry import (
    laplacian_of,
    log_likelihood,
    pseudo_inverse,
    win_probability,
)
from playground.ratings.pairs import FloatArray, IntArray

_MOST_STEPS = 60
_TOLERANCE = 1e-7
_SMALLEST_STEP = 1e-4
_SMALLEST_CURVATURE = 1e-30  # of one vote: not 0, also where models are 69 log-odds apart
_FLATTEST = 1e-9
"""Least curvature of a pair, as a share of the largest: with less, the curvature of all has no inverse in floats."""
FARTHEST = 15.0
"""Log-odds from the maximum at which a bound ends: 2,600 points, where the likelihood is flat to within rounding."""

Inflation = Callable[[FloatArray, FloatArray], float]
"""Variance between units over that of the model, from strengths (m,) and the direction (m,) of the contrast there."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The likelihood of connected models along one contrast of their strengths, in log-odds."""

    wins: FloatArray  # (m, m) with those of the prior
    groups: IntArray  # (m,)
    strengths: FloatArray  # (m,) at the maximum
    contrast: FloatArray  # (m,) sums to 0 in each group

    @property
    def value(self) -> float:
        """The contrast at the maximum."""
        return float(self.contrast @ self.strengths)

    def bound(self, side: int, quantile: float, inflation: Inflation) -> float:
        """Return the end of the interval above (`side` 1) or below (-1) the maximum."""
        direction = self._covariance(self.strengths) @ self.contrast
        reach = quantile * float(np.sqrt(self.contrast @ direction))
        allowed = quantile**2
        for _ in range(2):
            value, strengths = self._at_distance(self.value + side * reach, allowed)
            direction = self._covariance(strengths) @ self.contrast
            reach = abs(value - self.value)
            allowed = quantile**2 * max(1.0, inflation(strengths, direction))
        return self._at_distance(self.value + side * reach, allowed)[0]

    def fall_at(self, value: float, inflation: Inflation) -> float:
        """Return twice the fall of the likelihood from its maximum to a value, over the inflation there: 1 or more."""
        if abs(value - self.value) > FARTHEST:
            value = self.value + np.sign(value - self.value) * FARTHEST
        strengths, _ = self._constrained(value)
        fallen = 2 * (log_likelihood(self.wins, self.strengths) - log_likelihood(self.wins, strengths))
        return fallen / max(1.0, inflation(strengths, self._covariance(strengths) @ self.contrast))

    def _at_distance(self, value: float, allowed: float) -> tuple[float, FloatArray]:
        """Return the value, and its strengths, at which twice the fall of the likelihood is `allowed`, from a guess."""
        top = log_likelihood(self.wins, self.strengths)
        for _ in range(_MOST_STEPS):
            value = min(max(value, self.value - FARTHEST), self.value + FARTHEST)
            strengths, slope = self._constrained(value)
            excess = 2 * (top - log_likelihood(self.wins, strengths)) - allowed
            if abs(excess) <= 1e-5 * allowed or (excess < 0 and abs(value - self.value) >= FARTHEST):
                break
            value += excess / (2 * slope)  # the fall is convex: after one step it is approached from outside
        return value, strengths

    def _constrained(self, value: float) -> tuple[FloatArray, float]:
        """Return the strengths of the highest likelihood at this value, and the slope of the likelihood there."""
        direction = self._covariance(self.strengths) @ self.contrast
        strengths = self.strengths + (value - self.value) / float(self.contrast @ direction) * direction
        likelihood, slope = log_likelihood(self.wins, strengths), 0.0
        for _ in range(_MOST_STEPS):
            probability = win_probability(strengths)
            gradient = (self.wins * probability.T - self.wins.T * probability).sum(axis=1)
            covariance = self._covariance(strengths)
            direction = covariance @ self.contrast
            slope = float(direction @ gradient / (direction @ self.contrast))
            step = covariance @ gradient - slope * direction  # keeps the contrast
            size = 1.0
            while (ahead := log_likelihood(self.wins, strengths + size * step)) < likelihood - 1e-12 * abs(likelihood):
                size /= 2
                if size < _SMALLEST_STEP:
                    return strengths, slope  # rounding errors are all that is left
            strengths, likelihood = strengths + size * step, ahead
            if size * np.abs(step).max() < _TOLERANCE:
                break
        return strengths, slope

    def _covariance(self, strengths: FloatArray) -> FloatArray:
        probability = win_probability(strengths)
        games = self.wins + self.wins.T
        curvature = games * np.maximum(probability * probability.T, _SMALLEST_CURVATURE)
        curvature = np.where(games > 0, np.maximum(curvature, _FLATTEST * curvature.max(initial=0.0)), 0.0)
        return pseudo_inverse(laplacian_of(curvature), self.groups)
