"""Battles that are being written, with their comparisons.

Boundary: a table shared by all threads; decides nothing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from playground.arena.comparison import Comparison
from playground.records import Battle


@dataclass(frozen=True, slots=True)
class RunningBattle:
    """A battle as it was created (or hidden since), and the comparison that writes it."""

    battle: Battle
    comparison: Comparison


class RunningBattles:
    """The table, by battle id."""

    def __init__(self) -> None:
        self._running: dict[str, RunningBattle] = {}
        self._guard = threading.Lock()

    def add(self, battle: Battle, comparison: Comparison) -> None:
        with self._guard:
            self._running[battle.id] = RunningBattle(battle, comparison)

    def remove(self, battle_id: str) -> None:
        with self._guard:
            self._running.pop(battle_id, None)

    def get(self, battle_id: str) -> RunningBattle | None:
        with self._guard:
            return self._running.get(battle_id)

    def set_hidden(self, battle_id: str, hidden_at: str | None) -> None:
        """Hide the words of a battle, or show them; do nothing if it is not being written."""
        with self._guard:
            running = self._running.get(battle_id)
            if running is not None:
                self._running[battle_id] = replace(running, battle=replace(running.battle, hidden_at=hidden_at))

    @property
    def ids(self) -> frozenset[str]:
        with self._guard:
            return frozenset(self._running)

    @property
    def comparisons(self) -> list[Comparison]:
        with self._guard:
            return [running.comparison for running in self._running.values()]
