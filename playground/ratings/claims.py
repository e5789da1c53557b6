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
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from threading import Lock

import numpy as np

from playground.ratings.bradley_terry import Fit, fit
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
MOST_KEPT = 256
"""Looks whose claims are remembered: a million votes have 106; 50 kB each for 40 models."""
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


class ClaimMemory:
    """Claims after earlier looks, by the votes and the rules that they follow from; any thread may use it.

    Erased and undone votes need no care: the looks after them have other votes, and are made again.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._lock = Lock()
        self._known: OrderedDict[bytes, Claims] = OrderedDict()

    def latest(self, keys: Sequence[bytes]) -> tuple[int, Claims | None]:
        """Return the number of looks, of those with these keys, until the last known one, and the claims after it."""
        with self._lock:
            for number in range(len(keys), 0, -1):
                if (claims := self._known.get(keys[number - 1])) is not None:
                    self._known.move_to_end(keys[number - 1])
                    return number, claims
        return 0, None

    def keep(self, key: bytes, claims: Claims) -> None:
        """Keep the claims after a look; those used the longest time ago go."""
        with self._lock:
            self._known[key] = claims
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)


@dataclass(frozen=True, slots=True)
class ClaimReplay:
    """A replay of the looks at a board, which makes again only those whose votes are new."""

    memory: ClaimMemory | None = None  # None: every look is made
    most_votes: int | None = None  # read by all looks together, above which no claims are made; None: no limit

    def claims(self, table: PairTable, rules: ClaimRules, now: Fit, spreads: Spread) -> Claims | None:
        """Return the claims of a table whose votes are in order of time; None if they take too many votes.

        They are a function of the votes alone: without the votes that they rest on they are gone.

        Args:
            now: the fit of the whole table, and `spreads` its variances.
        """
        numbers = looks(table.num_votes)
        keys = [] if self.memory is None else prefix_keys(table, rules, numbers)
        made, known = (0, None) if self.memory is None else self.memory.latest(keys)
        if self.most_votes is not None and sum(numbers[made:]) > self.most_votes:
            return None
        claims = known or Claims.none(len(table.models))
        for place in range(made, len(numbers)):
            claims = look(claims, until(table, numbers[place]), rules, numbers[place])
            if self.memory is not None:
                self.memory.keep(keys[place], claims)
        return advance(claims, now.ratings, spreads, _allowed(table, now, rules), 0, rules.level)


def prefix_keys(table: PairTable, rules: ClaimRules, numbers: Sequence[int]) -> list[bytes]:
    """Return a digest of the first votes for each of these numbers of votes, whatever numbers their raters have."""
    first_row = np.full(table.num_raters, len(table.rater))
    first_row[table.rater[::-1]] = np.arange(len(table.rater))[::-1]  # of several the last one stays
    rater = np.argsort(np.argsort(first_row)).astype(np.int32)[table.rater]
    meetings = table.meetings.astype(np.int32)
    digest, keys, start = blake2b(repr((rules, table.models)).encode(), digest_size=16), list[bytes](), 0
    for end in map(int, np.searchsorted(table.vote, np.array(numbers, dtype=np.int64))):
        rows = slice(start, end)
        weight, vote = table.weight[rows], table.vote[rows]
        usual = np.all(weight == 1), np.all(np.diff(vote) == 1)  # which costs nothing
        for column in (meetings[rows], rater[rows], weight[: 0 if usual[0] else None], vote[: 0 if usual[1] else None]):
            digest.update(np.ascontiguousarray(column).data)
        keys.append(digest.digest())
        start = end
    return keys


def look(claims: Claims, table: PairTable, rules: ClaimRules, votes: int) -> Claims:
    """Return the claims after a look at a table."""
    fitted = fit(table.wins, prior=rules.prior)
    spreads = spread(table, fitted, choose_unit(table, rules.unit))
    allowed = _allowed(table, fitted, rules)
    if rules.prior > 0 and votes:
        undecided = allowed & ~claims.above & (fitted.ratings[:, None] > fitted.ratings)
        spreads = replace(spreads, difference=Profiles(table, fitted, spreads, rules.level).tested_variance(undecided))
    return advance(claims, fitted.ratings, spreads, allowed, votes, rules.level)


def _allowed(table: PairTable, fitted: Fit, rules: ClaimRules) -> BoolArray:
    """Return True for connected models with enough votes each, shape (m, m)."""
    known = _rated_votes(table) >= rules.min_battles
    return np.asarray(fitted.comparable & known[:, None] & known)


def _rated_votes(table: PairTable) -> IntArray:
    """Return the votes on each model, shape (m,), without those that find all bad if these have no weight."""
    judged, bad = table.votes_by_model
    return judged if table.weight[table.outcome == BOTH_BAD].any() else judged - bad


def _mixing(error: float) -> float:
    """Return the parameter of the mixture that makes the bound tightest at SHARPEST_AT (their section 3.5)."""
    scale = -2 * math.log(error)
    return 1 / SHARPEST_AT**2 / (scale + math.log1p(scale))
