"""Studies as they are stored: their items, the raters of their links, and assignments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from playground.records.prompts import Instruction


class CheckState(StrEnum):
    """The state of a rater's comprehension check."""

    NONE = "none"  # the study has none
    WAITING = "waiting"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StoredStudy:
    """A study without its items."""

    id: str
    hash: str
    file: str  # its keys and values, JSON
    secret: str  # 128 random bits; with them nobody can predict an order from the file
    created_at: str
    closed_at: str | None = None
    why: str | None = None  # it was closed


@dataclass(frozen=True, slots=True)
class ClosedStudy:
    """The end of a study; one that only votes name has an end too."""

    id: str
    closed_at: str
    why: str
    votes: int  # on its items


@dataclass(frozen=True, slots=True)
class StudyItem:
    """Two stored answers to one instruction, in an order that raters do not see."""

    number: int  # from 1
    kind: str  # item | check | attention
    generation_a: str
    generation_b: str
    expected: str | None = None  # a | b | tie | both_bad; None for an item
    instruction_id: str = ""
    models: tuple[str, str] = ("", "")
    rater: int | None = None  # who wrote the instruction of a live study, and alone judges it
    probability: float | None = None  # of the pair of models, where it was drawn by its chance before the item was made


@dataclass(frozen=True, slots=True)
class LiveItem:
    """An instruction that a rater of a live study wrote: two models answer it, and it becomes an item."""

    study: str
    number: int  # from 1
    rater: int  # of the link
    owner: str  # rater of the browser in which it was written
    instruction: Instruction
    models: tuple[str, str]
    seed: int  # of the answers
    probability: float | None  # of the pair of models, if it was drawn by its chance
    created_at: str
    item: int | None = None  # once both answers are written
    failed: str | None = None  # why there is none

    @property
    def is_being_answered(self) -> bool:
        return self.item is None and self.failed is None


@dataclass(frozen=True, slots=True)
class StudyRater:
    """The holder of one personal link."""

    study: str
    number: int  # from 1
    rater: str | None  # of the browser that opened the link last
    check_state: CheckState
    tries: int  # of the check, that were failed
    finished_at: str | None


@dataclass(frozen=True, slots=True)
class Assigned:
    """One battle that a rater of a study got."""

    battle: str
    item: int
    place: int  # from 1, in the rater's own order
    repeat_of: str | None  # battle
    kind: str  # of the battle: item | repeat | check | attention
    state: str  # of the battle
    outcome: str | None  # by the item's order: a | b | tie | both_bad; None without a vote
    voted_at: str | None
    owner: str = ""  # of the battle
    choice: str | None = None  # as it was voted, by side
    decision_s: float | None = None
    dropped: str | None = None  # why a void battle's item does not come to this rater again: skipped | unusable

    @property
    def is_open(self) -> bool:
        return self.state == "open"

    @property
    def is_judged(self) -> bool:
        return self.state in ("voted", "revealed")

    @property
    def is_given_back(self) -> bool:
        """True if the battle ended without its rater, so that its item may come to them again."""
        return self.state == "void" and self.dropped is None


@dataclass(frozen=True, slots=True)
class Adjudication:
    """The operator's own judgement on an item, which is not a vote."""

    item: int
    outcome: str  # by the item's order: a | b | tie | both_bad
    created_at: str


@dataclass(frozen=True, slots=True)
class ItemCount:
    """Battles of one item, without repeats."""

    taken: int = 0  # reserved or judged
    reserved: int = 0
    final: int = 0  # judged, and past the time of an undo
    differ: bool = False  # final judgements are not all alike


@dataclass(frozen=True, slots=True)
class PanelRater:
    """A rater of a study whom a panel sent."""

    study: str
    number: int  # among the study's raters
    id_hash: str  # of the panel's id, keyed by the study
    session_hash: str | None
    entered_at: str
    outcome: str | None = None  # None: still at work
    ended_at: str | None = None


@dataclass(frozen=True, slots=True)
class PanelId:
    """The id of a rater at their panel."""

    study: str
    number: int
    rater: str
    session: str | None
