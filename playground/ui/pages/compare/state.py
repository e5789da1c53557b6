"""The state of the Compare page, and the table of what each phase allows.

Boundary: values only; every panel renders from a `PageState` and decides nothing by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from playground.ratings.pairing import WhyDrawn
from playground.records import BattleState, BattleView, HeadToHead


class Phase(StrEnum):
    """A row of the table: the empty page, or a state of the battle."""

    COMPOSE = "compose"
    GENERATING = "generating"
    OPEN = "open"
    VOTED = "voted"
    SHARED = "shared"  # somebody else's battle, offered to a guest
    REVEALED = "revealed"
    VOID = "void"


class Bar(StrEnum):
    """A face of the vote bar."""

    ABSENT = "absent"
    OFF = "off"  # choices shown but disabled, with the reason
    ON = "on"
    OFFERED = "offered"
    SAVED = "saved"
    SHOWN = "shown"


class Primary(StrEnum):
    """The main button of the composer."""

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
    starters: bool = False  # the drawer is open
    columns: bool = True
    tools: bool = False  # enlarge, raw, copy, report
    notes: bool = False  # reasons and comment
    timer: bool = False  # ticks when the vote becomes final


TABLE: Mapping[Phase, Allowed] = MappingProxyType(
    {
        Phase.COMPOSE: Allowed(Primary.COMPARE, Bar.ABSENT, starters=True, columns=False),
        Phase.GENERATING: Allowed(Primary.STOP, Bar.OFF),
        Phase.OPEN: Allowed(Primary.AGAIN, Bar.ON, regenerate=True, tools=True),
        Phase.VOTED: Allowed(Primary.NEXT, Bar.SAVED, tools=True, notes=True, timer=True),
        Phase.SHARED: Allowed(Primary.NEXT, Bar.OFFERED, tools=True),
        Phase.REVEALED: Allowed(Primary.NEXT, Bar.SHOWN, tools=True, notes=True),
        Phase.VOID: Allowed(Primary.AGAIN, Bar.ABSENT, regenerate=True, tools=True),
    }
)

_PHASES: Mapping[BattleState, Phase] = MappingProxyType({state: Phase(state.value) for state in BattleState})


@dataclass(frozen=True, slots=True)
class PageState:
    """The input of every panel: the viewer's view of the battle, and a message."""

    view: BattleView | None = None
    message: str = ""  # an error, or what was done; shown in the status line
    is_error: bool = False
    said: str = ""  # what validation removed from the instruction
    no_system: frozenset[str] = frozenset()  # sides whose known model ignored the system text
    met: tuple[HeadToHead, ...] = ()  # the chosen model against the others, once revealed
    why: WhyDrawn | None = None  # these models were drawn, once revealed; None: not known, or no reason
    step: int = 0  # of the tab that asked
    gone: str = ""  # id of a requested battle that is unknown or foreign
    min_decision_s: float = 0.0  # an earlier vote does not count
    again: bool = False  # this battle is drawn already: keep what is being typed beside it

    @property
    def phase(self) -> Phase:
        if self.view is None:
            return Phase.COMPOSE
        return Phase.SHARED if self.view.offered else _PHASES[self.view.state]

    @property
    def allowed(self) -> Allowed:
        return TABLE[self.phase]

    @property
    def opens_in_s(self) -> float:
        """Seconds until the vote bar opens; the leaderboard would not count an earlier vote."""
        if self.view is None or self.view.open_for_s is None:
            return 0.0
        return max(0.0, self.min_decision_s - self.view.open_for_s)
