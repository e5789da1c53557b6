"""A rater's own progress in a study.

Boundary: pure; tells nothing of models or of other raters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from playground.records import Assigned, CheckState
from playground.studies.assignment import Situation

FEWEST_VOTES = 5
"""Votes from which a pace is known."""
RECENT_VOTES = 20
MOST_PAUSE_S = 300.0
"""A longer time between two votes is a pause, not pace."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Battles of one rater; repeats and attention items look like any other."""

    done: int
    of: int | None  # None: not known before the check is passed
    left_s: int | None  # None: too few votes to tell


NOBODY = Progress(0, None, None)


def progress_of(now: Situation, links: int) -> Progress:
    """Return a rater's progress; the study's votes are shared evenly among its links, unless it says how many each."""
    judged = now.judged("item", "repeat", "attention")
    if now.rater.check_state in (CheckState.WAITING, CheckState.FAILED):
        return Progress(len(judged), None, None)
    reserved = sum(one.is_open and one.kind == "item" for one in now.own)
    possible = min(now.left(), max(0, now.plan.file.votes - now.taken)) + reserved
    limit = now.plan.file.votes_per_rater
    share = (limit or math.ceil(now.plan.file.votes / max(1, links))) - len(now.judged("item"))
    left = min(possible, max(0, share)) if limit or share > 0 else possible
    pace_s = _pace_s(judged)
    return Progress(len(judged), len(judged) + left, None if pace_s is None else round(left * pace_s))


def _pace_s(judged: Sequence[Assigned]) -> float | None:
    """Return the usual time from one vote to the next."""
    times = sorted(datetime.fromisoformat(one.voted_at) for one in judged if one.voted_at)[-RECENT_VOTES:]
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    usual = [gap for gap in gaps if gap <= MOST_PAUSE_S]
    return median(usual) if len(usual) >= FEWEST_VOTES else None
