"""Views of a battle: its columns while they are written, and the part that one viewer may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from playground.records.battles import BattleState, Standing
from playground.records.criteria import CriterionAnswer
from playground.records.generations import FinishReason, Generation
from playground.records.guesses import Question
from playground.records.models import ModelCard
from playground.records.prompts import Instruction


class ColumnState(StrEnum):
    """The state of one column, as the API spells it."""

    WAITING = "waiting"
    LOADING = "loading"
    WRITING = "writing"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """A column while it is being written."""

    side: str
    state: ColumnState
    text: str = ""
    status: str = ""  # a phrase: "loading, about 4 s", "2 before you"
    error: str | None = None
    num_tokens: int = 0
    first_token_s: float | None = None
    duration_s: float | None = None
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class ColumnView:
    """The part of a column that one viewer may see; the only form in which a column leaves the server."""

    side: str
    state: ColumnState
    text: str
    status: str
    error: str | None
    finish_reason: FinishReason | None = None  # None while blind
    card: ModelCard | None = None  # None while blind
    generation: Generation | None = None  # None while blind, and while writing
    num_tokens: int | None = None
    tokens_per_s: float | None = None
    first_token_s: float | None = None
    reasoning: str = ""  # empty while blind


@dataclass(frozen=True, slots=True)
class HeadToHead:
    """The blind votes of this playground on the models of two sides."""

    side: str
    other: str
    wins: int  # of the model of `side`
    votes: int  # on both; ties and all-bad votes too


@dataclass(frozen=True, slots=True)
class BattleView:
    """The part of a battle that one viewer may see; page and API render nothing else."""

    battle_id: str
    state: BattleState
    blind: bool
    revision: int
    instruction: Instruction
    overrides: Mapping[str, Any]
    columns: tuple[ColumnView, ...]
    good_sides: tuple[str, ...]  # empty until the battle is open
    may_vote: bool
    mine: bool
    stored: bool  # False: kept in memory only, counts nowhere
    choice: str | None = None
    final_in_s: float | None = None  # while voted: until the reveal
    open_for_s: float | None = field(default=None, compare=False)  # while open: since the last answer ended
    void_reason: str | None = None
    reasons: tuple[str, ...] = ()
    comment: str = ""
    criteria: tuple[CriterionAnswer, ...] = ()  # given with the vote, in a study
    erased: bool = False  # its rater had its words erased
    hidden: bool = False  # the operator hides its words
    offered: bool = False  # somebody else's, shown to a guest of its link who may vote blind; models and vote left out
    standing: Standing | None = None  # of the vote; None if there is none, or it is not the viewer's
    question: Question | None = None  # which model wrote an answer, asked of the viewer with their vote
    votes_today: int | None = None  # of its rater on the page, this one too; None without a stored vote of the viewer's

    @property
    def may_rank(self) -> bool:
        """True if an order says more than a choice, and the viewer may give one."""
        return self.mine and len(self.columns) > 2

    @property
    def withheld(self) -> bool:
        """True if its words are not shown."""
        return self.erased or self.hidden
