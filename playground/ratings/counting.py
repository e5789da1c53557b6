"""Apply a counting policy to all votes: the pairs that count with their weights, and how many do not by reason.

Boundary: judged votes in, the rows that count out. Decided at reading time over all votes: another policy tomorrow
reads the same votes.

A vote is left out whole. A rater with more than the policy's share of what counts is not left out: each of their
votes weighs less, so that all of them together have that share. To keep their first votes and drop the others would
give them the same weight with less information, and would leave the models that came later without them. Sixteen
raters with tastes of their own, one of whom gave 91 of 166 votes on five models: the ratings are off by 44 points
(root mean square), by 48 with that rater's first votes alone, and by 51 if every vote counts in full.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from playground.messages import Message
from playground.ratings.judged import BoolArray, IntArray, JudgedVotes, rater_of
from playground.ratings.policy import CountingPolicy, ExclusionReason
from playground.records import Circumstances, JudgedPair, Origin

K = TypeVar("K")

KINDS: Mapping[str, str] = {
    "people": Message("people"),
    "programs": Message("programs"),
    "judges": Message("judging models"),
    "guests": Message("guests"),
    "chosen_pairs": Message("chosen pairs"),
    "changed_sampling": Message("changed sampling"),
    "open_mode": Message("open mode"),
    "imported": Message("imported"),
}
"""Kinds of votes and their names on the board; each vote is of one: "people 60 · programs 150 · chosen pairs 12"."""
COUNTS = 0
_NUMBER: Mapping[ExclusionReason, int] = {reason: number for number, reason in enumerate(ExclusionReason, start=1)}
_KIND_OF_ORIGIN: Mapping[Origin, str] = {
    Origin.PROGRAM: "programs",
    Origin.JUDGE: "judges",
    Origin.SHARED: "guests",
}


@dataclass(frozen=True, slots=True)
class Exclusion:
    """The number of votes that do not count for one reason."""

    reason: ExclusionReason
    words: str
    votes: int


@dataclass(frozen=True, slots=True, eq=False)
class CountedVotes:
    """The pairs that count, and a summary of the others."""

    rows: BoolArray  # (n,) True for the pairs of votes that count; those of a model with itself too
    num_counted: int  # votes that count
    exclusions: tuple[Exclusion, ...]  # in the order of `ExclusionReason`, none of 0 votes
    votes: int  # all of them, counted or not
    flagged: int  # votes that count or would, but for their flags
    seen_elsewhere: int  # votes that count, on answers that an open run has shown
    weights: Mapping[int, float]  # by rater, of each vote, if their share would be too large; of all others 1
    kinds: Mapping[str, int]  # votes of each of `KINDS`, counted or not


def count(
    votes: JudgedVotes, policy: CountingPolicy, rows: BoolArray | None = None, *, without: BoolArray | None = None
) -> CountedVotes:
    """Return which votes count.

    Args:
        votes: with the quickest decision and the daily cap of the policy.
        rows: report only these pairs, shape (n,); all votes decide which of them count.
        without: votes that are taken as not given, shape (v,).
    """
    reasons = _reasons(votes, policy, without)
    shown = np.ones(len(votes.vote), dtype=bool) if rows is None else rows
    if without is not None:
        shown = shown & ~without[votes.vote]
    shown_votes = votes.of_votes(shown)
    kept = shown & np.isin(reasons, (COUNTS, _NUMBER[ExclusionReason.SAME_MODEL]))[votes.vote]
    left_out = np.bincount(reasons[shown_votes], minlength=len(ExclusionReason) + 1)
    by_kind = np.bincount(votes.kind_of_vote[shown_votes], minlength=len(votes.circumstances))
    rated = votes.of_votes(kept & (votes.weight > 0))
    by_rater = np.bincount(votes.rater[votes.starts[rated]])
    there = np.flatnonzero(by_rater)
    return CountedVotes(
        rows=kept,
        num_counted=int(np.count_nonzero(rated)),
        exclusions=tuple(
            Exclusion(reason, policy.words(reason), int(left_out[number]))
            for reason, number in _NUMBER.items()
            if left_out[number]
        ),
        votes=int(np.count_nonzero(shown_votes)),
        flagged=int(by_kind[_kinds_where(votes, _would_count_unflagged(policy))].sum()),
        seen_elsewhere=int(np.count_nonzero(_kinds_where(votes, _is_seen_elsewhere)[votes.kind_of_vote] & rated)),
        weights=weights_of_raters(
            dict(zip(there.tolist(), by_rater[there].tolist(), strict=True)), policy.max_share_per_rater
        ),
        kinds=_by_name(votes, by_kind),
    )


def _reasons(votes: JudgedVotes, policy: CountingPolicy, without: BoolArray | None) -> IntArray:
    """Return the number of the first reason against each vote, shape (v,); `COUNTS` for none."""
    own = [_NUMBER[reason] if (reason := policy.reason(kind)) else COUNTS for kind in votes.circumstances]
    reasons: IntArray = np.array(own, dtype=np.int64)[votes.kind_of_vote]
    rated = votes.of_votes(votes.weight > 0)
    reasons[~rated & (reasons == COUNTS)] = _NUMBER[ExclusionReason.SAME_MODEL]
    for day in votes.busy_days if policy.max_votes_per_rater_and_day else ():
        given = day if without is None else day[~without[day]]
        counted = given[reasons[given] == COUNTS]
        reasons[counted[policy.max_votes_per_rater_and_day :]] = _NUMBER[ExclusionReason.DAILY_CAP]
    return reasons


def reasons_by_vote(votes: JudgedVotes, policy: CountingPolicy) -> Sequence[ExclusionReason | None]:
    """Return the first reason against each vote, shape (v,); None if it counts."""
    known = (None, *_NUMBER)
    return [known[number] for number in _reasons(votes, policy, None)]


def _kinds_where(votes: JudgedVotes, is_so: Callable[[Circumstances], bool]) -> BoolArray:
    """Return True for each kind of circumstances that is so."""
    return np.array([is_so(kind) for kind in votes.circumstances], dtype=bool)


def _would_count_unflagged(policy: CountingPolicy) -> Callable[[Circumstances], bool]:
    with_flagged = policy.with_flagged(True)
    return lambda kind: (kind.names_itself or kind.seen_before) and with_flagged.reason(kind) is None


def _is_seen_elsewhere(kind: Circumstances) -> bool:
    return kind.seen_elsewhere


def _by_name(votes: JudgedVotes, by_kind: IntArray) -> Mapping[str, int]:
    named = Counter[str]()
    for kind, number in zip(votes.circumstances, by_kind.tolist(), strict=True):
        named[kind_of(kind)] += number
    return {name: named[name] for name in KINDS if named[name]}


def reasons_of(pairs: Sequence[JudgedPair], policy: CountingPolicy) -> Mapping[str, ExclusionReason]:
    """Return the reason of each vote that does not count; `pairs` has every vote of a rater's day."""
    votes = {pair.vote_id: pair for pair in pairs}
    reasons = {vote_id: reason for vote_id, vote in votes.items() if (reason := policy.reason(vote)) is not None}
    rated = {pair.vote_id for pair in pairs if pair.weight > 0}
    reasons |= {
        vote_id: ExclusionReason.SAME_MODEL for vote_id in votes if vote_id not in rated and vote_id not in reasons
    }
    if policy.max_votes_per_rater_and_day:
        others = [vote for vote_id, vote in votes.items() if vote_id not in reasons]
        reasons |= {
            vote.vote_id: ExclusionReason.DAILY_CAP for vote in _beyond(others, policy.max_votes_per_rater_and_day)
        }
    return reasons


def kind_of(pair: Circumstances | JudgedPair) -> str:
    """Return the kind, one of `KINDS`, of a vote."""
    if pair.imported is not None:
        return "imported"
    if pair.origin in _KIND_OF_ORIGIN:
        return _KIND_OF_ORIGIN[pair.origin]
    if not pair.blind:
        return "open_mode"
    if not pair.drawn:
        return "chosen_pairs"
    return "people" if pair.own_sampling else "changed_sampling"


def weights_of_raters(votes: Mapping[K, int], share: float) -> Mapping[K, float]:
    """Return the weight of each vote of the raters who would otherwise have more than a share of the total weight.

    All of them end with the same total weight, the largest that keeps them within the share.
    """
    if len(votes) * share < 2:
        return {}
    most = sorted(votes.values(), reverse=True)
    rest, limit = sum(most), float(most[0])
    for above, number in enumerate(most):
        limit = share * rest / (1 - share * above)  # limit = share · (above · limit + rest)
        if number <= limit:
            break
        rest -= number
    return {rater: limit / number for rater, number in votes.items() if number > limit}


def _beyond(votes: Sequence[JudgedPair], cap: int) -> Iterator[JudgedPair]:
    """Yield the votes after each rater's first `cap` of a day."""
    busy = {rater for rater, number in Counter(map(rater_of, votes)).items() if number > cap}
    days: defaultdict[tuple[str, str], list[JudgedPair]] = defaultdict(list)
    for vote in votes:
        if (rater := rater_of(vote)) in busy:
            days[rater, vote.created_at[:10]].append(vote)
    for of_one_day in days.values():
        yield from sorted(of_one_day, key=lambda vote: (vote.created_at, vote.vote_id))[cap:]
