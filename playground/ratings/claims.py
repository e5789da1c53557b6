"""Claims that hold however often a board is looked at: "A leads", "A is above B".

Boundary: fits and variances at a sequence of looks in, claims out; keeps nothing and words nothing.

A board is read after every vote, and a bound for one look fails when somebody looks again: two equal models have a
leader at some time in a quarter of all runs. The bound here holds at all times together: Robbins's normal mixture as
an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, arXiv 2103.06476). Its clock is
the information about a difference, 1 / SE², at its highest so far: not the number of raters, which stands still while
the same raters go on voting. A difference of few raters is first turned from Student's t into the normal quantile of
the same tail.

To lead, a model has to be ahead of each other one at the level, without a correction: the claim is false only if one
of these comparisons is. Any other order is corrected for all pairs (Holm 1979, Scandinavian Journal of Statistics 6),
on the smallest p-value so far. A claim lasts until the estimate changes sign, or the unit of the variances changes
with what it is about: the raters who have voted, or all who might.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from playground.ratings.bradley_terry import fit
from playground.ratings.covariance import Spread, choose_unit, spread
from playground.ratings.intervals import Profiles
from playground.ratings.pairs import BOTH_BAD, BoolArray, FloatArray, IntArray, PairTable
from playground.ratings.parts import until
from playground.ratings.student import normal_equivalent

SHARPEST_AT = 50.0
"""Standard error of a difference, in points, at which the bound is tightest; fixed before any vote.

At 25 a model that won 45 of 47 battles would not lead yet; at 10 points the bound is 3.4 instead of 3.2 errors.
"""
FIRST_LOOK = 30
LOOKS_PER_DOUBLING = 7
"""Claims are made when the votes have grown by a tenth."""
_CLEARLY = 1e-6  # points; rounding errors are smaller


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """Conditions under which claims are made."""

    prior: float
    level: float
    unit: str  # auto | rater | vote
    min_battles: int  # votes on a model below which nothing is claimed about it


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """Evidence and claims after some looks, for m models."""

    unit: str  # rater | vote; "" before the first look
    information: FloatArray  # (m, m) highest so far, 1 / points²
    p_value: FloatArray  # (m, m) smallest since i is ahead of j, valid at any time; 1 if it is not
    ahead_at: IntArray  # (m, m) votes at which i was first clearly ahead of j, uncorrected; 0: it is not
    above_at: IntArray  # (m, m) votes at which "i is above j" was claimed; 0: it is not

    @classmethod
    def none(cls, models: int) -> Claims:
        """Return the claims before the first look."""
        shape = (models, models)
        zeros, no_votes = np.zeros(shape), np.zeros(shape, dtype=np.int64)
        return cls("", zeros, np.ones(shape), no_votes, no_votes)

    @property
    def above(self) -> BoolArray:
        """True if it is claimed that i is above j, shape (m, m)."""
        return self.above_at > 0

    @property
    def ahead(self) -> BoolArray:
        """True if i is ahead of j at the level, uncorrected, shape (m, m)."""
        return self.ahead_at > 0

    def leads(self, i: int, others: Iterable[int]) -> bool:
        """Return True if i is claimed to lead all others."""
        return all(self.ahead_at[i, j] > 0 for j in others if j != i)


def boundary(information: FloatArray | float, error: float) -> FloatArray:
    """Return the standard errors beyond which a difference is at any time with a probability of at most `error`."""
    mixing = _mixing(error)
    information = np.asarray(information, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(np.sqrt((1 + mixing / information) * (np.log1p(information / mixing) - 2 * math.log(error))))


def any_time_p_value(z: FloatArray, information: FloatArray, error: float) -> FloatArray:
    """Return the p-value that may be read at any time, from the normal quantile z; tuned for decisions at `error`."""
    mixing = _mixing(error)
    evidence = (np.square(z) * information / (information + mixing) - np.log1p(information / mixing)) / 2
    return np.exp(-np.maximum(evidence, 0.0))


def advance(
    claims: Claims, ratings: FloatArray, spreads: Spread, allowed: BoolArray, votes: int, level: float
) -> Claims:
    """Return the claims after one more look.

    Args:
        allowed: (m, m) pairs of models that are connected and have enough votes each.
        votes: their number at this look, stored with new claims; 0: claims may end and none is made.
    """
    if claims.unit != spreads.unit:
        claims = replace(Claims.none(len(ratings)), unit=spreads.unit)
    error = 1 - level
    apart = ratings[:, None] - ratings
    first = allowed & (apart > _CLEARLY)
    variance = np.where(allowed, spreads.difference, np.inf)
    information = np.maximum(claims.information, 1 / variance)
    if not votes:
        ahead_at, above_at = (np.where(first, made_at, 0) for made_at in (claims.ahead_at, claims.above_at))
        return replace(claims, ahead_at=ahead_at, above_at=above_at)
    z = normal_equivalent(apart / np.sqrt(variance), spreads.difference_degrees)
    p_value = np.where(first, np.minimum(claims.p_value, any_time_p_value(z, information, error)), 1.0)
    return Claims(
        unit=claims.unit,
        information=information,
        p_value=p_value,
        ahead_at=_since(claims.ahead_at, first, p_value <= error, votes),
        above_at=_since(claims.above_at, first, holm(p_value, allowed, error), votes),
    )


def _since(made_at: IntArray, first: BoolArray, now: BoolArray, votes: int) -> IntArray:
    return np.where(first, np.where((made_at == 0) & now, votes, made_at), 0)


def holm(p_value: FloatArray, allowed: BoolArray, error: float) -> BoolArray:
    """Return the orders (m, m) that Holm's procedure accepts among all allowed pairs."""
    comparisons = int(np.triu(allowed, 1).sum())
    best = np.argsort(p_value, axis=None, kind="stable")[:comparisons]
    limits = error / np.arange(comparisons, 0, -1)
    missed = np.flatnonzero(p_value.ravel()[best] > limits)
    accepted = best[: missed[0]] if len(missed) else best
    found = np.zeros(p_value.size, dtype=bool)
    found[accepted] = True
    return found.reshape(p_value.shape)


def looks(votes: int) -> list[int]:
    """Return the numbers of votes at which claims are made, up to this one: fixed, so that a replay makes the same."""
    numbers: list[int] = []
    step = 0
    while (number := round(FIRST_LOOK * 2 ** (step / LOOKS_PER_DOUBLING))) <= votes:
        numbers.append(number)
        step += 1
    return numbers


def replay(table: PairTable, rules: ClaimRules) -> Claims:
    """Return the claims of a table whose votes are in order of time: made at each look until now.

    They are a function of the votes alone: without the votes that they rest on they are gone.
    """
    return replay_looks(((until(table, number), number) for number in looks(table.num_votes)), table, rules)


def replay_looks(prefixes: Iterable[tuple[PairTable, int]], now: PairTable, rules: ClaimRules) -> Claims:
    """Return the claims from the tables at the looks, with their numbers of votes, and from the one of now."""
    claims = Claims.none(len(now.models))
    for table, votes in (*prefixes, (now, 0)):
        claims = look(claims, table, rules, votes)
    return claims


def look(claims: Claims, table: PairTable, rules: ClaimRules, votes: int) -> Claims:
    """Return the claims after a look at a table."""
    fitted = fit(table.wins, prior=rules.prior)
    spreads = spread(table, fitted, choose_unit(table, rules.unit))
    known = _rated_votes(table) >= rules.min_battles
    allowed = (fitted.groups[:, None] == fitted.groups) & known[:, None] & known
    allowed &= ~np.eye(len(known), dtype=bool)
    if rules.prior > 0 and votes:
        undecided = allowed & ~claims.above & (fitted.ratings[:, None] > fitted.ratings)
        spreads = replace(spreads, difference=Profiles(table, fitted, spreads, rules.level).tested_variance(undecided))
    return advance(claims, fitted.ratings, spreads, allowed, votes, rules.level)


def _rated_votes(table: PairTable) -> IntArray:
    """Return the votes on each model, shape (m,), without those that find all bad if these have no weight."""
    judged, bad = table.votes_by_model()
    return judged if table.weight[table.outcome == BOTH_BAD].any() else judged - bad


def _mixing(error: float) -> float:
    """Return the parameter of the mixture that makes the bound tightest at SHARPEST_AT (their section 3.5)."""
    scale = -2 * math.log(error)
    return 1 / SHARPEST_AT**2 / (scale + math.log1p(scale))
