"""The state of a study: its votes, its battles, and the work of each rater.

Boundary: reads a snapshot, numbers out. For the operator: nothing of it is shown to raters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from playground.errors import Unknown
from playground.ratings.policy import CountingPolicy
from playground.records import Assigned, ItemCount, StoredStudy, StudyRater
from playground.storage.database.statements import Reading
from playground.studies.assignment import Plan
from playground.studies.criteria import CriterionStatus, criteria_of
from playground.studies.decision import Decision, decision_of, study_board
from playground.studies.drift import Comparison, Outcomes, Third, compare, outcomes_of, thirds
from playground.studies.plans import plan_of
from playground.studies.progress import MOST_PAUSE_S

QUICK_S = CountingPolicy().min_decision_s
"""Votes that are decided in less do not count."""


@dataclass(frozen=True, slots=True)
class PairStatus:
    """The battles of one pair of models."""

    model_a: str
    model_b: str
    battles: int
    votes: int


@dataclass(frozen=True, slots=True)
class RaterReport:
    """The work of the holder of one link."""

    number: int
    opened: bool
    check: str  # none | waiting | passed | failed
    votes: int  # that count
    repeats: int
    repeats_alike: int  # judged as the first time
    attention: int
    attention_right: int
    skipped: int  # items and repeats
    attention_skipped: int
    check_skipped: int
    others: Comparison  # with other raters, on the same battles
    thirds: tuple[Third, ...]  # of their votes, in order; none of too few
    quick: int  # votes decided faster than anybody reads two answers
    minutes: float  # from vote to vote, without pauses
    last_vote_at: str | None
    finished_at: str | None


@dataclass(frozen=True, slots=True)
class WrittenStatus:
    """The instructions that raters of a live study wrote."""

    instructions: int
    being_answered: int
    fruitless: int  # without answers to judge: one failed, or they were alike


@dataclass(frozen=True, slots=True)
class StudyStatus:
    """A study at one moment."""

    study: str
    hash: str
    created_at: str
    closed_at: str | None
    why: str | None
    votes: int  # that count
    wanted_votes: int
    reserved: int  # battles that somebody has open
    battles: int
    complete: int  # with every vote that they need
    started: int  # with some
    differing: int  # battles on which raters differ
    unresolved: int  # of these, without a judgement of the operator
    alike: float | None  # share of equal judgements of two raters of a battle; None: no battle has two
    pairs: tuple[PairStatus, ...]
    raters: tuple[RaterReport, ...]
    criteria: tuple[CriterionStatus, ...] = ()
    decision: Decision | None = None  # None: the study ends by its number of votes alone
    written: WrittenStatus | None = None  # None: raters write no instructions


def found_study(reading: Reading, study_id: str) -> StoredStudy:
    """Return a study.

    Raises:
        Unknown: there is none of this id; naming those that there are.
    """
    study = reading.study(study_id)
    if study is None:
        known = ", ".join(reading.study_ids()) or "none yet"
        raise Unknown(f"there is no study {study_id}; the studies here: {known}")
    return study


def status_of(reading: Reading, study: StoredStudy, now: str) -> StudyStatus:
    """Return the state of a study."""
    plan, links = plan_of(reading, study), reading.study_raters(study.id)
    own = {rater.number: reading.assigned(study.id, rater.number) for rater in links}
    outcomes, judged_by_operator = outcomes_of(own), reading.adjudications(study.id)
    reports = tuple(_report(plan, rater, own[rater.number], outcomes) for rater in links)
    pairs = Comparison(sum(one.others.compared for one in reports), sum(one.others.alike for one in reports))
    counts = reading.item_counts(study.id, now)
    judged = {number: count.taken - count.reserved for number, count in counts.items()}
    none = ItemCount()
    complete = sum(
        judged.get(item.number, 0) >= plan.wanted(item, counts.get(item.number, none)) for item in plan.rated
    )
    return StudyStatus(
        study=study.id,
        hash=study.hash,
        created_at=study.created_at,
        closed_at=study.closed_at,
        why=study.why,
        votes=sum(judged.values()),
        wanted_votes=plan.file.votes,
        reserved=sum(count.reserved for count in counts.values()),
        battles=len(plan.rated),
        complete=complete,
        started=sum(votes > 0 for votes in judged.values()) - complete,
        differing=sum(count.differ for count in counts.values()),
        pairs=tuple(_pairs(plan, judged)),
        unresolved=sum(count.differ for number, count in counts.items() if number not in judged_by_operator),
        alike=pairs.share,
        raters=reports,
        criteria=criteria_of(reading, study.id),
        decision=decision_of(study_board(reading, plan.file, now), plan.file) if plan.file.ends else None,
        written=WrittenStatus(*reading.live_counts(study.id)) if plan.file.live else None,
    )


def _pairs(plan: Plan, judged: Mapping[int, int]) -> list[PairStatus]:
    battles: Counter[frozenset[str]] = Counter()
    votes: Counter[frozenset[str]] = Counter()
    for item in plan.rated:
        battles[frozenset(item.models)] += 1
        votes[frozenset(item.models)] += judged.get(item.number, 0)
    return [
        PairStatus(a, b, battles[pair], votes[pair]) for a, b in plan.file.model_pairs for pair in [frozenset((a, b))]
    ]


def _report(plan: Plan, rater: StudyRater, own: Sequence[Assigned], outcomes: Outcomes) -> RaterReport:
    judged = [one for one in own if one.is_judged]
    first = {one.battle: one.outcome for one in own}
    repeats = [one for one in judged if one.kind == "repeat"]
    attention = [one for one in judged if one.kind == "attention"]
    skips = Counter(one.kind for one in own if one.dropped == "skipped")
    times = sorted(one.voted_at for one in judged if one.voted_at)
    gaps = [
        (datetime.fromisoformat(after) - datetime.fromisoformat(before)).total_seconds()
        for before, after in pairwise(times)
    ]
    return RaterReport(
        number=rater.number,
        opened=rater.rater is not None,
        check=rater.check_state.value,
        votes=sum(one.kind == "item" for one in judged),
        repeats=len(repeats),
        repeats_alike=sum(one.outcome == first.get(one.repeat_of or "") for one in repeats),
        attention=len(attention),
        attention_right=sum(one.outcome == plan.by_number[one.item].expected for one in attention),
        skipped=skips["item"] + skips["repeat"],
        attention_skipped=skips["attention"],
        check_skipped=skips["check"],
        others=compare(rater.number, own, outcomes),
        thirds=thirds(rater.number, own, outcomes),
        quick=sum(one.decision_s is not None and one.decision_s < QUICK_S for one in judged),
        minutes=sum(gap for gap in gaps if gap <= MOST_PAUSE_S) / 60,
        last_vote_at=times[-1] if times else None,
        finished_at=rater.finished_at,
    )
