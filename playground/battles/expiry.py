"""What events make of a battle, and what time does to it.

Boundary: pure but for the clock that it is given; nothing is stored here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from playground.battles.table import Event, cell, refused
from playground.clock import Clock
from playground.errors import InvalidValue
from playground.records import Battle, BattleState

_, OPEN, VOTED, _, VOID = BattleState


@dataclass(frozen=True, slots=True)
class Passing:
    """How time passes for the battles of a store."""

    clock: Clock
    undo_s: float  # between a vote and its being final
    expire_s: float  # that an open battle waits for its vote

    def now(self, battle: Battle) -> Battle:
        """The battle as time has left it."""
        if battle.state is VOTED and self.final_in_s(battle) == 0:
            return moved(battle, Event.TIME_UP, self.clock.now())
        if battle.state is OPEN and elapsed_s(battle.opened_at, self.clock.now()) >= self.expire_s:
            return moved(battle, Event.TIME_UP, self.clock.now())
        return battle

    def final_in_s(self, battle: Battle) -> float | None:
        """Seconds until a vote is final; none once the clock stands before the vote (it was set back)."""
        if battle.state is not VOTED or battle.vote is None:
            return None
        now = self.clock.now()
        if elapsed_s(battle.vote.created_at, now) < 0:
            return 0.0
        return max(0.0, elapsed_s(now, battle.final_at))

    def open_for_s(self, battle: Battle) -> float | None:
        """Return the seconds since the battle opened; None unless it is open, 0 if the clock was set back."""
        if battle.state is not OPEN:
            return None
        return max(0.0, elapsed_s(battle.opened_at, self.clock.now()))

    def final_at(self, now: str) -> str:
        """When a vote that is given now can no longer be undone."""
        return later(now, self.undo_s)


def moved(battle: Battle, event: Event, now: str, void_reason: str = "failed") -> Battle:
    """The battle after an event that the arena or time brought."""
    to = allowed(battle, event)
    if to is battle.state:
        return battle
    if to is VOID:
        return replace(battle, state=VOID, void_reason="expired" if event is Event.TIME_UP else void_reason)
    return replace(battle, state=to, opened_at=now if to is OPEN else battle.opened_at)


def allowed(battle: Battle, event: Event) -> BattleState:
    """The state after the event, where it is not refused."""
    found = cell(event, battle.state)
    if found.to is None:
        raise refused("expired" if battle.void_reason == "expired" and found.refuse == "void" else found.refuse)
    return found.to


def ended_event(battle: Battle) -> Event:
    """What it is for a battle that a column of it has ended."""
    if any(side.generation is None for side in battle.sides):
        return Event.SIDE_ENDED
    return Event.LAST_ENDED if len(battle.good_sides) >= 2 else Event.LAST_FAILED


def elapsed_s(earlier: str | None, later: str | None) -> float:
    """From one stored time to another; negative when the clock was set back."""
    if earlier is None or later is None:
        raise InvalidValue("a time is missing")
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def later(time: str, seconds: float) -> str:
    """A stored time, so many seconds after another."""
    return (datetime.fromisoformat(time) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
