"""Judged pairs into arrays while they stream by: a million votes take some 50 MB.

Boundary: turns records into arrays; which votes count is decided in `counting`.
"""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import numpy as np

from playground.ratings.judged import WINNERS, IntArray, JudgedVotes, check_pair, circumstances_of, rater_of
from playground.ratings.policy import CountingPolicy
from playground.records import Circumstances, JudgedPair

T = TypeVar("T")


def gather(pairs: Iterable[JudgedPair], policy: CountingPolicy) -> JudgedVotes:
    """Return the arrays of pairs, for policies with the quickest decision and the daily cap of `policy`.

    Args:
        pairs: in order of time, those of a vote together.

    Raises:
        InvalidValue: an unknown winner, a weight that is negative or not finite, or one above 0 for a pair of the
            same model.
    """
    gathering = _Gathering(policy)
    for pair in pairs:
        gathering.add(pair)
    return gathering.votes()


class _Numbered(dict[T, int], Generic[T]):
    """Numbers of values, from 0 in the order of first appearance."""

    def __missing__(self, value: T) -> int:
        self[value] = number = len(self)
        return number


@dataclass(slots=True)
class _Days:
    """Votes of one rater on one day where they are more than a cap; the days come one after another."""

    cap: int
    day: str = ""
    given: defaultdict[int, array[int]] = field(default_factory=lambda: defaultdict(lambda: array("i")))
    busy: list[IntArray] = field(default_factory=list)

    def add(self, vote: int, rater: int, day: str) -> None:
        if day != self.day:
            self.end()
            self.day = day
        self.given[rater].append(vote)

    def end(self) -> None:
        self.busy += [np.array(votes) for votes in self.given.values() if len(votes) > self.cap > 0]
        self.given.clear()


class _Gathering:
    """The arrays as far as they are known."""

    def __init__(self, policy: CountingPolicy) -> None:
        self._quick_s = policy.min_decision_s
        self._vote_id = ""
        self._models, self._categories = _Numbered[str](), _Numbered[str]()
        self._raters, self._kinds = _Numbered[str](), _Numbered[Circumstances]()
        self._days = _Days(policy.max_votes_per_rater_and_day)
        self._columns = {name: array("i") for name in _COLUMNS}
        self._weight = array("d")
        self._num_votes = 0

    def add(self, pair: JudgedPair) -> None:
        """Add the next pair."""
        check_pair(pair)
        rater = self._raters[rater_of(pair)]
        if pair.vote_id != self._vote_id:
            self._vote_id = pair.vote_id
            self._days.add(self._num_votes, rater, pair.created_at[:10])
            self._num_votes += 1
        is_quick = pair.decision_s is not None and pair.decision_s < self._quick_s
        row = (
            self._num_votes - 1,
            rater,
            self._models[pair.model_a],
            self._models[pair.model_b],
            self._categories[pair.category],
            self._kinds[replace(circumstances_of(pair), decision_s=-math.inf if is_quick else None)],
            WINNERS.index(pair.winner),
        )
        for column, value in zip(self._columns.values(), row, strict=True):
            column.append(value)
        self._weight.append(pair.weight)

    def votes(self) -> JudgedVotes:
        """Return what was added."""
        self._days.end()
        columns: dict[str, Any] = {name: np.array(column, dtype=np.int32) for name, column in self._columns.items()}
        return JudgedVotes(
            models=tuple(self._models),
            categories=tuple(self._categories),
            circumstances=tuple(self._kinds),
            num_raters=len(self._raters),
            **columns,
            weight=np.array(self._weight, dtype=np.float64),
            busy_days=tuple(self._days.busy),
            networks=None,
        )


_COLUMNS = ("vote", "rater", "first", "second", "category", "kind", "outcome")
