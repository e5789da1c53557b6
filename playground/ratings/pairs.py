"""Judged pairs as arrays: the input of all other computations of this package.

Boundary: turns records into arrays and counts; estimates nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

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
"""Score of the model on the earlier side for each of WINNERS."""

BOTH_BAD_RULES = ("half", "omit")
ALL_ALIKE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class PairTable:
    """Judged pairs as parallel arrays of n rows, one per pair.

    Only pairs of two different models with a weight above 0 are rows; the others are counted in `unrated`.
    """

    models: tuple[str, ...]  # sorted, m of them
    first: IntArray  # (n,) index of the model on the earlier side
    second: IntArray  # (n,)
    outcome: IntArray  # (n,) index into WINNERS
    weight: FloatArray  # (n,) in the rating; 0 for both-bad pairs if they are omitted
    longer: IntArray  # (n,) 1: the first answer was longer, -1: the second, 0: neither
    vote: IntArray  # (n,) index of the vote
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
        """Return the table of these pairs; `models` are part of it even if no pair names them.

        Args:
            weights: of each vote, by rater; 1 for raters that it lacks.

        Raises:
            InvalidValue: an unknown winner or `both_bad`, a weight that is negative or not finite, or one
                above 0 for a pair of the same model.
        """
        if both_bad not in BOTH_BAD_RULES:
            raise InvalidValue(f"both_bad is {both_bad!r}; valid are: {', '.join(BOTH_BAD_RULES)}")
        judged = list(pairs)
        rated = _rated(judged)
        names = sorted({*models, *(p.model_a for p in rated), *(p.model_b for p in rated)})
        index = {name: i for i, name in enumerate(names)}
        kinds = {name: i for i, name in enumerate(WINNERS)}
        outcome = _ints([kinds[p.winner] for p in rated])
        weight = np.array([p.weight * weights.get(p.rater_id, 1.0) for p in rated], dtype=np.float64)
        return cls(
            models=tuple(names),
            first=_ints([index[p.model_a] for p in rated]),
            second=_ints([index[p.model_b] for p in rated]),
            outcome=outcome,
            weight=np.where(outcome == BOTH_BAD, 0.0, weight) if both_bad == "omit" else weight,
            longer=np.sign(_ints([p.chars_a for p in rated]) - _ints([p.chars_b for p in rated])),
            vote=_codes([p.vote_id for p in rated]),
            rater=_codes([p.rater_id for p in rated]),
            unrated=len(judged) - len(rated),
        )

    @property
    def wins(self) -> FloatArray:
        """Wins, shape (m, m): how often i beat j, in units of weight, ties ½ each."""
        return self.wins_with(self.weight)

    def wins_with(self, weight: FloatArray) -> FloatArray:
        """Return the wins with other weights of the rows, shape (n,)."""
        m, score = len(self.models), SCORES[self.outcome]
        won = np.bincount(self.first * m + self.second, weights=weight * score, minlength=m * m)
        lost = np.bincount(self.second * m + self.first, weights=weight * (1 - score), minlength=m * m)
        return np.asarray(won + lost, dtype=np.float64).reshape(m, m)

    @property
    def num_votes(self) -> int:
        return int(self.vote.max(initial=-1)) + 1

    @property
    def num_raters(self) -> int:
        return int(self.rater.max(initial=-1)) + 1

    def votes_by_rater(self) -> IntArray:
        """Return the votes of each rater, shape (num_raters,)."""
        rater_of_vote = np.zeros(self.num_votes, dtype=np.int64)
        rater_of_vote[self.vote] = self.rater
        return np.bincount(rater_of_vote, minlength=self.num_raters)

    def weight_by_rater(self) -> FloatArray:
        """Return the weight of each rater's votes, shape (num_raters,), each taken as their heaviest pair."""
        heaviest = np.zeros(self.num_raters)
        np.maximum.at(heaviest, self.rater, self.weight)
        return np.asarray(heaviest * self.votes_by_rater())

    def outcomes_by_model(self) -> IntArray:
        """Return the pairs of each model by outcome, shape (m, 4): won, lost, tie, both bad."""
        m, kinds = len(self.models), len(WINNERS)
        swapped = np.array([SECOND, FIRST, TIE, BOTH_BAD])[self.outcome]
        cells = np.concatenate([self.first * kinds + self.outcome, self.second * kinds + swapped])
        return np.bincount(cells, minlength=m * kinds).reshape(m, kinds)

    def votes_by_model(self) -> tuple[IntArray, IntArray]:
        """Return the votes in which each model was judged, shape (m,), and those of them with an all-bad pair."""
        return self._votes_with(np.ones(len(self.vote), dtype=bool)), self._votes_with(self.outcome == BOTH_BAD)

    def _votes_with(self, rows: BoolArray) -> IntArray:
        m = len(self.models)
        cells = np.concatenate([self.vote[rows] * m + self.first[rows], self.vote[rows] * m + self.second[rows]])
        if self.num_votes < len(self.vote):
            cells = np.unique(cells)  # a model is in several pairs of one vote
        return np.bincount(cells % max(m, 1), minlength=m)


def _ints(values: list[int]) -> IntArray:
    return np.array(values, dtype=np.int64)


def _codes(names: list[str]) -> IntArray:
    """Return each name as an index, in order of first appearance."""
    index = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return _ints([index[name] for name in names])


def _rated(pairs: list[JudgedPair]) -> list[JudgedPair]:
    """Return the pairs with a weight above 0; raise InvalidValue if any pair is invalid."""
    for pair in pairs:
        problem = ""
        if not (pair.weight >= 0 and math.isfinite(pair.weight)):
            problem = f"weight is {pair.weight!r}; valid: 0 or more, finite"
        elif pair.weight > 0 and pair.model_a == pair.model_b:
            problem = f"weight is {pair.weight!r}; for a model and itself it is 0"
        elif pair.winner not in WINNERS:
            problem = f"unknown winner {pair.winner!r}; valid: {', '.join(WINNERS)}"
        if problem:
            raise InvalidValue(f"vote {pair.vote_id}, {pair.model_a} against {pair.model_b}: {problem}")
    return [pair for pair in pairs if pair.weight > 0]
