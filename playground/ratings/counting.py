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
from typing import Protocol

from playground.errors import InvalidValue
from playground.raters import FREE_PROGRAMS, is_keyed
from playground.records import Battle, BattleState, JudgedPair, Origin, Standing
from playground.settings import Settings


class Reason(StrEnum):
    """Why a vote does not count, in the order in which they are looked at."""

    BY_PERSON = "by_person"
    BY_PROGRAM = "by_program"
    BY_JUDGE = "by_judge"
    BY_GUEST = "by_guest"
    OPEN_MODE = "open_mode"
    CHOSEN_PAIR = "chosen_pair"
    DRAWN_PAIR = "drawn_pair"
    CHANGED_SAMPLING = "changed_sampling"
    CAPPED = "capped"
    TOO_QUICK = "too_quick"
    SAME_MODEL = "same_model"
    NAMES_ITSELF = "names_itself"
    SEEN_BEFORE = "seen_before"
    SEEN_ELSEWHERE = "seen_elsewhere"
    DAILY_CAP = "daily_cap"


TELLS_MODELS = frozenset(
    {Reason.SAME_MODEL, Reason.NAMES_ITSELF, Reason.SEEN_BEFORE, Reason.SEEN_ELSEWHERE, Reason.DAILY_CAP}
)
"""Reasons that depend on which models answered, the last one because it comes after the others: nobody hears them
while a battle is blind."""

PAIRS = ("drawn", "chosen", "all")
SAMPLINGS = ("card", "all")


@dataclass(frozen=True, slots=True)
class CountingPolicy:
    """What a vote has to be to count; the defaults are the default board's.

    A decision time that is not known (the clock was set back) speaks against nobody. Programs without a key are one
    rater, ``api``, with one cap and one share for all of them: their names are free. A share is only kept where
    there are twice as many raters as it needs (8 for a quarter): below, each would be pulled down to the laziest.
    """

    origins: tuple[Origin, ...] = (Origin.PERSON,)
    blind_only: bool = True
    pairs: str = "drawn"  # of models that were: drawn by the arena | chosen by somebody | all
    sampling: str = "card"  # as each card says | all
    keep_capped: bool = False  # votes above the daily cap of their network
    min_decision_s: float = 1.0  # from the end of the answers to the vote: nobody reads two answers in less; 0: any
    max_votes_per_rater_and_day: int = 200  # by the UTC day, the first ones; 0: any
    max_share_per_rater: float = 0.25  # of the votes that count; 1: any
    leave_out_flagged: bool = True  # an answer names its model, or the rater has seen it with its name
    leave_out_seen_elsewhere: bool = False  # somebody else's open run has shown one of the answers

    def __post_init__(self) -> None:
        if not self.origins or not set(self.origins) <= set(Origin):
            raise InvalidValue(f"origins is {self.origins!r}; valid: one or more of {', '.join(Origin)}")
        if self.pairs not in PAIRS:
            raise InvalidValue(f"pairs is {self.pairs!r}; valid: {', '.join(PAIRS)}")
        if self.sampling not in SAMPLINGS:
            raise InvalidValue(f"sampling is {self.sampling!r}; valid: {', '.join(SAMPLINGS)}")
        if not (self.min_decision_s >= 0 and math.isfinite(self.min_decision_s)):
            raise InvalidValue(f"min_decision_s is {self.min_decision_s!r}; valid: 0 (any) or more seconds")
        if self.max_votes_per_rater_and_day < 0:
            raise InvalidValue(
                f"max_votes_per_rater_and_day is {self.max_votes_per_rater_and_day!r}; valid: 0 (any) or more"
            )
        if not 0 < self.max_share_per_rater <= 1:
            raise InvalidValue(f"max_share_per_rater is {self.max_share_per_rater!r}; valid: above 0, to 1 (any)")

    def reason(self, pair: JudgedPair) -> Reason | None:
        """What speaks against this vote by itself, the first of all reasons that apply."""
        if pair.origin not in self.origins:
            return _BY[pair.origin]
        if self.blind_only and not pair.blind:
            return Reason.OPEN_MODE
        if self.pairs != "all" and pair.drawn != (self.pairs == "drawn"):
            return Reason.DRAWN_PAIR if pair.drawn else Reason.CHOSEN_PAIR
        if self.sampling == "card" and not pair.own_sampling:
            return Reason.CHANGED_SAMPLING
        if pair.capped and not self.keep_capped:
            return Reason.CAPPED
        if pair.decision_s is not None and pair.decision_s < self.min_decision_s:
            return Reason.TOO_QUICK
        if self.leave_out_flagged and pair.names_itself:
            return Reason.NAMES_ITSELF
        if self.leave_out_flagged and pair.seen_before:
            return Reason.SEEN_BEFORE
        if self.leave_out_seen_elsewhere and pair.seen_elsewhere:
            return Reason.SEEN_ELSEWHERE
        return None

    def words(self, reason: Reason) -> str:
        """The reason after a number of votes: "31 decided in under 1 s"."""
        return {
            Reason.BY_PERSON: "by people",
            Reason.BY_PROGRAM: "by programs",
            Reason.BY_JUDGE: "by judging models",
            Reason.BY_GUEST: "by guests of shared links",
            Reason.OPEN_MODE: "in open mode",
            Reason.CHOSEN_PAIR: "on models that somebody chose",
            Reason.DRAWN_PAIR: "on models that were drawn",
            Reason.CHANGED_SAMPLING: "with changed sampling parameters",
            Reason.CAPPED: "above the daily cap of their network",
            Reason.TOO_QUICK: f"decided in under {self.min_decision_s:g} s",
            Reason.SAME_MODEL: "on a model against itself",
            Reason.NAMES_ITSELF: "with an answer that names its model",
            Reason.SEEN_BEFORE: "after the same answers, or an open run of the instruction, were seen",
            Reason.SEEN_ELSEWHERE: "on answers that an open run has shown",
            Reason.DAILY_CAP: f"above {self.max_votes_per_rater_and_day:,} of one rater on one day",
        }[reason]

    def why_not(self, reason: Reason) -> str:
        """Why one vote does not count, after "Not counted: "."""
        return {
            Reason.BY_PERSON: f"a person gave it; the leaderboard counts votes of {self.voters}",
            Reason.BY_PROGRAM: f"a program gave it; the leaderboard counts votes of {self.voters}",
            Reason.BY_JUDGE: f"a judging model gave it; the leaderboard counts votes of {self.voters}",
            Reason.BY_GUEST: f"a guest of a shared link gave it; the leaderboard counts votes of {self.voters}",
            Reason.OPEN_MODE: "the models' names were shown",
            Reason.CHOSEN_PAIR: "the models were chosen or kept, not drawn",
            Reason.DRAWN_PAIR: "the models were drawn, not chosen",
            Reason.CHANGED_SAMPLING: "sampling parameters were changed",
            Reason.CAPPED: "its network had reached the votes that count on one day",
            Reason.TOO_QUICK: f"decided in under {self.min_decision_s:g} s",
            Reason.SAME_MODEL: "a model met itself",
            Reason.NAMES_ITSELF: "an answer names its model",
            Reason.SEEN_BEFORE: "these answers, or an open run of the instruction, were seen before",
            Reason.SEEN_ELSEWHERE: "an open run has shown one of these answers",
            Reason.DAILY_CAP: f"at most {self.max_votes_per_rater_and_day:,} votes of one rater count on one day",
        }[reason]

    def with_flagged(self, counted: bool) -> CountingPolicy:
        """The same, with flagged votes counted or left out."""
        return replace(self, leave_out_flagged=not counted)

    def with_fallback(self, pairs: Iterable[JudgedPair]) -> CountingPolicy:
        """The same; where it wants drawn pairs and no vote on one counts yet, with chosen pairs too."""
        if self.pairs != "drawn" or any(pair.drawn and self.reason(pair) is None for pair in pairs):
            return self
        return replace(self, pairs="all")

    @property
    def voters(self) -> str:
        """Whose votes count, in words."""
        return "anybody" if set(self.origins) == set(Origin) else " and ".join(ORIGINS[o] for o in self.origins)

    @property
    def description(self) -> str:
        """Which votes count, in words."""
        blind = "Blind votes" if self.blind_only else "Blind and open votes"
        pairs = {"drawn": "drawn pairs", "chosen": "chosen pairs", "all": "drawn and chosen pairs"}[self.pairs]
        sampling = {"card": "cards' own sampling", "all": "any sampling"}[self.sampling]
        return f"{blind} of {self.voters} · {pairs} · {sampling}"


ORIGINS: Mapping[Origin, str] = {
    Origin.PERSON: "people",
    Origin.PROGRAM: "programs",
    Origin.JUDGE: "judging models",
    Origin.SHARED: "guests of shared links",
}
_BY: Mapping[Origin, Reason] = {
    Origin.PERSON: Reason.BY_PERSON,
    Origin.PROGRAM: Reason.BY_PROGRAM,
    Origin.JUDGE: Reason.BY_JUDGE,
    Origin.SHARED: Reason.BY_GUEST,
}

EVERY_VOTE = CountingPolicy(
    origins=tuple(Origin),
    blind_only=False,
    pairs="all",
    sampling="all",
    keep_capped=True,
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

    pairs: tuple[JudgedPair, ...]  # in the order given; those of a model with itself too
    exclusions: tuple[Exclusion, ...]  # in the order of `Reason`, none of 0 votes
    votes: int  # all of them, counted or not
    flagged: int  # votes that count or would, but for their flags
    weights: Mapping[str, float]  # of each vote of a rater who would have too large a share; of all others 1
    kinds: Mapping[str, int]  # how many votes there are of each of `KINDS`, counted or not


KINDS: Mapping[str, str] = {
    "people": "people",
    "programs": "programs",
    "judges": "judging models",
    "guests": "guests",
    "chosen_pairs": "chosen pairs",
    "changed_sampling": "changed sampling",
    "open_mode": "open mode",
}
"""Kinds of votes, each vote of one, with their names on the board: "people 60 · programs 150 · chosen pairs 12"."""
_KIND_OF_ORIGIN: Mapping[Origin, str] = {
    Origin.PROGRAM: "programs",
    Origin.JUDGE: "judges",
    Origin.SHARED: "guests",
}


def kind_of(pair: JudgedPair) -> str:
    """Which of `KINDS` the vote of a pair is."""
    if pair.origin in _KIND_OF_ORIGIN:
        return _KIND_OF_ORIGIN[pair.origin]
    if not pair.blind:
        return "open_mode"
    if not pair.drawn:
        return "chosen_pairs"
    return "people" if pair.own_sampling else "changed_sampling"


def count(pairs: Iterable[JudgedPair], policy: CountingPolicy, *, category: str = "") -> Counted:
    """The pairs of the votes that count; the order of `pairs` changes nothing but theirs.

    Args:
        category: only votes on instructions of this one are counted, in or out; whether a vote counts, all decide.
    """
    judged = list(pairs)
    reasons = reasons_of(judged, policy)
    if category:
        judged = [pair for pair in judged if pair.category == category]
    votes = {pair.vote_id: pair for pair in judged}
    kept = tuple(_of_one_rater(pair) for pair in judged if reasons.get(pair.vote_id) in (None, Reason.SAME_MODEL))
    left_out = Counter(reasons[vote_id] for vote_id in votes if vote_id in reasons)
    rated = {pair.vote_id: pair.rater_id for pair in kept if pair.weight > 0}
    in_sight = policy.with_flagged(True)
    kinds = Counter(kind_of(vote) for vote in votes.values())
    return Counted(
        pairs=kept,
        exclusions=tuple(
            Exclusion(reason, policy.words(reason), left_out[reason]) for reason in Reason if left_out[reason]
        ),
        votes=len(votes),
        flagged=sum((v.names_itself or v.seen_before) and in_sight.reason(v) is None for v in votes.values()),
        weights=weights_of_raters(Counter(rated.values()), policy.max_share_per_rater),
        kinds={kind: kinds[kind] for kind in KINDS if kinds[kind]},
    )


def reasons_of(pairs: Sequence[JudgedPair], policy: CountingPolicy) -> Mapping[str, Reason]:
    """Why those votes that do not count do not, by vote; every vote of a rater's day has to be among `pairs`."""
    votes = {pair.vote_id: pair for pair in pairs}
    reasons = {vote_id: reason for vote_id, vote in votes.items() if (reason := policy.reason(vote)) is not None}
    rated = {pair.vote_id for pair in pairs if pair.weight > 0}
    reasons |= {vote_id: Reason.SAME_MODEL for vote_id in votes if vote_id not in rated and vote_id not in reasons}
    if policy.max_votes_per_rater_and_day:
        others = [_of_one_rater(vote) for vote_id, vote in votes.items() if vote_id not in reasons]
        reasons |= {vote.vote_id: Reason.DAILY_CAP for vote in _beyond(others, policy.max_votes_per_rater_and_day)}
    return reasons


def filtered(
    policy: CountingPolicy, *, origin: str = "", pairs: str = "", sampling: str = "", blind_only: bool = True
) -> CountingPolicy:
    """The policy with other votes; an empty text leaves it as it is.

    Args:
        origin: person, program, judge, shared, or all. Of others than people chosen pairs and changed sampling count
            too, unless `pairs` and `sampling` say otherwise: no arena draws for them.

    Raises:
        InvalidValue: an unknown value, naming the valid ones.
    """
    if origin and origin not in (*Origin, "all"):
        raise InvalidValue(f"origin is {origin!r}; valid: {', '.join((*Origin, 'all'))}")
    if origin and origin != Origin.PERSON:
        pairs, sampling = pairs or "all", sampling or "all"
    return replace(
        policy,
        origins=policy.origins if not origin else tuple(Origin) if origin == "all" else (Origin(origin),),
        pairs=pairs or policy.pairs,
        sampling=sampling or policy.sampling,
        blind_only=blind_only,
    )


def default_policy(settings: Settings) -> CountingPolicy:
    """The policy of the default board."""
    return CountingPolicy(pairs="all" if settings.count_chosen else "drawn")


class JudgedVotes(Protocol):
    """What can be asked about stored votes; `Reading` is one."""

    def judged_pairs(self, *, battle_id: str = "", rater_id: str = "", day: str = "") -> Iterator[JudgedPair]: ...
    def has_drawn_vote(self, min_decision_s: float) -> bool: ...
    def count_votes_of(self, rater_id: str, day: str) -> int: ...


def reason_of_battle(votes: JudgedVotes, battle_id: str, policy: CountingPolicy) -> Reason | None:
    """Why the vote that stands on a battle does not count as of now; None where it counts, or there is none."""
    pairs = list(votes.judged_pairs(battle_id=battle_id))
    policy = _as_of_now(votes, pairs, policy)
    reason = next(iter(reasons_of(pairs, policy).values()), None)
    if reason is not None or not pairs or not policy.max_votes_per_rater_and_day:
        return reason
    vote, day = pairs[0], pairs[0].created_at[:10]
    if votes.count_votes_of(vote.rater_id, day) <= policy.max_votes_per_rater_and_day:
        return None
    return reasons_of(list(votes.judged_pairs(rater_id=vote.rater_id, day=day)), policy).get(vote.vote_id)


def reasons_of_rater(votes: JudgedVotes, rater_id: str, policy: CountingPolicy) -> Mapping[str, Reason | None]:
    """The same of every vote of a rater, by battle."""
    pairs = list(votes.judged_pairs(rater_id=rater_id))
    reasons = reasons_of(pairs, _as_of_now(votes, pairs, policy))
    return {pair.battle_id: reasons.get(pair.vote_id) for pair in pairs}


def standing_of(votes: JudgedVotes, battle: Battle, policy: CountingPolicy) -> Standing | None:
    """Whether the vote that stands on a battle counts as of now; None where its rater may not know yet."""
    return told(reason_of_battle(votes, battle.id, policy), battle.state, battle.blind, policy)


def told(reason: Reason | None, state: BattleState, blind: bool, policy: CountingPolicy) -> Standing | None:
    """A reason in words; None while a vote can be undone and the reason, or that there is none, tells of the models."""
    if blind and state is not BattleState.REVEALED and (reason is None or reason in TELLS_MODELS):
        return None
    return Standing(True) if reason is None else Standing(False, policy.why_not(reason))


def _as_of_now(votes: JudgedVotes, pairs: Sequence[JudgedPair], policy: CountingPolicy) -> CountingPolicy:
    """The policy with its fallback; the database is asked only where that decides about one of `pairs`."""
    is_in_question = policy.pairs == "drawn" and any(policy.reason(pair) is Reason.CHOSEN_PAIR for pair in pairs)
    return (
        replace(policy, pairs="all") if is_in_question and not votes.has_drawn_vote(policy.min_decision_s) else policy
    )


def _of_one_rater(pair: JudgedPair) -> JudgedPair:
    """The pair with the rater who stands behind it: all programs without a key are one."""
    if pair.origin is not Origin.PROGRAM or pair.rater_id == FREE_PROGRAMS or is_keyed(pair.rater_id):
        return pair
    return replace(pair, rater_id=FREE_PROGRAMS)


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


def _beyond(votes: Sequence[JudgedPair], cap: int) -> Iterator[JudgedPair]:
    """The votes after each rater's first `cap` ones of a day."""
    busy = {rater for rater, number in Counter(vote.rater_id for vote in votes).items() if number > cap}
    days: defaultdict[tuple[str, str], list[JudgedPair]] = defaultdict(list)
    for vote in votes:
        if vote.rater_id in busy:
            days[vote.rater_id, vote.created_at[:10]].append(vote)
    for of_one_day in days.values():
        yield from sorted(of_one_day, key=lambda vote: (vote.created_at, vote.vote_id))[cap:]
