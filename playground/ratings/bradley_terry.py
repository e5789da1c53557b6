"""Bradley–Terry strengths by maximum likelihood from a table of wins.

Boundary: one matrix in, one record out; knows nothing about votes, raters or uncertainty (`intervals`).

The model: i beats j with probability 1 / (1 + 10^((r_j - r_i) / 400)). The likelihood has no finite maximum
if a model is undefeated; therefore a prior adds ties. Models that no chain of battles connects have no common
scale: they are fitted as separate groups.

The prior adds m - 1 ties to a group of m models, times `prior`, in equal parts to the pairs of models that met: 2 / m
of a tie to each pair if all met. Firth's correction of the bias of maximum likelihood (Firth 1993, Biometrika 80)
adds as many: each vote's leverage, and the leverages sum to m - 1. A fixed part of a tie for each pair would grow with
the square of m and pull the ratings of many models together (benchmarks/interval_coverage.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from playground.errors import InvalidValue
from playground.ratings.pairs import BoolArray, FloatArray, IntArray

POINTS = 400 / float(np.log(10))
"""Rating points per unit of log-odds."""
MEAN = 1000.0
"""The mean rating of each group."""
DEFAULT_PRIOR = 1.0

_MAX_STEPS = 200
_TOLERANCE = 1e-9  # log-odds; the last step of Newton's method squares the error: far below 1e-6 points


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Fitted strengths of m models."""

    ratings: FloatArray  # (m,) points, mean 1000 in each group
    groups: IntArray  # (m,) models of one group are connected by battles; 0 is the group of the first model
    probability: FloatArray  # (m, m) that i beats j; NaN on the diagonal and between groups
    covariance: FloatArray  # (m, m) points², from the curvature of the likelihood, if it were all true
    prior: float
    prior_wins: FloatArray  # (m, m) wins that the prior adds

    @property
    def comparable(self) -> BoolArray:
        """True for two models of one group, shape (m, m); False on the diagonal."""
        return comparable(self.groups)


def comparable(groups: IntArray) -> BoolArray:
    """Return True for two models of one group, shape (m, m); False on the diagonal."""
    return np.asarray((groups[:, None] == groups) & ~np.eye(len(groups), dtype=bool))


def fit(wins: FloatArray, *, prior: float = DEFAULT_PRIOR) -> Fit:
    """Return the strengths that make these wins (m, m) the most likely.

    Raises:
        InvalidValue: `wins` is not a square matrix of finite numbers of 0 or more with an empty diagonal,
            `prior` is negative or infinite, or it is 0 and there is no finite maximum.
    """
    check_wins(wins)
    if not (prior >= 0 and np.isfinite(prior)):
        raise InvalidValue(f"prior is {prior!r}; valid: 0 (no prior) or a finite number above 0")
    groups = connected_groups(wins)
    if prior == 0 and not np.array_equal(_reachable(wins > 0), groups[:, None] == groups):
        raise InvalidValue(
            "these wins have no finite strengths: some models never lost to some others; "
            f"set prior above 0, for example {DEFAULT_PRIOR}"
        )
    added = prior_wins(wins, groups, prior)
    log_odds = maximise(wins + added, groups)
    probability = win_probability(log_odds)
    games = wins + wins.T + added + added.T
    return Fit(
        ratings=MEAN + POINTS * log_odds,
        groups=groups,
        probability=np.where(comparable(groups), probability, np.nan),
        covariance=POINTS**2 * pseudo_inverse(laplacian_of(games * probability * probability.T), groups),
        prior=prior,
        prior_wins=added,
    )


def prior_wins(wins: FloatArray, groups: IntArray, prior: float) -> FloatArray:
    """Return the wins (m, m) that the prior adds: each group's ties in equal parts to the pairs that met."""
    met = wins + wins.T > 0
    pairs = np.bincount(groups, weights=met.sum(axis=1) / 2, minlength=1)
    ties = prior * (np.bincount(groups, minlength=1) - 1) / np.maximum(pairs, 1)  # for each pair that met
    return np.where(met, ties[groups][:, None] / 2, 0.0)


def check_wins(wins: FloatArray) -> None:
    """Raise InvalidValue unless `wins` is a table that can be fitted."""
    if wins.ndim != 2 or wins.shape[0] != wins.shape[1]:
        raise InvalidValue(f"wins has shape {wins.shape}; it has to be (m, m)")
    if not (np.isfinite(wins).all() and (wins >= 0).all()):
        raise InvalidValue("wins has a negative or infinite entry, or no number; valid: 0 or more, finite")
    if np.diagonal(wins).any():
        raise InvalidValue("wins has entries on its diagonal: a model does not play against itself")


def connected_groups(wins: FloatArray) -> IntArray:
    """Return the group of each model, (m,): two models share one if a chain of battles connects them."""
    reachable = _reachable(wins + wins.T > 0)
    leaders = [int(np.flatnonzero(row)[0]) for row in reachable]  # the first model that each reaches
    _, groups = np.unique(np.array(leaders, dtype=np.int64), return_inverse=True)
    return groups.astype(np.int64)


def maximise(wins: FloatArray, groups: IntArray, start: FloatArray | None = None) -> FloatArray:
    """Return the log-odds strengths (m,), mean 0 in each group, by Newton's method; the maximum has to be finite.

    Raises:
        InvalidValue: no convergence: the maximum is at infinity, or the numbers are too unequal for floats.
    """
    games = wins + wins.T
    log_odds = np.zeros(len(wins)) if start is None else start
    likelihood = log_likelihood(wins, log_odds)
    for _ in range(_MAX_STEPS):
        probability = win_probability(log_odds)
        gradient = (wins * probability.T - wins.T * probability).sum(axis=1)
        step = pseudo_inverse(laplacian_of(games * probability * probability.T), groups) @ gradient
        size = 1.0
        while (ahead := log_likelihood(wins, log_odds + size * step)) < likelihood - 1e-12 * abs(likelihood):
            size /= 2  # Newton may overshoot far from the maximum
        log_odds, likelihood = np.asarray(log_odds + size * step), ahead
        if np.abs(step).max(initial=0.0) < _TOLERANCE:
            return log_odds
    raise InvalidValue(f"the strengths did not converge in {_MAX_STEPS} steps; set prior higher")


def pseudo_inverse(laplacian: FloatArray, groups: IntArray) -> FloatArray:
    """Return the inverse (m, m) of a Laplacian on the strengths that have mean 0 in each group."""
    same = groups[:, None] == groups
    centre = same / same.sum(axis=1)
    scale = max(float(np.trace(laplacian)) / max(len(groups), 1), np.finfo(float).tiny)
    return np.linalg.inv(laplacian / scale + centre) / scale - centre / scale if laplacian.any() else laplacian


def win_probability(log_odds: FloatArray) -> FloatArray:
    """Return the probability (m, m) that i beats j."""
    return np.asarray(expit(log_odds[:, None] - log_odds[None, :]))


def log_likelihood(wins: FloatArray, log_odds: FloatArray) -> float:
    """Return the logarithm of the likelihood of wins (m, m) at strengths (m,)."""
    return -float((wins * np.logaddexp(0, log_odds[None, :] - log_odds[:, None])).sum())


def laplacian_of(weights: FloatArray) -> FloatArray:
    """Return the matrix L (m, m) with x·Lx = Σ weights[i, j] (x_i - x_j)² over pairs, for symmetric weights."""
    off = weights - np.diag(np.diagonal(weights))
    return np.asarray(np.diag(off.sum(axis=1)) - off)


def _reachable(edges: BoolArray) -> BoolArray:
    """Return True where a path of any length leads from i to j, (m, m); every model reaches itself."""
    paths = edges | np.eye(len(edges), dtype=bool)
    for _ in range(len(edges).bit_length()):
        paths = paths @ paths
    return paths
