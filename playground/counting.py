"""Which votes count, which do not, and why: decided at reading time, over everything that is stored.

Boundary: judged pairs in, judged pairs out. Nothing is stored and nothing deleted: another policy tomorrow reads the
same votes.

A vote is left out whole, for the first reason that applies. A rater with more than the stated share of what counts
is not left out: each of her votes weighs less, so that all of them together have that share. To keep her first votes
and drop the others would give her the same weight with less information, and would leave those models without her
that came later. Sixteen raters with tastes of their own, one of whom gave 91 of 166 votes on five models: the ratings
are off by 44 points (root mean square), by 48 with her first votes alone, and by 51 where every vote counts in full.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from playground.errors import InvalidValue
from playground.records import JudgedPair


class Reason(StrEnum):
    """Why a vote does not count, in the order in which they are looked at."""

    OPEN_MODE = "open_mode"
    TOO_QUICK = "too_quick"
    NAMES_ITSELF = "names_itself"
    SEEN_BEFORE = "seen_before"
    DAILY_CAP = "daily_cap"


FLAGS = frozenset({Reason.NAMES_ITSELF, Reason.SEEN_BEFORE})


@dataclass(frozen=True, slots=True)
class CountingPolicy:
    """What a vote has to be to count.

    A decision time that is not known (the clock was set back) speaks against nobody. Whoever votes over the API
    without a name is the one rater ``api``, with one cap and one share for all of them. A share is only kept where
    there are twice as many raters as it needs (8 for a quarter): below, each would be pulled down to the laziest.
    """

    blind_only: bool = True
    min_decision_s: float = 1.0  # from the end of the answers to the vote: nobody reads two answers in less; 0: any
    max_votes_per_rater_and_day: int = 200  # by the UTC day, the first ones; 0: any
    max_share_per_rater: float = 0.25  # of the votes that count; 1: any
    leave_out_flagged: bool = True  # an answer names its model, or the rater has seen it with its name

    def __post_init__(self) -> None:
        if not (self.min_decision_s >= 0 and math.isfinite(self.min_decision_s)):
            raise InvalidValue(f"min_decision_s is {self.min_decision_s!r}; valid: 0 (any) or more seconds")
        if self.max_votes_per_rater_and_day < 0:
            raise InvalidValue(
                f"max_votes_per_rater_and_day is {self.max_votes_per_rater_and_day!r}; valid: 0 (any) or more"
            )
        if not 0 < self.max_share_per_rater <= 1:
            raise InvalidValue(f"max_share_per_rater is {self.max_share_per_rater!r}; valid: above 0, to 1 (any)")

    def reason(self, pair: JudgedPair) -> Reason | None:
        """What speaks against this vote by itself."""
        if self.blind_only and not pair.blind:
            return Reason.OPEN_MODE
        if pair.decision_s is not None and pair.decision_s < self.min_decision_s:
            return Reason.TOO_QUICK
        if self.leave_out_flagged and pair.names_itself:
            return Reason.NAMES_ITSELF
        if self.leave_out_flagged and pair.seen_before:
            return Reason.SEEN_BEFORE
        return None

    def words(self, reason: Reason) -> str:
        """The reason after a number of votes: "31 decided in under 1 s"."""
        return {
            Reason.OPEN_MODE: "in open mode",
            Reason.TOO_QUICK: f"decided in under {self.min_decision_s:g} s",
            Reason.NAMES_ITSELF: "with an answer that names its model",
            Reason.SEEN_BEFORE: "after the same answers, or an open run of the instruction, were seen",
            Reason.DAILY_CAP: f"above {self.max_votes_per_rater_and_day:,} of one rater on one day",
        }[reason]

    def with_flagged(self, counted: bool) -> CountingPolicy:
        """The same, with flagged votes counted or left out."""
        return replace(self, leave_out_flagged=not counted)


EVERY_VOTE = CountingPolicy(
    blind_only=False,
    min_decision_s=0.0,
    max_votes_per_rater_and_day=0,
    max_share_per_rater=1.0,
    leave_out_flagged=False,
)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """How many votes do not count for one reason."""

    reason: Reason
    words: str
    votes: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The pairs that count, and what became of the others."""

    pairs: tuple[JudgedPair, ...]  # in the order given
    exclusions: tuple[Exclusion, ...]  # in the order of `Reason`, none of 0 votes
    votes: int  # all of them, counted or not
    flagged: int  # votes that count or would, but for their flags
    weights: Mapping[str, float]  # of each vote of a rater who would have too large a share; of all others 1


def count(pairs: Iterable[JudgedPair], policy: CountingPolicy, *, category: str = "") -> Counted:
    """The pairs of the votes that count; the order of `pairs` changes nothing but theirs.

    Args:
        category: only votes on instructions of this one are counted, in or out; whether a vote counts, all decide.
    """
    judged = list(pairs)
    votes = {pair.vote_id: pair for pair in judged}
    reasons = _reasons(votes, policy)
    if category:
        judged = [pair for pair in judged if pair.category == category]
        votes = {vote_id: vote for vote_id, vote in votes.items() if vote.category == category}
    kept = tuple(pair for pair in judged if pair.vote_id not in reasons) if reasons else tuple(judged)
    left_out = Counter(reasons[vote_id] for vote_id in votes if vote_id in reasons)
    rated = {pair.vote_id: pair.rater_id for pair in kept if pair.weight > 0}
    in_sight = policy.with_flagged(True)
    return Counted(
        pairs=kept,
        exclusions=tuple(
            Exclusion(reason, policy.words(reason), left_out[reason]) for reason in Reason if left_out[reason]
        ),
        votes=len(votes),
        flagged=sum((v.names_itself or v.seen_before) and in_sight.reason(v) is None for v in votes.values()),
        weights=weights_of_raters(Counter(rated.values()), policy.max_share_per_rater),
    )


def counted_votes(pairs: Iterable[JudgedPair], policy: CountingPolicy) -> frozenset[str]:
    """The ids of the votes that count."""
    return frozenset(pair.vote_id for pair in count(pairs, policy).pairs)


def weights_of_raters(votes: Mapping[str, int], share: float) -> Mapping[str, float]:
    """What each vote weighs of a rater who would else have more than this share of the total weight.

    All whom it concerns have the same weight in the end, the largest that keeps them within the share.
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


def _reasons(votes: Mapping[str, JudgedPair], policy: CountingPolicy) -> Mapping[str, Reason]:
    """Why those votes that do not count do not."""
    reasons = {vote_id: reason for vote_id, vote in votes.items() if (reason := policy.reason(vote)) is not None}
    if policy.max_votes_per_rater_and_day:
        others = [vote for vote_id, vote in votes.items() if vote_id not in reasons]
        reasons |= {vote.vote_id: Reason.DAILY_CAP for vote in _beyond(others, policy.max_votes_per_rater_and_day)}
    return reasons


def _beyond(votes: Sequence[JudgedPair], cap: int) -> Iterator[JudgedPair]:
    """The votes after each rater's first `cap` ones of a day."""
    busy = {rater for rater, number in Counter(vote.rater_id for vote in votes).items() if number > cap}
    days: defaultdict[tuple[str, str], list[JudgedPair]] = defaultdict(list)
    for vote in votes:
        if vote.rater_id in busy:
            days[vote.rater_id, vote.created_at[:10]].append(vote)
    for of_one_day in days.values():
        yield from sorted(of_one_day, key=lambda vote: (vote.created_at, vote.vote_id))[cap:]
