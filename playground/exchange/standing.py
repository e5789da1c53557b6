"""Reasons why votes do not count, while they stream by: no list of all pairs is kept in memory.

Boundary: applies a policy of `ratings` to rows of the store; `ratings.counting` does the same for a list of pairs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from playground.rater_ids import FREE_PROGRAMS, is_keyed
from playground.ratings.policy import CountingPolicy, ExclusionReason
from playground.records import ExportedVote, JudgedPair, Origin, VoteFilter
from playground.storage.database.filters import conditions
from playground.storage.database.statements import Reading

_NUM_CIRCUMSTANCES = 9
"""The first columns of an `ExportedVote`, which a policy looks at, beside `decision_s`."""


class Standings:
    """The reason against each vote of one snapshot; votes differ in few circumstances, which are looked up."""

    def __init__(self, reading: Reading, policy: CountingPolicy) -> None:
        self._reading = reading
        self._policy = policy
        self._known: dict[tuple[Any, ...], ExclusionReason | None] = {}
        self._policy = self._with_fallback()
        self._known.clear()
        self._beyond = frozenset(self._beyond_the_cap())

    def reason(self, vote: ExportedVote) -> ExclusionReason | None:
        """Return the first reason against a vote; None if it counts."""
        reason = self._own_reason(vote)
        return ExclusionReason.DAILY_CAP if reason is None and vote.vote_row in self._beyond else reason

    def _own_reason(self, vote: ExportedVote) -> ExclusionReason | None:
        """Return the first reason that needs no other votes."""
        quick = vote.decision_s is not None and vote.decision_s < self._policy.min_decision_s
        circumstances = (*vote[:_NUM_CIRCUMSTANCES], quick)
        if circumstances not in self._known:
            self._known[circumstances] = self._policy.reason(_pair(vote))
        reason = self._known[circumstances]
        return ExclusionReason.SAME_MODEL if reason is None and vote.one_model else reason

    def _with_fallback(self) -> CountingPolicy:
        if self._policy.pairs != "drawn":
            return self._policy
        drawn = self._votes(VoteFilter(pairs="drawn"))
        one = next((vote for vote in drawn if self._own_reason(vote) in (None, ExclusionReason.SAME_MODEL)), None)
        return self._policy.with_fallback(() if one is None else (_pair(one),))

    def _beyond_the_cap(self) -> Iterator[int]:
        """Yield the numbers of the votes after each rater's first ones of a day."""
        cap = self._policy.max_votes_per_rater_and_day
        if not cap:
            return
        for rater, day in self._reading.busy_days(cap):
            of_one_day = self._counting(VoteFilter(rater=rater, since=day, until=day))
            yield from [vote.vote_row for vote in of_one_day if not _is_free_program(vote)][cap:]
        if Origin.PROGRAM in self._policy.origins:
            given: Counter[str] = Counter()
            for vote in self._counting(VoteFilter(origin=Origin.PROGRAM)):
                if _is_free_program(vote):
                    given[vote.created_at[:10]] += 1
                    if given[vote.created_at[:10]] > cap:
                        yield vote.vote_row

    def _counting(self, filter: VoteFilter) -> Iterator[ExportedVote]:
        return (vote for vote in self._votes(filter) if self._own_reason(vote) is None)

    def _votes(self, filter: VoteFilter) -> Iterator[ExportedVote]:
        return self._reading.exported_votes(conditions(filter, pairs=False), words=False)


def _is_free_program(vote: ExportedVote) -> bool:
    """Return True if the vote is of a program without a key; all of these are one rater."""
    return vote.rater_id == FREE_PROGRAMS or (vote.origin == Origin.PROGRAM and not is_keyed(vote.rater_id))


def _pair(vote: ExportedVote) -> JudgedPair:
    """Return a pair with the circumstances of a vote, for the policy."""
    flags = (vote.flags or "").split(",")
    return JudgedPair(
        vote_id="",
        battle_id="",
        rater_id="",
        model_a="",
        model_b="",
        winner="tie",
        weight=1.0,
        blind=bool(vote.blind),
        category="",
        chars_a=0,
        chars_b=0,
        decision_s=vote.decision_s,
        created_at="",
        names_itself=bool(vote.names_itself),
        seen_before="seen_before" in flags,
        seen_elsewhere="seen_elsewhere" in flags,
        capped="capped" in flags,
        origin=Origin(vote.origin),
        drawn=bool(vote.drawn),
        own_sampling=bool(vote.own_sampling),
        imported=vote.imported,
        study_extra=bool(vote.study_extra),
        study_running=bool(vote.study_running),
    )
