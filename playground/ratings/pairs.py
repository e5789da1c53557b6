"""Judged pairs that are rated, as arrays: the input of all other computations of this package.

Boundary: turns judged votes into arrays and counts; estimates nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from playground.errors import InvalidValue
from playground.ratings.judged import WINNERS, JudgedVotes
from playground.ratings.judged import BoolArray as BoolArray
from playground.ratings.judged import FloatArray as FloatArray
from playground.ratings.judged import IntArray as IntArray

FIRST, SECOND, TIE, BOTH_BAD = range(len(WINNERS))
SCORES = np.array([1.0, 0.0, 0.5, 0.5])
"""Score of the model on the earlier side for each of WINNERS."""
SWAPPED = np.array([SECOND, FIRST, TIE, BOTH_BAD])
"""Outcome with the sides swapped, for each of WINNERS."""

BOTH_BAD_RULES = ("half", "omit")
ALL_ALIKE: Mapping[int, float] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class PairTable:
    """Judged pairs as parallel arrays of n rows, one per pair; integers may be narrow ones.

    Only pairs of two different models with a weight above 0 are rows; the others are counted in `unrated`.
    """

    models: tuple[str, ...]  # sorted, m of them
    first: IntArray  # (n,) index of the model on the earlier side
    second: IntArray  # (n,)
    outcome: IntArray  # (n,) index into WINNERS
    weight: FloatArray  # (n,) in the rating; 0 for both-bad pairs if they are omitted
    vote: IntArray  # (n,) index of the vote
    rater: IntArray  # (n,) index of the rater
    unrated: int  # pairs left out: weight 0

    @classmethod
    def of(
        cls,
        votes: JudgedVotes,
        counting: BoolArray,
        *,
        both_bad: str = "half",
        models: Collection[str] = (),
        weights: Mapping[int, float] = ALL_ALIKE,
    ) -> PairTable:
        """Return the table of the pairs that are True in `counting`, shape (n,).

        Args:
            models: part of the table even if no pair names them.
            weights: of each vote, by rater; 1 for raters that it lacks.

        Raises:
            InvalidValue: an unknown `both_bad`.
        """
        if both_bad not in BOTH_BAD_RULES:
            raise InvalidValue(f"both_bad is {both_bad!r}; valid are: {', '.join(BOTH_BAD_RULES)}")
        rated = counting & (votes.weight > 0)
        rows: Any = slice(None) if rated.all() else np.flatnonzero(rated)
        first, second, outcome, rater = (a[rows] for a in (votes.first, votes.second, votes.outcome, votes.rater))
        there = np.flatnonzero(sum(np.bincount(side, minlength=len(votes.models)) for side in (first, second)))
        names = sorted({*models, *(votes.models[number] for number in there)})
        index: Any = np.zeros(len(votes.models), dtype=np.int32)  # narrow: there are millions of them
        index[there] = [names.index(votes.models[number]) for number in there]
        weight = votes.weight[rows] if not weights else votes.weight[rows] * _weights(weights, votes.num_raters)[rater]
        return cls(
            models=tuple(names),
            first=index[first],
            second=index[second],
            outcome=outcome,
            weight=np.where(outcome == BOTH_BAD, 0.0, weight) if both_bad == "omit" else weight,
            vote=closed_up(votes.vote[rows], votes.num_votes),
            rater=closed_up(rater, votes.num_raters),
            unrated=int(np.count_nonzero(counting)) - len(first),
        )

    @property
    def meetings(self) -> IntArray:
        """The two models of each row and its outcome as one number, (first * m + second) * 4 + outcome, shape (n,)."""
        return np.asarray((self.first * len(self.models) + self.second) * len(WINNERS) + self.outcome)

    @cached_property
    def counts(self) -> IntArray:
        """Pairs with model i on the earlier side and j on the later one, by outcome, shape (m, m, 4)."""
        m, kinds = len(self.models), len(WINNERS)
        return np.bincount(self.meetings, minlength=m * m * kinds).reshape(m, m, kinds)

    @cached_property
    def wins(self) -> FloatArray:
        """Wins, shape (m, m): how often i beat j, in units of weight, ties ½ each."""
        return self.wins_with(self.weight)

    def wins_with(self, weight: FloatArray) -> FloatArray:
        """Return the wins with other weights of the rows, shape (n,)."""
        m, kinds = len(self.models), len(WINNERS)
        weights = np.bincount(self.meetings, weights=weight, minlength=m * m * kinds).reshape(m, m, kinds)
        return np.asarray(weights @ SCORES + (weights @ (1 - SCORES)).T, dtype=np.float64)

    @cached_property
    def num_votes(self) -> int:
        return int(self.vote.max(initial=-1)) + 1

    @cached_property
    def num_raters(self) -> int:
        return int(self.rater.max(initial=-1)) + 1

    @cached_property
    def has_one_each(self) -> bool:
        """True if every vote has one row, and none was left out."""
        return self.num_votes == len(self.vote) and int(np.bincount(self.vote).max(initial=0)) <= 1

    @cached_property
    def votes_by_rater(self) -> IntArray:
        """Votes of each rater, shape (num_raters,)."""
        if self.has_one_each:
            return np.bincount(self.rater, minlength=self.num_raters)
        first_rows = np.unique(self.vote, return_index=True)[1]
        return np.bincount(self.rater[first_rows], minlength=self.num_raters)

    @cached_property
    def weight_by_rater(self) -> FloatArray:
        """Weight of each rater's votes, shape (num_raters,), each taken as their heaviest pair."""
        heaviest = np.zeros(self.num_raters)
        np.maximum.at(heaviest, self.rater, self.weight)
        return np.asarray(heaviest * self.votes_by_rater)

    @cached_property
    def outcomes_by_pair(self) -> IntArray:
        """Pairs of model i with model j by outcome for i, shape (m, m, 4): won, lost, tie, both bad."""
        return np.asarray(self.counts + self.counts.transpose(1, 0, 2)[:, :, SWAPPED])

    @property
    def outcomes_by_model(self) -> IntArray:
        """Pairs of each model by outcome, shape (m, 4)."""
        return np.asarray(self.outcomes_by_pair.sum(axis=1))

    @cached_property
    def votes_by_model(self) -> tuple[IntArray, IntArray]:
        """Votes in which each model was judged, shape (m,), and those of them with an all-bad pair."""
        if self.has_one_each:
            return np.asarray(self.outcomes_by_model.sum(axis=1)), self.outcomes_by_model[:, BOTH_BAD]
        return self._votes_with(np.ones(len(self.vote), dtype=bool)), self._votes_with(self.outcome == BOTH_BAD)

    def _votes_with(self, rows: BoolArray) -> IntArray:
        m = len(self.models)
        cells = np.concatenate([self.vote[rows] * m + self.first[rows], self.vote[rows] * m + self.second[rows]])
        return np.bincount(np.unique(cells) % max(m, 1), minlength=m)  # a model is in several pairs of one vote


def closed_up(numbers: IntArray, size: int) -> IntArray:
    """Return the numbers from 0 without gaps, in the same order."""
    there = np.bincount(numbers, minlength=size) > 0
    return numbers if there.all() else np.cumsum(there, dtype=numbers.dtype)[numbers] - 1


def _weights(of_rater: Mapping[int, float], num_raters: int) -> FloatArray:
    """Return the weight of each rater's votes, shape (num_raters,)."""
    weights = np.ones(num_raters)
    weights[list(of_rater)] = list(of_rater.values())
    return weights
