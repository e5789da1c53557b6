"""Which pair of models to draw next, so that the ranking gets certain with the fewest votes.

Boundary: a table of wins in, chances of pairs out; draws nothing, and knows neither battles nor settings.

The uncertainty of a ranking is the number of pairs of models that it is expected to have in the wrong order. For an
estimated difference d of variance s², a unit of variance less lowers it in proportion to φ(d / (√2 s)) / s²: the
derivative of Φ(-|δ| / s), averaged over the true difference δ given d, without the mean of |δ| / s, which varies
less. A vote on models i and j adds p(1 - p) to the information about their difference. The gain of a pair is what one
more vote takes off the variances of all differences, weighted so (A-optimality for these contrasts; Fedorov 1972,
Theory of Optimal Experiments). Models whose order is open, or that met seldom, gain most. The prior of the fit adds
ties to all pairs here, also to those that never met, so that every gain is finite.

The board is public, and a blind battle must stay one: no pair is more than three times, or less than a third, as likely
as if all pairs were. Drawing depends on votes that are known, never on the vote to come, so the likelihood of the votes
is the same as if the pairs had been fixed, and ratings need no weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import logit

from playground.ratings.bradley_terry import DEFAULT_PRIOR, laplacian_of, maximise, pseudo_inverse, win_probability
from playground.ratings.covariance import difference_variance
from playground.ratings.pairs import FloatArray, IntArray, PairTable

MOST, LEAST = 3.0, 1 / 3
"""Bounds of a pair's chance, in units of the chance that it has if all pairs are equally likely."""
SHARPNESS = 4.0
"""The power of a gain that its chance is proportional to, within the bounds."""
VOTES_PER_MODEL = 5
"""Votes for each model, on average, before gains are believed: until then all pairs are equally likely."""
CLOSE = 0.25
"""Two models are close if the weaker one wins at least this share."""
_HALVINGS = 60
_SMALLEST = 1e-12  # of a weight, relative to the largest: far below the least chance


@dataclass(frozen=True, slots=True)
class PairState:
    """One pair of models as the next draw sees it."""

    model_a: str
    model_b: str
    met: int  # votes on both that count
    chance: float  # of being drawn, if all models can be
    is_close: bool


@dataclass(frozen=True, slots=True)
class WhyDrawn:
    """The reason for which a set of models was drawn."""

    probability: float  # of the set, in any order
    uniform: float  # the same, if all sets were equally likely
    pair: PairState | None  # the pair of it that the votes favoured most; None if they favoured none


@dataclass(frozen=True, eq=False)
class Pairing:
    """The gains of all pairs, from the votes that count."""

    models: tuple[str, ...]
    gains: FloatArray  # (m, m), symmetric; all alike if there are too few votes
    met: IntArray  # (m, m) votes on both
    win_probability: FloatArray  # (m, m) as fitted with ties for all pairs
    votes: int
    known: dict[tuple[str, ...], FloatArray] = field(default_factory=dict)  # chances, by models: visitors do not wait

    @classmethod
    def of(cls, table: PairTable, prior: float = DEFAULT_PRIOR) -> Pairing:
        """Return the gains by a table, which names every model that can be drawn."""
        m = len(table.models)
        met = np.bincount(table.first * m + table.second, minlength=m * m).reshape(m, m)
        met = met + met.T
        if m < 2 or table.num_votes < VOTES_PER_MODEL * m:
            return cls(table.models, np.ones((m, m)), met, np.full((m, m), 0.5), table.num_votes)
        gains, probability = gains_of(table.wins, max(prior, DEFAULT_PRIOR))
        return cls(table.models, gains, met, probability, table.num_votes)

    @property
    def is_informed(self) -> bool:
        """True if votes decide which pairs are likelier."""
        return bool(np.ptp(self.gains) > 0)

    def chances(self, models: Sequence[str]) -> FloatArray | None:
        """Return the chance (k, k) of each pair of these models, twice in the matrix; None if one is not known."""
        if not set(models) <= set(self.models):
            return None
        key = tuple(models)
        if key not in self.known:
            places = [self.models.index(model) for model in models]
            self.known[key] = chances_of(self.gains[np.ix_(places, places)])
        return self.known[key]

    def pairs_of(self, models: Sequence[str]) -> tuple[PairState, ...]:
        """Return all pairs of these models, the likeliest first; none if a model is not known."""
        chances = self.chances(models)
        if chances is None:
            return ()
        first, second = np.triu_indices(len(models), 1)
        best = np.argsort(-chances[first, second], kind="stable")
        return tuple(self._pair(models[first[k]], models[second[k]], float(chances[first[k], second[k]])) for k in best)

    def why(self, models: Sequence[str], able: Sequence[str], probability: float) -> WhyDrawn:
        """Return why these models were drawn, of those that could be; `probability` is that of their order."""
        in_any_order, uniform = probability * math.factorial(len(models)), 1 / math.comb(len(able), len(models))
        chances = self.chances(able)
        if chances is None or in_any_order <= uniform * (1 + 1e-9):
            return WhyDrawn(in_any_order, uniform, None)
        drawn = sorted(list(able).index(model) for model in models)
        pairs = [(i, j) for i in drawn for j in drawn if i < j]
        i, j = max(pairs, key=lambda pair: float(chances[pair]))
        return WhyDrawn(in_any_order, uniform, self._pair(able[i], able[j], float(chances[i, j])))

    def _pair(self, model_a: str, model_b: str, chance: float) -> PairState:
        i, j = self.models.index(model_a), self.models.index(model_b)
        odds = self.win_probability[i, j]
        is_close = bool(min(odds, 1 - odds) >= CLOSE)
        return PairState(model_a, model_b, int(self.met[i, j]), chance, is_close)


def gains_of(wins: FloatArray, prior: float = DEFAULT_PRIOR) -> tuple[FloatArray, FloatArray]:
    """Return the gain (m, m) of one more vote on each pair, and the probability (m, m) that i beats j.

    Args:
        prior: above 0; it adds m - 1 ties, times itself, in equal parts to all pairs.
    """
    m = len(wins)
    one_group = np.zeros(m, dtype=np.int64)
    games = wins + np.where(np.eye(m, dtype=bool), 0.0, prior / m)
    probability = win_probability(maximise(games, one_group))
    information = probability * probability.T
    covariance = pseudo_inverse(laplacian_of((games + games.T) * information), one_group)
    variance = np.where(np.eye(m, dtype=bool), 1.0, difference_variance(covariance))
    apart = logit(probability)
    weights = np.exp(-(apart**2) / (4 * variance)) / variance
    learned = covariance @ laplacian_of(weights) @ covariance  # x·learned·x: the weighted sum, for a vote along x
    return information * difference_variance(learned) / (1 + information * variance), probability


def chances_of(gains: FloatArray) -> FloatArray:
    """Return the chance (k, k) of each pair, twice in the matrix; over pairs they sum to 1."""
    upper = np.triu_indices(len(gains), 1)
    chances = np.zeros_like(gains)
    chances[upper] = bounded(gains[upper] ** SHARPNESS)
    return np.asarray(chances + chances.T)


def bounded(weights: FloatArray) -> FloatArray:
    """Return probabilities (n,) in proportion to weights (n,), some above 0, but for the bounds `MOST` and `LEAST`."""
    if not len(weights):
        return weights
    relative = np.maximum(weights / weights.max(), _SMALLEST)
    low, high = 0.0, 1.0
    while np.clip(relative * high, LEAST, MOST).mean() < 1:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(relative * middle, LEAST, MOST).mean() < 1 else (low, middle)
    shares = np.clip(relative * high, LEAST, MOST)
    return np.asarray(shares / shares.sum())
