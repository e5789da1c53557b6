"""All judged pairs of one moment as arrays: the input of counting, whatever policy counts.

Boundary: turns records into arrays; which votes count is decided in `counting`. `stored` reads the same of a database.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from playground.errors import InvalidValue
from playground.raters import FREE_PROGRAMS, is_keyed
from playground.records import Circumstances, JudgedPair, Origin

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

T = TypeVar("T")

WINNERS = ("model_a", "model_b", "tie", "both_bad")
NO_NETWORKS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """The networks of votes, as far as they are known."""

    of_vote: IntArray  # (v,) index into `tags`; -1: not known
    tags: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class JudgedVotes:
    """Parallel arrays of n rows, one per judged pair; those of a vote stand in a row. Integers may be narrow ones."""

    models: tuple[str, ...]  # by number; more than have votes
    categories: tuple[str, ...]  # by number
    circumstances: tuple[Circumstances, ...]  # by number
    num_raters: int  # rater numbers are below it; programs without a key are one rater
    vote: IntArray  # (n,) from 0, in order
    rater: IntArray  # (n,)
    first: IntArray  # (n,) number of the model on the earlier side
    second: IntArray  # (n,)
    category: IntArray  # (n,)
    kind: IntArray  # (n,) number of the vote's circumstances
    outcome: IntArray  # (n,) index into WINNERS
    longer: IntArray  # (n,) 1: the first answer was longer, -1: the second, 0: neither
    weight: FloatArray  # (n,) 0 for a pair of the same model
    busy_days: tuple[IntArray, ...]  # votes of one rater on one day, in order of time, where they are more than the cap
    networks: Networks | None  # None: not known of any vote

    @cached_property
    def num_votes(self) -> int:
        return int(self.vote[-1]) + 1 if len(self.vote) else 0

    @cached_property
    def starts(self) -> IntArray:
        """The first row of each vote, shape (v,)."""
        if self.num_votes == len(self.vote):
            return np.arange(self.num_votes)
        return np.flatnonzero(np.diff(self.vote, prepend=-1))

    @cached_property
    def kind_of_vote(self) -> IntArray:
        """The number of each vote's circumstances, shape (v,)."""
        return self.kind if self.num_votes == len(self.vote) else self.kind[self.starts]

    def of_votes(self, rows: BoolArray) -> BoolArray:
        """Return True for each vote, shape (v,), with a row that is True in `rows`, shape (n,)."""
        if self.num_votes == len(self.vote):
            return rows
        return np.bincount(self.vote[rows], minlength=self.num_votes) > 0

    @classmethod
    def of(
        cls, pairs: Iterable[JudgedPair], *, daily_cap: int = 0, networks: Mapping[str, str] = NO_NETWORKS
    ) -> JudgedVotes:
        """Return the arrays of a list of pairs, the votes in the order of their first pairs.

        Args:
            daily_cap: of a rater's votes on a day; 0: none.
            networks: of votes, as far as they are known: vote id -> tag.

        Raises:
            InvalidValue: an unknown winner, a weight that is negative or not finite, or one above 0 for a pair of the
                same model.
        """
        judged = list(pairs)
        for pair in judged:
            check_pair(pair)
        votes = {vote_id: number for number, vote_id in enumerate(dict.fromkeys(pair.vote_id for pair in judged))}
        judged.sort(key=lambda pair: votes[pair.vote_id])
        of_vote = {pair.vote_id: pair for pair in judged}
        winners = {winner: number for number, winner in enumerate(WINNERS)}
        raters, rater = _numbered([rater_of(of_vote[pair.vote_id]) for pair in judged])
        models, model = _numbered([*(pair.model_a for pair in judged), *(pair.model_b for pair in judged)])
        categories, category = _numbered([pair.category for pair in judged])
        kinds, kind = _numbered([circumstances_of(of_vote[pair.vote_id]) for pair in judged])
        tags = tuple(sorted({tag for vote_id, tag in networks.items() if vote_id in votes}))
        tag_of_vote = _ints([_index(tags, networks.get(vote_id)) for vote_id in votes])
        return cls(
            models=models,
            categories=categories,
            circumstances=kinds,
            num_raters=len(raters),
            vote=_ints([votes[pair.vote_id] for pair in judged]),
            rater=rater,
            first=model[: len(judged)],
            second=model[len(judged) :],
            category=category,
            kind=kind,
            outcome=_ints([winners[pair.winner] for pair in judged]),
            longer=np.sign(_ints([pair.chars_a for pair in judged]) - _ints([pair.chars_b for pair in judged])),
            weight=np.array([pair.weight for pair in judged], dtype=np.float64),
            busy_days=tuple(_busy_days(votes, of_vote, daily_cap)),
            networks=Networks(tag_of_vote, tags) if tags else None,
        )


def rater_of(pair: JudgedPair) -> str:
    """Return the rater of a pair's vote; all programs without a key are one."""
    if pair.origin is not Origin.PROGRAM or pair.rater_id == FREE_PROGRAMS or is_keyed(pair.rater_id):
        return pair.rater_id
    return FREE_PROGRAMS


def circumstances_of(pair: JudgedPair) -> Circumstances:
    return Circumstances(
        blind=pair.blind,
        decision_s=pair.decision_s,
        names_itself=pair.names_itself,
        seen_before=pair.seen_before,
        seen_elsewhere=pair.seen_elsewhere,
        capped=pair.capped,
        origin=pair.origin,
        drawn=pair.drawn,
        own_sampling=pair.own_sampling,
        imported=pair.imported,
    )


def _busy_days(votes: Mapping[str, int], of_vote: Mapping[str, JudgedPair], cap: int) -> Iterable[IntArray]:
    days: defaultdict[tuple[str, str], list[JudgedPair]] = defaultdict(list)
    for pair in of_vote.values() if cap else ():
        days[rater_of(pair), pair.created_at[:10]].append(pair)
    for of_day in days.values():
        if len(of_day) > cap:
            of_day.sort(key=lambda pair: (pair.created_at, pair.vote_id))
            yield _ints([votes[pair.vote_id] for pair in of_day])


def check_pair(pair: JudgedPair) -> None:
    """Raise InvalidValue if the winner or the weight of a pair is none."""
    problem = ""
    if not (pair.weight >= 0 and math.isfinite(pair.weight)):
        problem = f"weight is {pair.weight!r}; valid: 0 or more, finite"
    elif pair.weight > 0 and pair.model_a == pair.model_b:
        problem = f"weight is {pair.weight!r}; for a model and itself it is 0"
    elif pair.winner not in WINNERS:
        problem = f"unknown winner {pair.winner!r}; valid: {', '.join(WINNERS)}"
    if problem:
        raise InvalidValue(f"vote {pair.vote_id}, {pair.model_a} against {pair.model_b}: {problem}")


def _numbered(values: Sequence[T]) -> tuple[tuple[T, ...], IntArray]:
    """Return the different values in order of first appearance, and each value's number."""
    known = {value: number for number, value in enumerate(dict.fromkeys(values))}
    return tuple(known), _ints([known[value] for value in values])


def _index(tags: Sequence[str], tag: str | None) -> int:
    return -1 if tag is None else tags.index(tag)


def _ints(values: Sequence[int]) -> IntArray:
    return np.array(values, dtype=np.int64)
