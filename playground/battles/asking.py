"""The question which model wrote an answer: when it is asked between vote and reveal, and of which side.

Nothing of it depends on which side is which model: side and chance are drawn from the system's randomness at the first
vote, and the choices are the arena's line-up in its order. It is asked only of people, about models that the arena
drew: whoever chose the models knows two of them.

Boundary: draws a question for a battle; stores nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import SystemRandom

from playground.records import Battle, Origin

MOST_S = 20.0
"""The longest time for which the reveal waits for an answer, unless the time to undo is longer."""


def chance() -> float:
    """Return a random number from 0 to below 1."""
    return SystemRandom().random()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to store with the vote on a battle."""

    side: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """The share of blind battles about which is asked, and the models to choose from."""

    share: float = 0.0
    line_up: Callable[[], Sequence[str]] = tuple

    def draw(self, battle: Battle, origin: Origin) -> Asked | None:
        """Return a question about a battle that is voted on for the first time; None for most."""
        is_drawn = battle.blind and battle.draw_probability is not None and not battle.rated  # no reveal follows
        if not is_drawn or battle.revision or origin is not Origin.PERSON or chance() >= self.share:
            return None
        choices = tuple(self.line_up())
        if not {side.model_id for side in battle.sides} <= set(choices):  # one has left the line-up since
            return None
        return Asked(SystemRandom().choice(battle.good_sides), choices)
