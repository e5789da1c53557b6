"""Battles that visitors asked not to store: each in a database of its own, in memory, the latest so many.

Boundary: holds and forgets them; which of them are being written is told by whoever asks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from playground.battles import Battles
from playground.records import ModelCard
from playground.storage.database.store import Store

KEPT_IN_MEMORY = 100


@dataclass(frozen=True, slots=True)
class _Held:
    """One battle's own database."""

    owner: str
    store: Store
    battles: Battles


class UnkeptBattles:
    """The table of them; `battles_on` makes the life of battles on a store."""

    def __init__(self, battles_on: Callable[[Store], Battles]) -> None:
        self._battles_on = battles_on
        self._held: dict[str, _Held] = {}
        self._guard = threading.Lock()

    def add(self, battle_id: str, owner: str, cards: Iterable[ModelCard], running: Collection[str]) -> Battles:
        """A store for one battle; of too many, one of the same owner's that is not running is forgotten first."""
        store = Store(None)
        for card in cards:
            store.upsert_model(card)
        made = _Held(owner, store, self._battles_on(store))
        with self._guard:
            ended = [known for known in self._held if known not in running]
            if len(self._held) >= KEPT_IN_MEMORY and ended:
                own = (known for known in ended if self._held[known].owner == owner)
                self._held.pop(next(own, ended[0])).store.close()
            self._held[battle_id] = made
        return made.battles

    def of(self, battle_id: str) -> Battles | None:
        """The life of a battle that is held here; None for any other."""
        with self._guard:
            held = self._held.get(battle_id)
        return None if held is None else held.battles

    def owned_by(self, rater: str) -> list[str]:
        """The battles of one rater."""
        with self._guard:
            return [battle_id for battle_id, held in self._held.items() if held.owner == rater]

    def forget(self, battle_ids: Iterable[str]) -> None:
        """Let go of battles; those that are not held are none."""
        with self._guard:
            gone = [self._held.pop(battle_id) for battle_id in battle_ids if battle_id in self._held]
        for held in gone:
            held.store.close()
