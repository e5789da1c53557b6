"""The settings and services that the battles of a store share: clock, time limits, caps, networks.

Boundary: pure but for the clock that it is given; stores nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from playground.battles.asking import MOST_S, Asking
from playground.battles.networks import Networks
from playground.battles.state_table import Event
from playground.battles.transitions import elapsed_s, later, moved
from playground.clock import Clock
from playground.records import Battle, BattleState, Standing
from playground.storage.database.statements import Reading

_, OPEN, VOTED, _, _ = BattleState

StandingOf = Callable[[Reading, Battle], Standing | None]
"""Tells whether the vote on a battle counts, as far as its rater may know now."""


def _unknown_standing(reading: Reading, battle: Battle) -> None:
    return None


def _random_id() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules, and the state of battles under them as time passes."""

    clock: Clock = field(default_factory=Clock)
    undo_s: float = 5.0  # from a vote until it is final
    expire_s: float = 86400.0  # from opening until an unjudged battle is void
    votes_per_network: int = 0  # that count in a day; 0: any number
    networks: Networks = field(default_factory=Networks)
    standing_of: StandingOf = _unknown_standing
    asking: Asking = field(default_factory=Asking)
    new_id: Callable[[], str] = _random_id
    stored: bool = True  # False: in memory only
    rated_undo_s: float = 60.0  # as `undo_s`, of rated battles: their raters go on at once, and look back later

    def now(self, battle: Battle) -> Battle:
        """Return the battle with its vote final or its opening expired, if that time has come."""
        is_final = battle.state is VOTED and self.final_in_s(battle) == 0
        if is_final or (self.open_for_s(battle) or 0) >= self.expire_s:
            return moved(battle, Event.TIME_UP, self.clock.now())
        return battle

    def final_in_s(self, battle: Battle) -> float | None:
        """Return the seconds until the vote is final: None without a vote, 0 if the clock was set back since."""
        if battle.state is not VOTED or battle.vote is None:
            return None
        now = self.clock.now()
        if elapsed_s(battle.vote.created_at, now) < 0:
            return 0.0
        return max(0.0, elapsed_s(now, battle.final_at))

    def open_for_s(self, battle: Battle) -> float | None:
        """Return the seconds since the battle opened: None unless it is open, 0 if the clock was set back."""
        if battle.state is not OPEN:
            return None
        return max(0.0, elapsed_s(battle.opened_at, self.clock.now()))

    def final_at(self, now: str, *, waits: bool = False, rated: bool = False) -> str:
        """Return the time at which a vote given `now` becomes final; it `waits` for the answer to a question."""
        undo_s = self.rated_undo_s if rated else self.undo_s
        return later(now, max(undo_s, MOST_S) if waits else undo_s)
