"""Looks at battles, from the thread that serves everybody.

Boundary: that thread never waits for the database, and changes to another one only for what has to be asked there, for
one look at a time: several threads would take turns at the interpreter, and a vote that comes then has to wait for each
of them at each of its steps.
"""

from __future__ import annotations

import asyncio

from playground.arena.arena import Arena
from playground.records import BattleView


class Looks:
    """Of one room; for one event loop."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._one = asyncio.Lock()

    async def view(self, battle_id: str, viewer: str, source: str = "page") -> BattleView:
        """What `viewer` may see of a battle now; raises as `Arena.view`."""
        seen = self._arena.glance(battle_id, viewer, source)
        if seen is not None:
            return seen
        async with self._one:
            return await asyncio.to_thread(self._arena.view, battle_id, viewer, source)
