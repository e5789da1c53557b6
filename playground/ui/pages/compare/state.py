"""What the Compare page is in, and what may be done there: the state table of the page, once, as data.

Boundary: values only; every panel renders from a `PageState` and decides nothing by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from playground.errors import InvalidValue
from playground.records import BattleState, BattleView

MAX_ID_CHARS = 100
MAX_SAID_CHARS = 400
MAX_STEP = 2**31


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
    step: int = 0  # of the tab that asked
    gone: str = ""  # the battle that was asked for, and is not to be seen
    min_decision_s: float = 0.0  # how long a battle has to be open before a vote counts
    again: bool = False  # the same battle drawn once more: what is being typed beside it stays

    @property
    def phase(self) -> Phase:
        """The row of the table that applies."""
        return Phase.COMPOSE if self.view is None else _PHASES[self.view.state]

    @property
    def allowed(self) -> Allowed:
        """What may be done now."""
        return TABLE[self.phase]

    @property
    def opens_in_s(self) -> float:
        """Seconds until the vote bar opens: the leaderboard leaves out a vote that was decided sooner."""
        if self.view is None or self.view.open_for_s is None:
            return 0.0
        return max(0.0, self.min_decision_s - self.view.open_for_s)


@dataclass(frozen=True, slots=True)
class Shown:
    """The battle that a tab shows, as the tab says.

    The server keeps nothing of a tab, so a restart loses nothing: every call names its battle. The name is a key to
    look the battle up by; who may do what with it is decided by the rater's cookie and the database.
    """

    battle_id: str = ""
    revision: int | None = None  # of the battle, when it was drawn
    step: int = 0  # counts what the tab was told to show: a reply to an earlier step is not drawn last
    said: str = ""  # what was taken out of the instruction at the door
    again: bool = False  # the tab has drawn this battle already: what is being typed beside it stays
    choice: str = ""  # of the button that was pressed, by the page's own word

    @classmethod
    def read(cls, sent: object) -> Shown:
        """Return what the page's script sent; nothing sent is no battle.

        Raises:
            InvalidValue: it is not what the script sends.
        """
        if sent is None:
            return cls()
        if not isinstance(sent, dict) or not sent.keys() <= _SENT:
            raise InvalidValue("the page sent something else than the battle that it shows; reload it")
        return cls(
            _text("battle", sent.get("battle", ""), MAX_ID_CHARS),
            _whole("revision", sent.get("revision")),
            _whole("step", sent.get("step")) or 0,
            _text("said", sent.get("said", ""), MAX_SAID_CHARS),
            sent.get("again") is True,
            _text("choice", sent.get("choice", ""), MAX_ID_CHARS),
        )


_SENT = frozenset({"battle", "revision", "step", "said", "again", "choice"})


def _text(name: str, value: object, max_chars: int) -> str:
    if not isinstance(value, str) or len(value) > max_chars:
        raise InvalidValue(f"{name} is not a text of at most {max_chars} characters")
    return value


def _whole(name: str, value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MAX_STEP:
        raise InvalidValue(f"{name} is not a whole number")
    return value
