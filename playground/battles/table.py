"""The life of a battle as one table: state × event → next state or reason of refusal, who may, what is sent.

Boundary: data, and the few words that a refused visitor reads; nothing here acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from playground.errors import Refused
from playground.records import BattleState


class Event(StrEnum):
    """What happens to a battle."""

    SIDE_ENDED = "side_ended"  # a column ended, others are still being written
    LAST_ENDED = "last_ended"  # the last column ended, at least two answers may be judged
    LAST_FAILED = "last_failed"  # the last column ended, fewer than two may be judged
    VOTE = "vote"  # can be undone for a while
    VOTE_FINAL = "vote_final"  # over the API: final at once
    UNDO = "undo"
    REVEAL = "reveal"  # asked for
    TIME_UP = "time_up"  # voted: too late to undo; open: too late to vote
    NOTE = "note"  # reasons and comment about the vote
    REPORT = "report"  # about an answer
    ERASE = "erase"  # its rater has her words erased, of all her battles at once
    VIEW = "view"  # by its owner
    VISIT = "visit"  # by anybody else


class Who(Enum):
    """Who may."""

    ARENA = "the process itself"
    OWNER = "its rater"
    VIEWER = "whoever may see it"
    ANYONE = "anyone"


class Sends(Enum):
    """What of a blind battle is sent; of an open one, everything always."""

    NOTHING = "nothing"
    PACED = "the texts at one pace, one state for all"
    TEXTS = "the texts and which of them failed"
    REASONS = "the texts, which of them failed, and why"
    EVERYTHING = "models, generations, numbers and reasons too"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one event does in one state: the next state, or None and a reason."""

    to: BattleState | None
    refuse: str = ""
    sends: Sends = Sends.NOTHING


@dataclass(frozen=True, slots=True)
class Row:
    """One event: who may, and its cell in each state."""

    who: Who
    generating: Cell
    open: Cell
    voted: Cell
    revealed: Cell
    void: Cell


def _to(state: BattleState, sends: Sends = Sends.NOTHING) -> Cell:
    return Cell(state, sends=sends)


def _no(reason: str) -> Cell:
    return Cell(None, reason)


GENERATING, OPEN, VOTED, REVEALED, VOID = BattleState
UNFINISHED, FOREIGN, DEAD, FINAL = _no("unfinished"), _no("foreign"), _no("void"), _no("final")
WRITING = _no("writing")

# fmt: off
TABLE: Mapping[Event, Row] = {
    # event                who         generating       open           voted          revealed       void
    Event.SIDE_ENDED:  Row(Who.ARENA,  _to(GENERATING), FINAL,         FINAL,         FINAL,         FINAL),
    Event.LAST_ENDED:  Row(Who.ARENA,  _to(OPEN),       FINAL,         FINAL,         FINAL,         FINAL),
    Event.LAST_FAILED: Row(Who.ARENA,  _to(VOID),       FINAL,         FINAL,         FINAL,         FINAL),
    Event.VOTE:        Row(Who.OWNER,  UNFINISHED,      _to(VOTED),    _to(VOTED),    _to(REVEALED), DEAD),
    Event.VOTE_FINAL:  Row(Who.OWNER,  UNFINISHED,      _to(REVEALED), _to(VOTED),    _to(REVEALED), DEAD),
    Event.UNDO:        Row(Who.OWNER,  UNFINISHED,      _to(OPEN),     _to(OPEN),     FINAL,         DEAD),
    Event.REVEAL:      Row(Who.OWNER,  UNFINISHED,      UNFINISHED,    _to(REVEALED), _to(REVEALED), DEAD),
    Event.TIME_UP:     Row(Who.ARENA,  _to(GENERATING), _to(VOID),     _to(REVEALED), _to(REVEALED), _to(VOID)),
    Event.NOTE:        Row(Who.OWNER,  UNFINISHED,      UNFINISHED,    _to(VOTED),    _to(REVEALED), DEAD),
    Event.REPORT:      Row(Who.VIEWER, _to(GENERATING), _to(OPEN),     _to(VOTED),    _to(REVEALED), _to(VOID)),
    Event.ERASE:       Row(Who.ARENA,  WRITING,         _to(VOID),     _to(REVEALED), _to(REVEALED), _to(VOID)),
    Event.VIEW:        Row(Who.OWNER,  _to(GENERATING, Sends.PACED), _to(OPEN, Sends.TEXTS), _to(VOTED, Sends.TEXTS),
                                       _to(REVEALED, Sends.EVERYTHING), _to(VOID, Sends.REASONS)),
    Event.VISIT:       Row(Who.ANYONE, FOREIGN,         FOREIGN,       FOREIGN,
                                       _to(REVEALED, Sends.EVERYTHING), FOREIGN),
}
# fmt: on

REFUSALS: Mapping[str, str] = {
    "unknown": "There is no such battle here. It may have been kept in memory only, and is forgotten.",
    "unfinished": "Not yet: first every answer has to be finished, then one is chosen.",
    "foreign": "This battle belongs to somebody else. It can be seen once its models are revealed.",
    "expired": "This battle waited too long for a vote and is closed. Please compare again.",
    "void": "Fewer than two answers of this battle can be judged, so it takes no vote. Please compare again.",
    "final": "This is final and cannot be changed any more.",
    "writing": "Answers are still being written, so nothing was erased. Press Stop on that battle first, then erase.",
    "erased": "The words of this battle were erased by its rater; nothing can be added to it any more.",
}


def cell(event: Event, state: BattleState) -> Cell:
    """The cell of the table."""
    found: Cell = getattr(TABLE[event], state.value)
    return found


def refused(reason: str) -> Refused:
    """The error for a visitor."""
    return Refused(reason, REFUSALS[reason])
