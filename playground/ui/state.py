"""What the Compare page is in, and what may be done there: the state table of the page, once, as data.

Boundary: values only; every panel renders from a `PageState` and decides nothing by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from playground.records import BattleState, BattleView


class Phase(StrEnum):
    """Rows of the table; all but the first are states of the battle."""

    COMPOSE = "compose"
    GENERATING = "generating"
    OPEN = "open"
    VOTED = "voted"
    REVEALED = "revealed"
    VOID = "void"


class Bar(StrEnum):
    """Faces of the vote bar."""

    ABSENT = "absent"
    OFF = "off"  # choices shown, with the reason why not yet
    ON = "on"
    SAVED = "saved"
    SHOWN = "shown"


class Primary(StrEnum):
    """The composer's main button."""

    COMPARE = "compare"
    STOP = "stop"
    AGAIN = "again"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Allowed:
    """One row of the table."""

    primary: Primary
    bar: Bar
    regenerate: bool = False
    starters: bool = False  # spread out below the composer
    columns: bool = True
    tools: bool = False  # enlarge, raw, copy, report
    notes: bool = False  # reasons and comment
    timer: bool = False  # waits for the reveal


TABLE: Mapping[Phase, Allowed] = MappingProxyType(
    {
        Phase.COMPOSE: Allowed(Primary.COMPARE, Bar.ABSENT, starters=True, columns=False),
        Phase.GENERATING: Allowed(Primary.STOP, Bar.OFF),
        Phase.OPEN: Allowed(Primary.AGAIN, Bar.ON, regenerate=True, tools=True),
        Phase.VOTED: Allowed(Primary.NEXT, Bar.SAVED, tools=True, notes=True, timer=True),
        Phase.REVEALED: Allowed(Primary.NEXT, Bar.SHOWN, tools=True, notes=True),
        Phase.VOID: Allowed(Primary.AGAIN, Bar.ABSENT, regenerate=True, tools=True),
    }
)

_PHASES: Mapping[BattleState, Phase] = MappingProxyType({state: Phase(state.value) for state in BattleState})


@dataclass(frozen=True, slots=True)
class PageState:
    """All that the panels are drawn from: the viewer's view of the battle, and what there is to say."""

    view: BattleView | None = None
    message: str = ""  # what went wrong or was done; beside the composer
    is_error: bool = False
    said: str = ""  # what was taken out of the instruction at the door
    default_columns: int = 2
    no_system: frozenset[str] = frozenset()  # sides known to have no place for the system text that was given
    again: bool = False  # the same battle drawn once more: what is being typed beside it stays

    @property
    def phase(self) -> Phase:
        """The row of the table that applies."""
        return Phase.COMPOSE if self.view is None else _PHASES[self.view.state]

    @property
    def allowed(self) -> Allowed:
        """What may be done now."""
        return TABLE[self.phase]


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser tab keeps between two requests: a cache, never the truth."""

    battle_id: str = ""
    revision: int = 0
    follow: bool = False  # its answers are being written: read on
    said: str = ""  # what was taken out of the instruction at the door
    report_side: str = ""
