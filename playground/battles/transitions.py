"""The state of a battle after an event.

Boundary: pure; reads the table.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from playground.battles.state_table import Event, cell, refused
from playground.errors import InvalidValue
from playground.messages import Message
from playground.records import Battle, BattleState

_, OPEN, _, _, VOID = BattleState


def moved(battle: Battle, event: Event, now: str, void_reason: str = "failed") -> Battle:
    """Return the battle after an event of the arena or of time."""
    to = allowed(battle, event)
    if to is battle.state:
        return battle
    if to is VOID:
        return replace(battle, state=VOID, void_reason="expired" if event is Event.TIME_UP else void_reason)
    return replace(battle, state=to, opened_at=now if to is OPEN else battle.opened_at)


def allowed(battle: Battle, event: Event) -> BattleState:
    """Return the state after the event; raise Refused if the table refuses it."""
    found = cell(event, battle.state)
    if found.to is None:
        raise refused("expired" if battle.void_reason == "expired" and found.refuse == "void" else found.refuse)
    return found.to


def ended_event(battle: Battle) -> Event:
    """Return the event of a column's end, given which generations the battle has now."""
    if any(side.generation is None for side in battle.sides):
        return Event.SIDE_ENDED
    return Event.LAST_ENDED if len(battle.good_sides) >= 2 else Event.LAST_FAILED


def elapsed_s(earlier: str | None, later: str | None) -> float:
    """Return the seconds between two stored times; negative if the clock was set back."""
    if earlier is None or later is None:
        raise InvalidValue(Message("a time is missing"))
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def later(time: str, seconds: float) -> str:
    """Return a stored time plus some seconds."""
    return (datetime.fromisoformat(time) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
