"""Moderation: battles that an operator looks at, with the reports on them."""

from __future__ import annotations

from dataclasses import dataclass

from playground.records.battles import Battle


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """A report of one answer."""

    side: str | None
    text: str
    created_at: str
    is_new: bool  # given since the operator's last decision on the battle


@dataclass(frozen=True, slots=True)
class ModeratedBattle:
    """A battle with all its words, hidden or not, and its reports, newest first; for the operator only."""

    battle: Battle
    reports: tuple[AnswerReport, ...]


@dataclass(frozen=True, slots=True)
class ModerationCounts:
    """Counts of what waits for the operator, and of what they have hidden."""

    reports: int  # new ones
    reported: int  # battles with a new report
    hidden: int  # battles
