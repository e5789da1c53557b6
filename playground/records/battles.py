"""Battles: their sides, votes and judged pairs, and the battles of one rater."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from playground.records.criteria import CriterionAnswer
from playground.records.generations import Generation
from playground.records.models import SamplingParams
from playground.records.prompts import Instruction

SIDES = tuple(string.ascii_lowercase[:6])
"""Positions of a battle from left to right; six at the most."""


def overrides_of(overrides: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    """Return the parameters that were set for one side; `overrides` has them for all sides, or by side."""
    if overrides.keys().isdisjoint(SIDES):
        return overrides
    own: Mapping[str, Any] = overrides.get(side, {})
    return own


STUDY_KINDS = ("item", "repeat", "check", "attention")
"""Kinds of battles of a study; only an item is rated."""


class BattleState(StrEnum):
    """The state of a battle; `battles.state_table` says which event leads to which."""

    GENERATING = "generating"
    OPEN = "open"
    VOTED = "voted"
    REVEALED = "revealed"
    VOID = "void"


class Origin(StrEnum):
    """The kind of voter that gave a vote."""

    PERSON = "person"  # on the page
    PROGRAM = "program"  # over the API
    JUDGE = "judge"  # a model that judges
    SHARED = "shared"  # a guest of a shared link


@dataclass(frozen=True, slots=True)
class BattleSide:
    """One position of a battle: drawn when the battle is made, filled when its column has ended."""

    side: str
    model_id: str
    seed: int
    params: SamplingParams
    generation: Generation | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """One judgement, or its undoing (``choice='undo'``); rows are only ever added."""

    id: str
    battle_id: str
    revision: int  # 1 for the first; an undo is a revision of its own
    choice: str
    rater_id: str
    created_at: str
    decision_s: float | None  # from open to the vote, server time
    origin: Origin = Origin.PERSON
    strength: float | None = None  # of the preference, as its study or file gives it; None: not asked
    imported: str | None = None  # name and hash of the file that it was imported from; None: given here


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer to whether the default leaderboard counts a vote now, and the reason if it does not."""

    counts: bool
    why_not: str = ""  # a clause; empty if it counts


@dataclass(frozen=True, slots=True)
class Battle:
    """Two or more generations shown to one rater in a stored order."""

    id: str
    comparison_id: str
    parent_id: str | None
    owner: str
    source: str  # page | api
    blind: bool
    state: BattleState
    instruction: Instruction
    overrides: Mapping[str, Any]  # sampling parameters set for all sides, or by side; empty: as each card says
    sides: tuple[BattleSide, ...]
    created_at: str
    opened_at: str | None = None
    final_at: str | None = None
    void_reason: str | None = None
    vote: Vote | None = None  # the latest revision, None when undone or never cast
    revision: int = 0  # of the latest vote row, undo included
    draw_probability: float | None = None  # of this set of models when the arena drew them; None: chosen
    erased_at: str | None = None  # when its rater had its words erased; instruction and answers are empty then
    hidden_at: str | None = None  # since when an operator hides its words, which are kept
    rated: bool = False  # its rater was given stored answers of somebody else's battle
    study: str | None = None  # id of the study that it is of; None: of none
    study_hash: str | None = None  # of the study's content
    study_kind: str | None = None  # item, or judged beside the items and never rated: repeat | check | attention
    own_words: bool = False  # its rater wrote its instruction, in a live study
    study_rater: int | None = None  # number of the link under which it is judged

    @property
    def good_sides(self) -> tuple[str, ...]:
        """The sides that may be judged."""
        return tuple(s.side for s in self.sides if s.generation is not None and s.generation.good)

    @property
    def withheld(self) -> str:
        """The reason why its words are not shown: ``erased``, ``hidden``, or empty if they are."""
        return "erased" if self.erased_at is not None else "hidden" if self.hidden_at is not None else ""


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """One row of the view `pairs`: two models judged against each other by one vote."""

    vote_id: str
    battle_id: str
    rater_id: str
    model_a: str  # stood on the earlier side, further left
    model_b: str
    winner: str  # model_a | model_b | tie | both_bad
    weight: float  # 0 for a pair of the same model: stored, not rated
    blind: bool
    category: str
    chars_a: int
    chars_b: int
    decision_s: float | None
    created_at: str
    names_itself: bool = False  # an answer of its battle gives its model away
    seen_before: bool = False  # its rater, or that day's network, has seen the answers with their models' names
    seen_elsewhere: bool = False  # another rater's open run has shown one of these answers
    capped: bool = False  # given after the daily cap of its network
    origin: Origin = Origin.PERSON
    drawn: bool = True  # the arena drew the models; else the visitor chose them
    own_sampling: bool = True  # as each card says; else parameters were changed
    strength: float | None = None  # see `Vote`
    imported: str | None = None  # see `Vote`
    study_extra: bool = False  # a repeat, a check or an attention item of a study
    study_running: bool = False  # of a study that is not closed


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The facts of one vote that decide whether it counts, before any other vote; fields as in `JudgedPair`."""

    blind: bool
    decision_s: float | None
    names_itself: bool
    seen_before: bool
    seen_elsewhere: bool
    capped: bool
    origin: Origin
    drawn: bool
    own_sampling: bool
    imported: str | None
    study_extra: bool = False
    study_running: bool = False


@dataclass(frozen=True, slots=True)
class JudgedBattle:
    """A vote that stands, with its battle and the notes on it, as a file has them."""

    vote: Vote
    battle: Battle
    reasons: tuple[str, ...]
    comment: str
    capped: bool = False  # given after the daily cap of its network
    criteria: tuple[CriterionAnswer, ...] = ()  # answers to the further questions of its study


@dataclass(frozen=True, slots=True)
class Belongings:
    """Counts of one rater's stored battles, votes, notes and ids at panels."""

    battles: int  # with their words; also instructions of live studies without a battle
    erased: int  # battles of which only the judgement is left
    votes: int  # that stand, those on erased battles too
    notes: int  # comments, reports, and reasons in words for answers to criteria
    panel_ids: int = 0  # under which panels know the rater


@dataclass(frozen=True, slots=True)
class OwnBattle:
    """A battle in the list of a rater's own."""

    battle_id: str
    created_at: str
    state: BattleState
    start: str  # of the instruction; empty if erased or hidden
    choice: str | None
    erased: bool
    blind: bool = True
    hidden: bool = False  # the operator hides its words
    standing: Standing | None = None  # of its vote; None if there is none, or its rater may not know yet
    of_study: bool = False


@dataclass(frozen=True, slots=True)
class Erased:
    """Counts of the battles and notes whose words an erasure removed, and of the ids of panels."""

    battles: int
    notes: int
    panel_ids: int = 0
