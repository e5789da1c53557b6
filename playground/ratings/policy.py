"""The counting policy: the conditions under which a vote counts, and the words for those that it fails.

Boundary: judges one vote at a time; `counting` applies it to all of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce

from playground.errors import InvalidValue
from playground.messages import Message, joined, marked
from playground.records import Circumstances, JudgedPair, Origin
from playground.settings import Settings


class ExclusionReason(StrEnum):
    """A reason for which a vote does not count; the first that applies is given."""

    STUDY_RUNNING = "study_running"
    STUDY_EXTRA = "study_extra"
    IMPORTED = "imported"
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


PAIRS = ("drawn", "chosen", "all")
SAMPLINGS = ("card", "all")
ORIGINS: Mapping[Origin, str] = {
    Origin.PERSON: marked("people"),
    Origin.PROGRAM: marked("programs"),
    Origin.JUDGE: marked("judging models"),
    Origin.SHARED: marked("guests of shared links"),
}
_PAIRS_IN_WORDS: Mapping[str, str] = {
    "drawn": marked("drawn pairs"),
    "chosen": marked("chosen pairs"),
    "all": marked("drawn and chosen pairs"),
}
_SAMPLING_IN_WORDS: Mapping[str, str] = {"card": marked("cards' own sampling"), "all": marked("any sampling")}
_BY: Mapping[Origin, ExclusionReason] = {
    Origin.PERSON: ExclusionReason.BY_PERSON,
    Origin.PROGRAM: ExclusionReason.BY_PROGRAM,
    Origin.JUDGE: ExclusionReason.BY_JUDGE,
    Origin.SHARED: ExclusionReason.BY_GUEST,
}
_WORDS: Mapping[ExclusionReason, tuple[str, str]] = {
    # after a number of votes, as in "31 decided in under 1 s"; after "Not counted: "
    ExclusionReason.STUDY_RUNNING: (marked("of studies that are still running"), marked("its study is still running")),
    ExclusionReason.STUDY_EXTRA: (
        marked("repeats, checks and attention items of studies"),
        marked("it was a repeat, a check or an attention item of its study"),
    ),
    ExclusionReason.IMPORTED: (marked("imported"), marked("it was imported from a file")),
    ExclusionReason.BY_PERSON: (
        marked("by people"),
        marked("a person gave it; the leaderboard counts votes of {voters}"),
    ),
    ExclusionReason.BY_PROGRAM: (
        marked("by programs"),
        marked("a program gave it; the leaderboard counts votes of {voters}"),
    ),
    ExclusionReason.BY_JUDGE: (
        marked("by judging models"),
        marked("a judging model gave it; the leaderboard counts votes of {voters}"),
    ),
    ExclusionReason.BY_GUEST: (
        marked("by guests of shared links"),
        marked("a guest of a shared link gave it; the leaderboard counts votes of {voters}"),
    ),
    ExclusionReason.OPEN_MODE: (marked("in open mode"), marked("the models' names were shown")),
    ExclusionReason.CHOSEN_PAIR: (
        marked("on models that somebody chose"),
        marked("the models were chosen or kept, not drawn"),
    ),
    ExclusionReason.DRAWN_PAIR: (marked("on models that were drawn"), marked("the models were drawn, not chosen")),
    ExclusionReason.CHANGED_SAMPLING: (
        marked("with changed sampling parameters"),
        marked("sampling parameters were changed"),
    ),
    ExclusionReason.CAPPED: (
        marked("above the daily cap of their network"),
        marked("its network had reached the votes that count on one day"),
    ),
    ExclusionReason.TOO_QUICK: (
        marked("decided in under {min_decision_s:g} s"),
        marked("decided in under {min_decision_s:g} s"),
    ),
    ExclusionReason.SAME_MODEL: (marked("on a model against itself"), marked("a model met itself")),
    ExclusionReason.NAMES_ITSELF: (marked("with an answer that names its model"), marked("an answer names its model")),
    ExclusionReason.SEEN_BEFORE: (
        marked("after the same answers, or an open run of the instruction, were seen"),
        marked("these answers, or an open run of the instruction, were seen before"),
    ),
    ExclusionReason.SEEN_ELSEWHERE: (
        marked("on answers that an open run has shown"),
        marked("an open run has shown one of these answers"),
    ),
    ExclusionReason.DAILY_CAP: (
        marked("above {daily:,} of one rater on one day"),
        marked("at most {daily:,} votes of one rater count on one day"),
    ),
}


@dataclass(frozen=True, slots=True)
class CountingPolicy:
    """The conditions; the defaults are the default board's.

    A decision time that is unknown (the clock was set back) excludes nobody. Programs without a key count as one
    rater, ``api``, because their names are free. The cap on a rater's share needs twice as many raters as would fill
    it (8 for a quarter): with fewer, each would be pulled down to the one with the fewest votes.
    """

    origins: tuple[Origin, ...] = (Origin.PERSON,)
    blind_only: bool = True
    pairs: str = "drawn"  # of models that were: drawn by the arena | chosen by somebody | all
    sampling: str = "card"  # as each card says | all
    keep_capped: bool = False  # votes above the daily cap of their network
    keep_imported: bool = False  # votes that were imported from a file
    min_decision_s: float = 1.0  # from the end of the answers to the vote: nobody reads two answers in less; 0: any
    max_votes_per_rater_and_day: int = 200  # by the UTC day, the first ones; 0: any
    max_share_per_rater: float = 0.25  # of the votes that count; 1: any
    leave_out_flagged: bool = True  # an answer names its model, or the rater has seen it with its name
    leave_out_seen_elsewhere: bool = False  # somebody else's open run has shown one of the answers
    keep_study_extras: bool = False  # repeats and checks of studies: for agreement, never for ratings
    keep_running_studies: bool = False  # votes of studies that are not closed: raters would see what others voted

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

    def reason(self, pair: Circumstances | JudgedPair) -> ExclusionReason | None:
        """Return the first reason against this vote, as far as it needs no other votes; None if it counts."""
        if pair.study_running and not self.keep_running_studies:
            return ExclusionReason.STUDY_RUNNING
        if pair.study_extra and not self.keep_study_extras:
            return ExclusionReason.STUDY_EXTRA
        if pair.imported is not None and not self.keep_imported:
            return ExclusionReason.IMPORTED
        if pair.origin not in self.origins:
            return _BY[pair.origin]
        if self.blind_only and not pair.blind:
            return ExclusionReason.OPEN_MODE
        if self.pairs != "all" and pair.drawn != (self.pairs == "drawn"):
            return ExclusionReason.DRAWN_PAIR if pair.drawn else ExclusionReason.CHOSEN_PAIR
        if self.sampling == "card" and not pair.own_sampling:
            return ExclusionReason.CHANGED_SAMPLING
        if pair.capped and not self.keep_capped:
            return ExclusionReason.CAPPED
        if pair.decision_s is not None and pair.decision_s < self.min_decision_s:
            return ExclusionReason.TOO_QUICK
        if self.leave_out_flagged and pair.names_itself:
            return ExclusionReason.NAMES_ITSELF
        if self.leave_out_flagged and pair.seen_before:
            return ExclusionReason.SEEN_BEFORE
        if self.leave_out_seen_elsewhere and pair.seen_elsewhere:
            return ExclusionReason.SEEN_ELSEWHERE
        return None

    def words(self, reason: ExclusionReason) -> str:
        """Return the reason as it reads after a number of votes: "31 decided in under 1 s"."""
        return self._filled(_WORDS[reason][0])

    def why_not(self, reason: ExclusionReason) -> str:
        """Return the reason for one vote, as it reads after "Not counted: "."""
        return self._filled(_WORDS[reason][1])

    def _filled(self, words: str) -> str:
        fields = {
            "voters": self.voters,
            "min_decision_s": self.min_decision_s,
            "daily": self.max_votes_per_rater_and_day,
        }
        return Message(words, **{name: field for name, field in fields.items() if f"{{{name}" in words})

    def with_flagged(self, counted: bool) -> CountingPolicy:
        """Return the policy with flagged votes counted or left out."""
        return replace(self, leave_out_flagged=not counted)

    def with_fallback(self, pairs: Iterable[Circumstances | JudgedPair]) -> CountingPolicy:
        """Return a policy that counts chosen pairs too, if this one wants drawn pairs and no vote on one counts."""
        if self.pairs != "drawn" or any(pair.drawn and self.reason(pair) is None for pair in pairs):
            return self
        return replace(self, pairs="all")

    @property
    def voters(self) -> str:
        """The origins whose votes count, in words."""
        if set(self.origins) == set(Origin):
            return Message("anybody")
        voters = [Message(ORIGINS[origin]) for origin in self.origins]
        return reduce(lambda some, last: Message("{names} and {last}", names=some, last=last), voters)

    @property
    def description(self) -> str:
        """The votes that count, in words."""
        votes = marked("Blind votes of {voters}") if self.blind_only else marked("Blind and open votes of {voters}")
        parts = (
            Message(votes, voters=self.voters),
            Message(_PAIRS_IN_WORDS[self.pairs]),
            Message(_SAMPLING_IN_WORDS[self.sampling]),
            Message("imported votes too") if self.keep_imported else "",
        )
        return joined(" · ", parts)


EVERY_VOTE = CountingPolicy(
    origins=tuple(Origin),
    blind_only=False,
    pairs="all",
    sampling="all",
    keep_capped=True,
    keep_imported=True,
    min_decision_s=0.0,
    max_votes_per_rater_and_day=0,
    max_share_per_rater=1.0,
    leave_out_flagged=False,
)
"""Every vote but repeats and checks of studies, and votes of studies that are still running."""


def default_policy(settings: Settings) -> CountingPolicy:
    """Return the policy of the default board."""
    return CountingPolicy(pairs="all" if settings.count_chosen else "drawn")


def operator_policy(settings: Settings) -> CountingPolicy:
    """Return the default policy as commands apply it: studies that are still running count too."""
    return replace(default_policy(settings), keep_running_studies=True)


def filtered(
    policy: CountingPolicy,
    *,
    origin: str = "",
    pairs: str = "",
    sampling: str = "",
    blind_only: bool = True,
    imported: bool = False,
) -> CountingPolicy:
    """Return the policy with other votes; an empty text leaves it as it is.

    Args:
        origin: person, program, judge, shared, or all. Unless it is person, chosen pairs and changed sampling count
            too by default: the arena draws for people only.
        imported: count imported votes too. Chosen pairs and changed sampling then count as well by default: most
            formats say neither.

    Raises:
        InvalidValue: an unknown value.
    """
    if origin and origin not in (*Origin, "all"):
        raise InvalidValue(f"origin is {origin!r}; valid: {', '.join((*Origin, 'all'))}")
    if (origin and origin != Origin.PERSON) or imported:
        pairs, sampling = pairs or "all", sampling or "all"
    return replace(
        policy,
        origins=policy.origins if not origin else tuple(Origin) if origin == "all" else (Origin(origin),),
        pairs=pairs or policy.pairs,
        sampling=sampling or policy.sampling,
        blind_only=blind_only,
        keep_imported=imported or policy.keep_imported,
    )
