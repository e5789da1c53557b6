"""Style and position in the fit: what an answer's length, marks and place do to its odds, beside its model's strength.

One logistic regression has a strength for each model and a coefficient for each feature: the answer on the earlier side
wins with log-odds θ_i - θ_j + Σ β_f d_f, where d_f = (a - b) / (a + b) for the counts a and b of the two answers (0 if
both are 0), and d = 1 for the position. A model that is better and writes longer moves its strength; a coefficient
moves only if longer answers win more often than the strengths of their models say. These are the style features of
FastChat's and arena-rank's contextual models; there, differences are divided by their standard deviation as well, which
changes the unit of a coefficient and nothing else.

Strengths have the prior of the board, and each coefficient a normal one of PRIOR_SD, far wider than any effect, so that
a feature that decides every vote has a finite coefficient. Standard errors leave out one rater (or vote) at a time in
one Newton step (CR3, as `covariance`); quantiles are Student's with the effective units less one.

Boundary: a table of pairs and the differences of its answers in, numbers out; `style_words` says them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, stdtr

from playground.errors import InvalidValue
from playground.ratings.answer_style import AnswerStyle
from playground.ratings.bradley_terry import DEFAULT_PRIOR, connected_groups, laplacian_of, prior_wins, win_probability
from playground.ratings.covariance import choose_unit, effective_raters
from playground.ratings.pairs import SCORES, FloatArray, IntArray, PairTable
from playground.ratings.student import student_quantile

POSITION = "position"
FEATURES = (*AnswerStyle._fields, POSITION)
FEWEST_PAIRS = 100
"""Pairs below which nothing is estimated."""
FEWEST_DIFFERENT = 20
"""Pairs whose answers differ in a feature, below which it is left out."""
PRIOR_SD = 5.0
_MAX_STEPS = 100
_TOLERANCE = 1e-9
_CELLS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Coefficient:
    """The effect of one feature on the log-odds of an answer, per unit of its difference, which is at most 1."""

    feature: str  # of FEATURES
    estimate: float
    standard_error: float
    lower: float
    upper: float
    p: float  # two-sided, of no effect
    pairs: int  # whose answers differ in it


@dataclass(frozen=True, slots=True, eq=False)
class StyleFit:
    """Strengths with style held equal, and the coefficients of the features that could be estimated."""

    log_odds: FloatArray  # (m,) mean 0 in each group
    groups: IntArray  # (m,)
    coefficients: tuple[Coefficient, ...]  # in the order of FEATURES
    unit: str  # rater | vote
    degrees: float  # of freedom


def differences(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the differences (n, 6) of FEATURES from the counts (n, 5) of the answers on both sides."""
    total = first + second
    apart = np.divide(first - second, total, out=np.zeros_like(total, dtype=np.float64), where=total > 0)
    return np.column_stack([apart, np.ones(len(apart))])


def fit_style(
    table: PairTable,
    apart: FloatArray,
    *,
    prior: float = DEFAULT_PRIOR,
    level: float = 0.95,
    unit: str = "auto",
) -> StyleFit | None:
    """Return the fit; None with fewer than FEWEST_PAIRS pairs that count, or no feature to estimate.

    Args:
        apart: differences of FEATURES, shape (n, 6), as `differences`.

    Raises:
        InvalidValue: differences of another shape, an unknown unit, or a fit that does not converge.
    """
    if apart.shape != (len(table.first), len(FEATURES)):
        raise InvalidValue(f"differences have shape {apart.shape}; it has to be ({len(table.first)}, {len(FEATURES)})")
    rated = table.weight > 0
    different = np.count_nonzero(apart[rated], axis=0)
    kept = np.flatnonzero(different >= FEWEST_DIFFERENT)
    if np.count_nonzero(rated) < FEWEST_PAIRS or not len(kept):
        return None
    unit = choose_unit(table, unit)
    problem = _Problem.of(table, apart[:, kept], prior)
    values = problem.maximise()
    degrees = max((effective_raters(table) if unit == "rater" else float(table.num_votes)) - 1, 1.0)
    errors = problem.errors(values, table.rater if unit == "rater" else table.vote)
    found = zip(kept, values[problem.m :], errors, strict=True)
    return StyleFit(
        log_odds=values[: problem.m],
        groups=problem.groups,
        coefficients=tuple(
            _coefficient(FEATURES[number], float(estimate), float(error), int(different[number]), degrees, level)
            for number, estimate, error in found
        ),
        unit=unit,
        degrees=degrees,
    )


def _coefficient(feature: str, estimate: float, error: float, pairs: int, degrees: float, level: float) -> Coefficient:
    """Return a coefficient with its interval and test by Student's t."""
    reach = float(student_quantile((1 + level) / 2, degrees)) * error
    p = float(2 * stdtr(degrees, -abs(estimate) / error)) if error > 0 else 1.0
    return Coefficient(feature, estimate, error, estimate - reach, estimate + reach, p, pairs)


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """The penalised likelihood of m strengths and k coefficients, p = m + k."""

    m: int
    first: IntArray  # (n,)
    second: IntArray  # (n,)
    score: FloatArray  # (n,) of the earlier side
    weight: FloatArray  # (n,)
    apart: FloatArray  # (n, k)
    groups: IntArray  # (m,)
    ties: FloatArray  # (m, m) wins that the prior adds

    @classmethod
    def of(cls, table: PairTable, apart: FloatArray, prior: float) -> _Problem:
        wins = table.wins
        groups = connected_groups(wins)
        return cls(
            m=len(table.models),
            first=table.first,
            second=table.second,
            score=SCORES[table.outcome],
            weight=table.weight,
            apart=apart,
            groups=groups,
            ties=prior_wins(wins, groups, prior),
        )

    def likelihood(self, values: FloatArray) -> float:
        """Return the logarithm of the penalised likelihood at p values."""
        log_odds, betas = values[: self.m], values[self.m :]
        margin = self._margin(values)
        data = self.weight @ (self.score * margin - np.logaddexp(0, margin))
        prior = (self.ties * np.logaddexp(0, log_odds[None, :] - log_odds[:, None])).sum()
        return float(data - prior - betas @ betas / (2 * PRIOR_SD**2))

    def maximise(self) -> FloatArray:
        """Return the values (p,) with the largest likelihood, by Newton's method.

        Raises:
            InvalidValue: no convergence, or infinite strengths.
        """
        values = np.zeros(self.m + self.apart.shape[1])
        likelihood = self.likelihood(values)
        for _ in range(_MAX_STEPS):
            step = _solve(self.curvature(values), self._gradient(values))
            size = 1.0
            while (ahead := self.likelihood(values + size * step)) < likelihood - 1e-12 * abs(likelihood):
                size /= 2
            values, likelihood = np.asarray(values + size * step), ahead
            if np.abs(step).max() < _TOLERANCE:
                return values
        raise InvalidValue(f"strengths and style did not converge in {_MAX_STEPS} steps; set the prior higher")

    def curvature(self, values: FloatArray) -> FloatArray:
        """Return minus the second derivative (p, p), made invertible along the means of the groups."""
        m, log_odds = self.m, values[: self.m]
        information = self._information(values)
        shared = self._by_cell(self.first, self.second, information)
        probability = win_probability(log_odds)
        games = self.ties + self.ties.T
        same = self.groups[:, None] == self.groups
        curvature = np.zeros((len(values), len(values)))
        curvature[:m, :m] = laplacian_of(shared + shared.T + games * probability * probability.T)
        curvature[:m, :m] += same / same.sum(axis=1)
        weighted = information[:, None] * self.apart
        curvature[:m, m:] = self._by_model(weighted)
        curvature[m:, :m] = curvature[:m, m:].T
        curvature[m:, m:] = self.apart.T @ weighted + np.eye(len(values) - m) / PRIOR_SD**2
        return curvature

    def errors(self, values: FloatArray, unit: IntArray) -> FloatArray:
        """Return the standard errors of the coefficients, by leaving out each unit."""
        return np.sqrt(np.diagonal(self.jackknife(values, unit)[self.m :, self.m :]))

    def jackknife(self, values: FloatArray, unit: IntArray) -> FloatArray:
        """Return the covariance (p, p) of the values with one unit left out at a time, in one Newton step each."""
        whole, p = self.curvature(values) * (1 + 1e-9), len(values)
        covariance, number = np.zeros((p, p)), int(unit.max(initial=-1)) + 1
        for gradient, own in self._by_unit(values, unit):
            changes = _solve(whole - own, gradient[:, :, None])[:, :, 0]
            covariance += changes.T @ changes
        return covariance * (number - 1) / max(number, 1)

    def _by_unit(self, values: FloatArray, unit: IntArray) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield the gradients (u, p) and curvatures (u, p, p) of some units at a time."""
        order = np.argsort(unit, kind="stable")
        starts = np.flatnonzero(np.diff(unit[order], prepend=-1))
        ends = np.append(starts[1:], len(order))
        residual, information = self._residual(values), self._information(values)
        step = max(1, _CELLS_AT_ONCE // len(values) ** 2)
        for low in range(0, len(starts), step):
            high = min(low + step, len(starts))
            rows = order[starts[low] : ends[high - 1]]
            design = self._design(rows)
            at = starts[low:high] - starts[low]
            gradient = np.add.reduceat(design * residual[rows, None], at, axis=0)
            bounds = zip(at, ends[low:high] - starts[low], strict=True)
            own = [(design[a:b].T * information[rows[a:b]]) @ design[a:b] for a, b in bounds]
            yield gradient, np.array(own)

    def _design(self, rows: IntArray) -> FloatArray:
        design = np.zeros((len(rows), self.m + self.apart.shape[1]))
        number = np.arange(len(rows))
        design[number, self.first[rows]] = 1
        design[number, self.second[rows]] = -1
        design[:, self.m :] = self.apart[rows]
        return design

    def _margin(self, values: FloatArray) -> FloatArray:
        log_odds = values[: self.m]
        return np.asarray(log_odds[self.first] - log_odds[self.second] + self.apart @ values[self.m :])

    def _residual(self, values: FloatArray) -> FloatArray:
        return np.asarray(self.weight * (self.score - expit(self._margin(values))))

    def _information(self, values: FloatArray) -> FloatArray:
        expected = expit(self._margin(values))
        return np.asarray(self.weight * expected * (1 - expected))

    def _gradient(self, values: FloatArray) -> FloatArray:
        log_odds, betas, residual = values[: self.m], values[self.m :], self._residual(values)
        probability = win_probability(log_odds)
        by_prior = (self.ties * probability.T - self.ties.T * probability).sum(axis=1)
        by_style = self.apart.T @ residual - betas / PRIOR_SD**2
        return np.concatenate([self._by_model(residual[:, None])[:, 0] + by_prior, by_style])

    def _by_model(self, values: FloatArray) -> FloatArray:
        """Return the sums (m, k) of values (n, k) of rows, for the earlier side less for the later one."""
        columns = [
            np.bincount(self.first, column, self.m) - np.bincount(self.second, column, self.m) for column in values.T
        ]
        return np.column_stack(columns)

    def _by_cell(self, row: IntArray, column: IntArray, values: FloatArray) -> FloatArray:
        cells = row.astype(np.int64) * self.m + column
        return np.asarray(np.bincount(cells, values, self.m * self.m), dtype=np.float64).reshape(self.m, self.m)


def _solve(curvature: FloatArray, gradients: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.solve(curvature, gradients))
    except np.linalg.LinAlgError as error:
        raise InvalidValue("strengths with style held equal are infinite; set the prior above 0") from error
