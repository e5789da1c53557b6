"""Watch of the gates that leave votes out: shares by reason and day, and a warning when one of them jumps.

Boundary: counts of days in, states out; no SQL, no words for visitors.

A gate that breaks leaves out honest votes in silence, and the board looks as it always did. So each gate's share of
today is held against its share of the seven days before. It is a warning if today's number would be less than one in a
thousand likely (binomial) even at the highest share that the seven days allow (95 %, Clopper and Pearson), if it is
five votes or more, and at least twice the earlier share. With too few votes to tell, the state is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scipy.special import bdtrc, betaincinv

from playground.ratings.counting import kind_of, reasons_of
from playground.ratings.policy import CountingPolicy, ExclusionReason
from playground.records import JudgedPair

GATES = (
    ExclusionReason.CAPPED,
    ExclusionReason.TOO_QUICK,
    ExclusionReason.NAMES_ITSELF,
    ExclusionReason.SEEN_BEFORE,
    ExclusionReason.SEEN_ELSEWHERE,
    ExclusionReason.DAILY_CAP,
)
"""Reasons that judge a vote of a kind that counts; the others say of which kind it is, which its voter chose."""
DAYS_BEFORE = 7
FEWEST_TODAY, FEWEST_BEFORE = 20, 50
"""Votes that reached the gates, below which nothing is said."""
FEWEST_LEFT_OUT = 5
TIMES = 2.0
UNLIKELY = 0.001
LEVEL = 0.95


class GateState(StrEnum):
    """The answer of a check."""

    OK = "ok"
    WARNING = "warning"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class GateDay:
    """The votes of one day (UTC)."""

    day: str  # ISO 8601
    votes: int  # all of them
    left_out: Mapping[ExclusionReason, int]  # of them, by the first reason; none of 0

    @property
    def at_gates(self) -> int:
        """The votes that only a gate could leave out."""
        return self.votes - sum(number for reason, number in self.left_out.items() if reason not in GATES)


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One gate today, held against the days before."""

    reason: ExclusionReason
    state: GateState
    left_out: int  # today
    votes: int  # that reached the gates today
    share_before: float | None  # of those of the days before; None without any


@dataclass(frozen=True, slots=True)
class GateWatch:
    """All gates of the last days."""

    days: tuple[GateDay, ...]  # the earliest first, today last
    checks: tuple[GateCheck, ...]  # in the order of `GATES`

    @property
    def state(self) -> GateState:
        """A warning if a gate warns, else unknown if none can tell."""
        states = {check.state for check in self.checks}
        return next((state for state in (GateState.WARNING, GateState.OK) if state in states), GateState.UNKNOWN)

    @property
    def warnings(self) -> tuple[GateCheck, ...]:
        return tuple(check for check in self.checks if check.state is GateState.WARNING)


def day_of(day: str, pairs: Iterable[JudgedPair], policy: CountingPolicy) -> GateDay:
    """Return a day by all of its judged pairs; imported votes, which were given elsewhere, are none of it."""
    judged = [pair for pair in pairs if kind_of(pair) != "imported"]
    reasons = reasons_of(judged, policy)
    return GateDay(day, len({pair.vote_id for pair in judged}), dict(Counter(reasons.values())))


def watch(before: Sequence[GateDay], today: GateDay) -> GateWatch:
    """Return the checks of today against the days before."""
    return GateWatch((*before, today), tuple(_check(reason, before, today) for reason in GATES))


def _check(reason: ExclusionReason, before: Sequence[GateDay], today: GateDay) -> GateCheck:
    earlier, earlier_out = sum(day.at_gates for day in before), sum(day.left_out.get(reason, 0) for day in before)
    votes, left_out = today.at_gates, today.left_out.get(reason, 0)
    share = earlier_out / earlier if earlier else None
    state = GateState.OK
    if share is None or earlier < FEWEST_BEFORE or votes < FEWEST_TODAY:
        state = GateState.UNKNOWN
    elif has_jumped(left_out, votes, earlier_out, earlier):
        state = GateState.WARNING
    return GateCheck(reason, state, left_out, votes, share)


def has_jumped(left_out: int, votes: int, earlier_out: int, earlier: int) -> bool:
    """Return True if so many of today's votes are more than the earlier ones explain."""
    if left_out < FEWEST_LEFT_OUT or left_out / votes < TIMES * earlier_out / earlier or earlier_out == earlier:
        return False
    highest = float(betaincinv(earlier_out + 1, earlier - earlier_out, LEVEL))
    return float(bdtrc(left_out - 1, votes, highest)) < UNLIKELY
