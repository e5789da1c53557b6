"""All judged pairs of one moment as arrays: the input of counting, whatever policy counts.

Boundary: the arrays, and the rules for a pair; which votes count is decided in `counting`. `stored` reads the arrays of
a database, `gathered` those of records.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from playground.errors import InvalidValue
from playground.rater_ids import FREE_PROGRAMS, is_keyed
from playground.records import Circumstances, JudgedPair, Origin

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

WINNERS = ("model_a", "model_b", "tie", "both_bad")


@dataclass(frozen=True, slots=True, eq=False)
class VoteNetworks:
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
    weight: FloatArray  # (n,) 0 for a pair of the same model
    busy_days: tuple[IntArray, ...]  # votes of one rater on one day, in order of time, where they are more than the cap
    networks: VoteNetworks | None  # None: not known of any vote

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
        study_extra=pair.study_extra,
        study_running=pair.study_running,
    )


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
