"""Changes of the strengths without each unit, a rater or a single vote.

Boundary: one table and its fit in, arrays out; variances are in `covariance`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from playground.ratings.bradley_terry import POINTS, Fit, pseudo_inverse
from playground.ratings.pairs import FloatArray
from playground.ratings.small_matrices import diagonals, inverses, products, times_vectors
from playground.ratings.unit_sums import UnitSums

LeftOut = tuple[FloatArray, FloatArray, FloatArray, FloatArray]
_CELLS_AT_ONCE = 65_536
"""Entries of the matrices (m, m, units) that are held at a time: half a megabyte, which a processor's cache holds."""
_FEWEST = 16
"""Units that are handled together at least, also of many models: each step costs a call."""


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The sums of units (`UnitSums`) with what a fit makes of them."""

    sums: UnitSums
    m: int
    residual: FloatArray  # (k,)
    information: FloatArray  # (k,)
    doubt: FloatArray  # (s,) of the first units, of one vote each; see `_doubt`

    @classmethod
    def of(cls, sums: UnitSums, fit: Fit) -> Units:
        expected = np.nan_to_num(fit.probability, nan=0.5)[sums.first, sums.second]  # not known: they have no weight
        information = sums.weight * expected * (1 - expected)
        single = slice(sums.singles)
        return cls(
            sums=sums,
            m=len(fit.ratings),
            residual=sums.won - sums.weight * expected,
            information=information,
            doubt=_doubt(information[single], sums.weight[single]),
        )

    @property
    def taste_variance(self) -> float:
        """Variance of a unit's own opinion of each model, in squared log-odds, from what gradients have beyond chance.

        A unit with the information H_g and an opinion of variance τ² has a squared gradient of tr H_g + τ² tr H_g².
        """
        found = by_chance = by_taste = 0.0
        for gradient, curvature, times in self._blocks():
            found += float(np.square(gradient).sum(axis=0) @ times)
            by_chance += float(diagonals(curvature).sum(axis=0) @ times)
            by_taste += float(np.square(curvature).sum(axis=(0, 1)) @ times)
        return max(found - by_chance, 0.0) / by_taste if by_taste > 0 else 0.0

    def left_out(self, fit: Fit, taste: float) -> Iterator[LeftOut]:
        """Yield blocks of units: the change (m, u) in log-odds without each, its expected square, times and doubt.

        The sum of the outer products of the changes is the covariance.
        """
        inverse = fit.covariance / POINTS**2
        yield from self._singles_left_out(inverse, taste)
        curvature = pseudo_inverse(inverse, fit.groups)
        scale = max(float(np.trace(curvature)) / max(self.m, 1), np.finfo(float).tiny)
        same = fit.groups[:, None] == fit.groups
        whole = curvature * (1 + 1e-9) + scale * same / same.sum(axis=1)  # invertible, also without a prior
        corrected = np.sqrt(max(self.sums.number - 1, 1) / max(self.sums.number, 1))
        for gradient, own, times in self._blocks(self.sums.singles):
            without = inverses(whole[:, :, None] - own)
            square = own + taste * products(own, own) if taste else own
            expected = products(products(without, square), without)
            yield times_vectors(without, gradient) * corrected, expected, times, np.ones(len(times))

    def _singles_left_out(self, inverse: FloatArray, taste: float) -> Iterator[LeftOut]:
        """Yield the same for units of one row, whose share of the curvature has rank one."""
        step = max(_FEWEST, _CELLS_AT_ONCE // max(self.m, 1) ** 2)
        for start in range(0, self.sums.singles, step):
            rows = slice(start, min(start + step, self.sums.singles))
            first, second, information = self.sums.first[rows], self.sums.second[rows], self.information[rows]
            along = inverse[:, first] - inverse[:, second]  # (m, u)
            number = np.arange(len(first))
            leverage = information * (along[first, number] - along[second, number])
            along = along / np.sqrt(np.maximum(1 - leverage, 1e-9))  # half of the jackknife's correction
            expected = information * (1 + 2 * taste * information) * along[:, None] * along
            yield along * self.residual[rows], expected, self.sums.times[rows], self.doubt[rows]

    def _blocks(self, start: int = 0) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield gradients (m, u), curvatures (m, m, u) and times of the units from `start` on, some at a time."""
        m, step = self.m, max(_FEWEST, _CELLS_AT_ONCE // max(self.m, 1) ** 2)
        for low in range(start, len(self.sums.times), step):
            high = min(low + step, len(self.sums.times))
            rows = slice(*np.searchsorted(self.sums.unit, [low, high]))
            units, unit = high - low, self.sums.unit[rows] - low
            first, second = self.sums.first[rows], self.sums.second[rows]
            up = np.bincount(first * units + unit, self.residual[rows], m * units)
            down = np.bincount(second * units + unit, self.residual[rows], m * units)
            cells = np.bincount((first * m + second) * units + unit, self.information[rows], m * m * units)
            shared = np.asarray(cells, dtype=np.float64).reshape(m, m, units)
            curvature = -shared - shared.transpose(1, 0, 2)
            diagonal = np.arange(m)
            curvature[diagonal, diagonal] = -curvature.sum(axis=1)
            yield np.asarray(up - down, dtype=np.float64).reshape(m, units), curvature, self.sums.times[low:high]


def _doubt(information: FloatArray, weight: FloatArray) -> FloatArray:
    """Return how much the squared residual of one vote varies, 1 as a normal one: not at all at even odds."""
    variance = information / np.where(weight > 0, weight, 1.0)  # p (1 - p)
    return np.asarray(np.clip((1 - 4 * variance) / (2 * np.maximum(variance, 1e-12)), 0.0, 1.0))
