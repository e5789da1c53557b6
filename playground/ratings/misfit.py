"""A test of the Bradley–Terry model against the pairs, and the cycle or pair that breaks it.

Boundary: a table and its fit in, one small record out; `findings` words it.

One number per model cannot say that A beats B, B beats C and C beats A. The residuals of each pair of models are
summed per rater (or vote), and the sum of their squares over what the model expects is compared with the same sum
under a bootstrap that multiplies each rater's residuals by a random number of mean 0: centred at the fit, with the
raters' own tastes left in, and with the error of the fitted strengths taken out of them. No pair counts as more certain
than the model says: one without a surprise has no residuals.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from playground.ratings.bradley_terry import POINTS, Fit
from playground.ratings.pairs import BoolArray, FloatArray, IntArray, PairTable
from playground.ratings.unit_sums import UnitSums

ALARM = 0.01
"""Probability of a false alarm: below the usual 5 %, since a board is read again and again."""
CLEAR_WIN = 2.0
"""Standard errors by which a model of a cycle beats the next one."""
_DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Misfit:
    """The reason why ratings do not explain the votes; models are indices."""

    p_value: float
    cycle: tuple[int, ...]  # each beats the next, and the last one the first; empty if there is none
    winner: int  # of the pair that is furthest from what the ratings say, the one that does better
    loser: int
    share: float  # of what counts between the two that the first one won
    expected: float


def find_misfit(table: PairTable, fit: Fit, unit: str) -> Misfit | None:
    """Return the misfit of a table and its fit, with raters or votes as the unit; None if chance explains it."""
    pairs = _Pairs.of(table, unit)
    if len(pairs.first) <= len(table.models) - len(np.unique(fit.groups)):
        return None  # as many strengths as pairs explain anything
    probability = fit.probability[pairs.first, pairs.second]
    residual = pairs.by_unit(pairs.won - pairs.weight * probability[pairs.pair])
    by_prior, of_prior = pairs.prior(fit)
    found = pairs.times @ residual + by_prior
    expected = np.bincount(pairs.pair, pairs.weight * pairs.times_of_sum) * probability * (1 - probability) + of_prior
    covariance = pairs.squares(residual)
    covariance += np.diag(np.maximum(expected - np.diagonal(covariance), 0.0))  # pairs without a surprise
    leftover = _leftover(pairs, fit, expected)
    covariance = leftover @ covariance @ leftover.T
    scale = np.sqrt(expected)
    p_value = _tail(float(np.square(found / scale).sum()), covariance / scale[:, None] / scale)
    if p_value >= ALARM:
        return None
    errors = np.sqrt(np.maximum(np.diagonal(covariance), 0.1 * expected))
    worst = int(np.argmax(np.round(np.abs(found) / errors, 9)))  # of equal ones, as in a circle of three, the first
    winner, loser = int(pairs.first[worst]), int(pairs.second[worst])
    if found[worst] < 0:
        winner, loser = loser, winner
    wins = table.wins
    return Misfit(
        p_value=p_value,
        cycle=shortest_cycle(pairs.clear_wins()),
        winner=winner,
        loser=loser,
        share=float(wins[winner, loser] / (wins[winner, loser] + wins[loser, winner])),
        expected=float(fit.probability[winner, loser]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """The e pairs of models that met, with the k sums of units that are theirs."""

    models: int
    first: IntArray  # (e,) the earlier model
    second: IntArray  # (e,)
    pair: IntArray  # (k,) of each sum
    unit: IntArray  # (k,)
    won: FloatArray  # (k,) by the pair's first model
    weight: FloatArray  # (k,)
    times: FloatArray  # (u,) how often each unit occurs

    @classmethod
    def of(cls, table: PairTable, unit: str) -> _Pairs:
        m, sums = len(table.models), UnitSums.of(table, unit)
        there = sums.weight > 0
        first, second, won, weight = sums.first[there], sums.second[there], sums.won[there], sums.weight[there]
        met, pair = np.unique(np.minimum(first, second) * m + np.maximum(first, second), return_inverse=True)
        won = np.where(first < second, won, weight - won)
        return cls(m, met // max(m, 1), met % max(m, 1), pair, sums.unit[there], won, weight, sums.times)

    @property
    def times_of_sum(self) -> FloatArray:
        """The number of times that each sum occurs, shape (k,)."""
        return self.times[self.unit]

    def by_unit(self, values: FloatArray) -> csr_array:
        """Return the values (k,) of sums by unit and pair, shape (u, e)."""
        return csr_array((values, (self.unit, self.pair)), shape=(len(self.times), len(self.first)))

    def squares(self, values: csr_array) -> FloatArray:
        """Return the sum over all units of the products of their values on each two pairs, shape (e, e)."""
        return np.asarray((values.T @ values.multiply(self.times[:, None]).tocsr()).toarray(), dtype=np.float64)

    def prior(self, fit: Fit) -> tuple[FloatArray, FloatArray]:
        """Return the residual and the information of the prior's ties, each of shape (e,)."""
        games = 2 * fit.prior_wins[self.first, self.second]
        p = fit.probability[self.first, self.second]
        return games * (0.5 - p), games * p * (1 - p)

    def clear_wins(self) -> BoolArray:
        """Return where i beats j by CLEAR_WIN standard errors in their own battles, shape (m, m)."""
        beyond_half = self.won - self.weight / 2
        total = np.bincount(self.pair, self.times_of_sum * beyond_half)
        error = np.sqrt(np.bincount(self.pair, self.times_of_sum * np.square(beyond_half)))
        wins = np.zeros((self.models, self.models), dtype=bool)
        wins[self.first, self.second] = total > CLEAR_WIN * error
        wins[self.second, self.first] = -total > CLEAR_WIN * error
        return wins


def _leftover(pairs: _Pairs, fit: Fit, information: FloatArray) -> FloatArray:
    """Return the matrix (e, e) that takes from residuals what the fitted strengths take up."""
    numbers = np.arange(len(pairs.first))
    design = np.zeros((len(numbers), pairs.models))
    design[numbers, pairs.first], design[numbers, pairs.second] = 1, -1
    return np.asarray(np.eye(len(numbers)) - information[:, None] * (design @ fit.covariance / POINTS**2 @ design.T))


def _tail(found: float, covariance: FloatArray) -> float:
    """Return the probability that the squared length of a normal vector of this covariance is at least `found`."""
    values = np.maximum(np.linalg.eigvalsh(covariance), 0.0)
    drawn = (
        np.square(np.random.default_rng(0).normal(size=(_DRAWS, len(values)))) @ values
    )  # the same for the same votes
    return float(np.mean(drawn >= found))


def shortest_cycle(beats: BoolArray) -> tuple[int, ...]:
    """Return the models of a shortest cycle, each of which beats the next; empty if there is none."""
    best: tuple[int, ...] = ()
    for start in range(len(beats)):
        before, queue = {start: -1}, deque([start])
        while queue:
            i = queue.popleft()
            if beats[i, start]:
                path = [i]
                while before[path[-1]] >= 0:
                    path.append(before[path[-1]])
                if not best or len(path) < len(best):
                    best = tuple(reversed(path))
                break
            for j in np.flatnonzero(beats[i]):
                if int(j) not in before:
                    before[int(j)] = i
                    queue.append(int(j))
    return best
