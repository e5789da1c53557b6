"""The life of a battle as one table: state × event → next state or refusal, who may, what is sent.

Boundary: data, and the messages for refused visitors; nothing here acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from playground.errors import Refused
from playground.messages import Message
from playground.records import BattleState


class Event(StrEnum):
    """An event in the life of a battle."""

    SIDE_ENDED = "side_ended"  # a column ended, others are still being written
    LAST_ENDED = "last_ended"  # the last column ended, at least two answers are good
    LAST_FAILED = "last_failed"  # the last column ended, fewer than two are good
    VOTE = "vote"  # can be undone for a while
    VOTE_FINAL = "vote_final"  # over the API: final at once
    UNDO = "undo"
    GUESS = "guess"  # which model wrote an answer, if that was asked
    REVEAL = "reveal"  # requested
    SKIP = "skip"  # of a battle that its rater does not want to judge
    TIME_UP = "time_up"  # voted: too late to undo; open: too late to vote
    NOTE = "note"  # reasons and comment about the vote
    REPORT = "report"  # about an answer
    ERASE = "erase"  # of its rater's words, in all of their battles at once
    MODERATE = "moderate"  # its words are hidden or shown again, or its reports reviewed
    VIEW = "view"  # by its owner
    VISIT = "visit"  # by anybody else


class Who(Enum):
    """The parties that may cause an event."""

    ARENA = "the process itself"
    OWNER = "its rater"
    VIEWER = "anyone who may see it"
    ANYONE = "anyone"
    OPERATOR = "the operator of the playground"


class Sends(Enum):
    """The parts of a blind battle that are sent; of an open one everything always is."""

    NOTHING = "nothing"
    PACED = "the texts at one pace, one state for all"
    TEXTS = "the texts and which of them failed"
    REASONS = "the texts, which of them failed, and why, in words of a closed list"
    EVERYTHING = "models, generations, numbers and reasons too"


@dataclass(frozen=True, slots=True)
class Cell:
    """The effect of one event in one state: the next state, or None and a reason."""

    to: BattleState | None
    refuse: str = ""
    sends: Sends = Sends.NOTHING


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event: who may cause it, and its cell in each state."""

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

# A vote in VOTED or REVEALED is a repeat: it is accepted and changes nothing; the stored vote is the answer.
# fmt: off
TABLE: Mapping[Event, EventRow] = {
    # event                     who         generating       open           voted          revealed       void
    Event.SIDE_ENDED:  EventRow(Who.ARENA,  _to(GENERATING), FINAL,         FINAL,         FINAL,         FINAL),
    Event.LAST_ENDED:  EventRow(Who.ARENA,  _to(OPEN),       FINAL,         FINAL,         FINAL,         FINAL),
    Event.LAST_FAILED: EventRow(Who.ARENA,  _to(VOID),       FINAL,         FINAL,         FINAL,         FINAL),
    Event.VOTE:        EventRow(Who.OWNER,  UNFINISHED,      _to(VOTED),    _to(VOTED),    _to(REVEALED), DEAD),
    Event.VOTE_FINAL:  EventRow(Who.OWNER,  UNFINISHED,      _to(REVEALED), _to(VOTED),    _to(REVEALED), DEAD),
    Event.UNDO:        EventRow(Who.OWNER,  UNFINISHED,      _to(OPEN),     _to(OPEN),     FINAL,         DEAD),
    Event.GUESS:       EventRow(Who.OWNER,  UNFINISHED,      UNFINISHED,    _to(REVEALED), FINAL,         DEAD),
    Event.REVEAL:      EventRow(Who.OWNER,  UNFINISHED,      UNFINISHED,    _to(REVEALED), _to(REVEALED), DEAD),
    Event.SKIP:        EventRow(Who.OWNER,  UNFINISHED,      _to(VOID),     FINAL,         FINAL,         DEAD),
    Event.TIME_UP:     EventRow(Who.ARENA,  _to(GENERATING), _to(VOID),     _to(REVEALED), _to(REVEALED), _to(VOID)),
    Event.NOTE:        EventRow(Who.OWNER,  UNFINISHED,      UNFINISHED,    _to(VOTED),    _to(REVEALED), DEAD),
    Event.REPORT:      EventRow(Who.VIEWER, _to(GENERATING), _to(OPEN),     _to(VOTED),    _to(REVEALED), _to(VOID)),
    Event.ERASE:       EventRow(Who.ARENA,  WRITING,         _to(VOID),     _to(REVEALED), _to(REVEALED), _to(VOID)),
    Event.MODERATE:    EventRow(Who.OPERATOR,
                                            _to(GENERATING), _to(OPEN),     _to(VOTED),    _to(REVEALED), _to(VOID)),
    Event.VIEW:        EventRow(Who.OWNER,  _to(GENERATING, Sends.PACED), _to(OPEN, Sends.TEXTS),
                                            _to(VOTED, Sends.TEXTS), _to(REVEALED, Sends.EVERYTHING),
                                            _to(VOID, Sends.REASONS)),
    Event.VISIT:       EventRow(Who.ANYONE, FOREIGN,         FOREIGN,       FOREIGN,
                                            _to(REVEALED, Sends.EVERYTHING), FOREIGN),
}
# fmt: on

REFUSALS: Mapping[str, str] = {
    "unknown": Message("There is no such battle here. It may have been kept in memory only, and is forgotten."),
    "unfinished": Message("Not yet: first every answer has to be finished, then one is chosen."),
    "foreign": Message("This battle belongs to somebody else. It can be seen once its models are revealed."),
    "expired": Message("This battle waited too long for a vote and is closed. Please compare again."),
    "void": Message("Fewer than two answers of this battle can be judged, so it takes no vote. Please compare again."),
    "final": Message("This is final and cannot be changed any more."),
    "unasked": Message("Nothing was asked about this battle."),
    "writing": Message(
        "Answers are still being written, so nothing was erased. Press Stop on that battle first, then erase."
    ),
    "erased": Message("The words of this battle were erased by its rater; nothing can be added to it any more."),
    "hidden": Message(
        "The operator has hidden the words of this battle: nothing can be added to it, and it takes no vote."
    ),
}


def cell(event: Event, state: BattleState) -> Cell:
    found: Cell = getattr(TABLE[event], state.value)
    return found


def refused(reason: str) -> Refused:
    """Return the error for a visitor."""
    return Refused(reason, REFUSALS[reason])
