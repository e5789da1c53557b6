"""Judged pairs as arrays: what all other files of this folder compute with.

Boundary: turns records into arrays and counts; estimates nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from playground.errors import InvalidValue
from playground.records import JudgedPair

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

WINNERS = ("model_a", "model_b", "tie", "both_bad")
FIRST, SECOND, TIE, BOTH_BAD = range(len(WINNERS))
SCORES = np.array([1.0, 0.0, 0.5, 0.5])
"""What each of WINNERS is worth to the model on the earlier side."""

BOTH_BAD_RULES = ("half", "omit")
ALL_ALIKE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PairCount:
    """How many pairs were judged alike: one row of a ``GROUP BY`` over the view `pairs`."""

    rater_id: str
    model_a: str
    model_b: str
    winner: str
    weight: float  # of each of the pairs
    longer: int  # 1: the answer of model_a was longer, -1: that of model_b, 0: neither
    count: int


Row = TypeVar("Row", JudgedPair, PairCount)


@dataclass(frozen=True, slots=True, eq=False)
class PairTable:
    """Judged pairs as parallel arrays of n rows; a row stands for `count` pairs that were judged alike.

    Only pairs of two different models with a weight above 0 are rows; the others are counted in `unrated`.
    """

    models: tuple[str, ...]  # sorted, m of them
    first: IntArray  # (n,) index of the model on the earlier side
    second: IntArray  # (n,)
    outcome: IntArray  # (n,) index into WINNERS
    weight: FloatArray  # (n,) of each pair in the rating; 0 for both-bad pairs where they are omitted
    count: IntArray  # (n,) pairs that the row stands for
    longer: IntArray  # (n,) 1: the first answer was longer, -1: the second, 0: neither
    vote: IntArray  # (n,) index of the vote; a row with a count above 1 stands for that many votes
    rater: IntArray  # (n,) index of the rater
    unrated: int  # pairs left out: weight 0

    @classmethod
    def from_judged(
        cls,
        pairs: Iterable[JudgedPair],
        *,
        both_bad: str = "half",
        models: Collection[str] = (),
        weights: Mapping[str, float] = ALL_ALIKE,
    ) -> PairTable:
        """The table of these pairs; `models` are part of it even when no pair names them.

        Args:
            weights: of each vote of some raters; of the others 1.

        Raises:
            InvalidValue: an unknown winner or `both_bad`, a weight that is negative or not finite, or one
                above 0 for a pair of the same model.
        """
        judged = list(pairs)
        rated = _rated(judged)
        return _table(
            rated,
            count=np.ones(len(rated), dtype=np.int64),
            longer=np.sign(_ints([p.chars_a for p in rated]) - _ints([p.chars_b for p in rated])),
            vote=_codes([p.vote_id for p in rated]),
            unrated=len(judged) - len(rated),
            both_bad=both_bad,
            models=models,
            weights=weights,
        )

    @classmethod
    def from_counts(
        cls, counts: Iterable[PairCount], *, both_bad: str = "half", models: Collection[str] = ()
    ) -> PairTable:
        """The same from counted pairs, for battles of two: each pair is taken for a vote of its own.

        Raises:
            InvalidValue: as `from_judged`, or a count below 1.
        """
        counted = list(counts)
        for row in counted:
            if row.count < 1:
                raise InvalidValue(f"{_named(row)}: count is {row.count!r}; valid: 1 or more")
        rated = _rated(counted)
        return _table(
            rated,
            count=_ints([row.count for row in rated]),
            longer=np.sign(_ints([row.longer for row in rated])),
            vote=np.arange(len(rated), dtype=np.int64),
            unrated=sum(row.count for row in counted) - sum(row.count for row in rated),
            both_bad=both_bad,
            models=models,
        )

    @property
    def wins(self) -> FloatArray:
        """Wins, shape (m, m): how often i beat j, in units of weight, ties ½ each."""
        return self.wins_with(self.weight * self.count)

    def wins_with(self, weight: FloatArray) -> FloatArray:
        """The same with other total weights of the rows (n,)."""
        m, score = len(self.models), SCORES[self.outcome]
        won = np.bincount(self.first * m + self.second, weights=weight * score, minlength=m * m)
        lost = np.bincount(self.second * m + self.first, weights=weight * (1 - score), minlength=m * m)
        return np.asarray(won + lost, dtype=np.float64).reshape(m, m)

    @property
    def num_votes(self) -> int:
        """Votes behind the rows."""
        return int(self.repeats_of_vote().sum())

    @property
    def num_raters(self) -> int:
        """Raters behind the rows."""
        return int(self.rater.max(initial=-1)) + 1

    def repeats_of_vote(self) -> IntArray:
        """How many votes each index in `vote` stands for."""
        repeats = np.ones(int(self.vote.max(initial=-1)) + 1, dtype=np.int64)
        repeats[self.vote] = self.count
        return repeats

    def votes_by_rater(self) -> IntArray:
        """Votes of each rater, shape (num_raters,)."""
        repeats = self.repeats_of_vote()
        rater_of_vote = np.zeros_like(repeats)
        rater_of_vote[self.vote] = self.rater
        return _counted(rater_of_vote, repeats, self.num_raters)

    def weight_by_rater(self) -> FloatArray:
        """What these votes weigh together, shape (num_raters,): a vote as much as its rater's heaviest pair."""
        heaviest = np.zeros(self.num_raters)
        np.maximum.at(heaviest, self.rater, self.weight)
        return np.asarray(heaviest * self.votes_by_rater())

    def outcomes_by_model(self) -> IntArray:
        """Pairs of each model by how they ended for it, shape (m, 4): won, lost, tie, both bad."""
        m, kinds = len(self.models), len(WINNERS)
        swapped = np.array([SECOND, FIRST, TIE, BOTH_BAD])[self.outcome]
        as_first = _counted(self.first * kinds + self.outcome, self.count, m * kinds)
        as_second = _counted(self.second * kinds + swapped, self.count, m * kinds)
        return (as_first + as_second).reshape(m, kinds)

    def votes_by_model(self) -> tuple[IntArray, IntArray]:
        """Votes in which each model was judged, shape (m,), and those of them with a pair that was all bad."""
        return self._votes_with(np.ones(len(self.vote), dtype=bool)), self._votes_with(self.outcome == BOTH_BAD)

    def _votes_with(self, rows: BoolArray) -> IntArray:
        m = len(self.models)
        cells = np.concatenate([self.vote[rows] * m + self.first[rows], self.vote[rows] * m + self.second[rows]])
        repeats = self.repeats_of_vote()
        if len(repeats) < len(self.vote):
            cells = np.unique(cells)  # a model stands in several pairs of one vote
        return _counted(cells % max(m, 1), repeats[cells // max(m, 1)], m)


def _counted(index: IntArray, count: IntArray, size: int) -> IntArray:
    return np.bincount(index, weights=count, minlength=size).astype(np.int64)


def _ints(values: list[int]) -> IntArray:
    return np.array(values, dtype=np.int64)


def _codes(names: list[str]) -> IntArray:
    """Each name as an index, in order of first appearance."""
    index = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return _ints([index[name] for name in names])


def _rated(rows: list[Row]) -> list[Row]:
    """The rows with a weight above 0."""
    for row in rows:
        if not (row.weight >= 0 and math.isfinite(row.weight)):
            raise InvalidValue(f"{_named(row)}: weight is {row.weight!r}; valid: 0 or more, finite")
        if row.weight > 0 and row.model_a == row.model_b:
            raise InvalidValue(f"{_named(row)}: weight is {row.weight!r}; for a model and itself it is 0")
        if row.winner not in WINNERS:
            raise InvalidValue(f"{_named(row)}: unknown winner {row.winner!r}; valid: {', '.join(WINNERS)}")
    return [row for row in rows if row.weight > 0]


def _named(row: JudgedPair | PairCount) -> str:
    origin = f"vote {row.vote_id}" if isinstance(row, JudgedPair) else f"rater {row.rater_id}"
    return f"{origin}, {row.model_a} against {row.model_b}"


def _table(
    rated: list[Row],
    *,
    count: IntArray,
    longer: IntArray,
    vote: IntArray,
    unrated: int,
    both_bad: str,
    models: Collection[str],
    weights: Mapping[str, float] = ALL_ALIKE,
) -> PairTable:
    if both_bad not in BOTH_BAD_RULES:
        raise InvalidValue(f"both_bad is {both_bad!r}; valid are: {', '.join(BOTH_BAD_RULES)}")
    names = sorted({*models, *(row.model_a for row in rated), *(row.model_b for row in rated)})
    index = {name: i for i, name in enumerate(names)}
    kinds = {name: i for i, name in enumerate(WINNERS)}
    outcome = _ints([kinds[row.winner] for row in rated])
    weight = np.array([row.weight for row in rated], dtype=np.float64)
    if weights:
        weight *= [weights.get(row.rater_id, 1.0) for row in rated]
    return PairTable(
        models=tuple(names),
        first=_ints([index[row.model_a] for row in rated]),
        second=_ints([index[row.model_b] for row in rated]),
        outcome=outcome,
        weight=np.where(outcome == BOTH_BAD, 0.0, weight) if both_bad == "omit" else weight,
        count=count,
        longer=longer,
        vote=vote,
        rater=_codes([row.rater_id for row in rated]),
        unrated=unrated,
    )
