"""The battle that a tab shows, as the tab says.

The server keeps nothing of a tab, so a restart loses nothing: every call names its battle.

Boundary: values only. The id is a key for a lookup; the rater's cookie and the database decide what is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.errors import InvalidValue
from playground.messages import Message

MAX_ID_CHARS = 100
MAX_NOTES_CHARS = 400
MAX_STEP = 2**31


@dataclass(frozen=True, slots=True)
class Shown:
    """The battle in a tab, and the step of the tab that asks."""

    battle_id: str = ""
    revision: int | None = None  # of the battle, when it was drawn
    step: int = 0  # grows with whatever makes the tab show something else; replies to earlier steps are stale
    said: str = ""  # what validation removed from the instruction
    again: bool = False  # this battle is drawn already: keep what is being typed beside it
    choice: str = ""  # of the pressed vote button
    look: bool = False  # a shared battle is shown with its models, although this guest has not voted
    order: int = 0  # of this browser's starters
    turn: int = 0  # of the next starter in that order

    @classmethod
    def read(cls, sent: object) -> Shown:
        """Return what `battle.js` sent; None means no battle.

        Raises:
            InvalidValue: `sent` has another shape.
        """
        if sent is None:
            return cls()
        if not isinstance(sent, dict) or not sent.keys() <= _SENT:
            raise InvalidValue(Message("the page sent unknown data about its battle; reload the page"))
        return cls(
            _text("battle", sent.get("battle", ""), MAX_ID_CHARS),
            _whole("revision", sent.get("revision")),
            _whole("step", sent.get("step")) or 0,
            _text("said", sent.get("said", ""), MAX_NOTES_CHARS),
            sent.get("again") is True,
            _text("choice", sent.get("choice", ""), MAX_ID_CHARS),
            sent.get("look") is True,
            _whole("order", sent.get("order")) or 0,
            _whole("turn", sent.get("turn")) or 0,
        )


_SENT = frozenset({"battle", "revision", "step", "said", "again", "choice", "look", "order", "turn"})


def _text(name: str, value: object, max_chars: int) -> str:
    if not isinstance(value, str) or len(value) > max_chars:
        raise InvalidValue(
            Message("{name} is not a text of at most {max_chars} characters", name=name, max_chars=max_chars)
        )
    return value


def _whole(name: str, value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MAX_STEP:
        raise InvalidValue(Message("{name} is not a whole number from 0 to {number}", name=name, number=MAX_STEP - 1))
    return value
