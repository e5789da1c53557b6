"""One look at a battle, from the thread that serves everybody.

Boundary: that thread never waits for the database, and changes to another one only for what has to be asked there:
each change costs it more than most looks do.
"""

from __future__ import annotations

import asyncio

from playground.arena import Arena
from playground.records import BattleView


async def look(arena: Arena, battle_id: str, viewer: str, source: str = "page") -> BattleView:
    """What `viewer` may see of a battle now; raises as `Arena.view`."""
    seen = arena.glance(battle_id, viewer, source)
    return await asyncio.to_thread(arena.view, battle_id, viewer, source) if seen is None else seen
