"""Battles that visitors asked not to store: each in a database of its own in memory, the latest `KEPT_IN_MEMORY`.

Boundary: holds and forgets them; the caller says which are being written.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from playground.battles import Battles
from playground.battles.rules import Rules
from playground.records import ModelCard
from playground.storage.database.store import Store

KEPT_IN_MEMORY = 100


@dataclass(frozen=True, slots=True)
class _Held:
    owner: str
    battles: Battles


class InMemoryBattles:
    """The battles by id; shared by all threads."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._held: dict[str, _Held] = {}
        self._guard = threading.Lock()

    def add(self, battle_id: str, owner: str, cards: Iterable[ModelCard], running: Collection[str]) -> Battles:
        """Make a store for one battle; if there are too many, drop one that is not running, the same owner's first."""
        store = Store(None)
        for card in cards:
            store.upsert_model(card)
        made = _Held(owner, Battles(store, self._rules))
        with self._guard:
            ended = [known for known in self._held if known not in running]
            if len(self._held) >= KEPT_IN_MEMORY and ended:
                own = (known for known in ended if self._held[known].owner == owner)
                self._held.pop(next(own, ended[0])).battles.store.close()
            self._held[battle_id] = made
        return made.battles

    def of(self, battle_id: str) -> Battles | None:
        """Return the store of a battle in memory; None for any other."""
        with self._guard:
            held = self._held.get(battle_id)
        return None if held is None else held.battles

    def owned_by(self, rater: str) -> list[str]:
        """Return the ids of a rater's battles."""
        with self._guard:
            return [battle_id for battle_id, held in self._held.items() if held.owner == rater]

    def forget(self, battle_ids: Iterable[str]) -> None:
        """Drop battles; ignore ids that are not held."""
        with self._guard:
            gone = [self._held.pop(battle_id) for battle_id in battle_ids if battle_id in self._held]
        for held in gone:
            held.battles.store.close()
