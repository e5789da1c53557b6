"""One battle followed while it is written, for a tab of the page or a call of the API.

Boundary: reads views; draws and sends nothing. One thread, the event loop, serves everybody: what it reads in a second
must not grow with the number of readers, or votes would wait behind snapshots.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable

from playground.arena.arena import Arena
from playground.battles import Viewer
from playground.errors import PlaygroundError, Refused
from playground.records import BattleState, BattleView

READ_EVERY_S = 0.09
"""Fast enough for the eye, for up to `AT_FULL_PACE` running battles."""
AT_FULL_PACE = 6
SLOWEST_S = 1.0
RETRY_S = 1.0
GIVE_UP_S = 30.0
"""An error that lasts longer is raised."""


class Follower:
    """Follows battles of one arena on one event loop."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._one = asyncio.Lock()

    async def follow(
        self,
        battle_id: str,
        viewer: Viewer,
        *,
        at_least_every_s: float = math.inf,
        wanted: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[BattleView]:
        """Yield each new view of a battle, the last one after it is written; stop early if it is not `wanted`.

        An error that may pass is tried again for `GIVE_UP_S`.

        Args:
            at_least_every_s: after this time an unchanged view is yielded again.

        Raises:
            Refused: there is no such battle for this viewer.
            PlaygroundError: the battle cannot be read for too long.
        """
        last: BattleView | None = None
        now, yielded_s, failing_since_s = asyncio.get_running_loop().time, 0.0, math.inf
        while wanted():
            try:
                view = await self._view(battle_id, viewer)
            except Refused:
                raise
            except PlaygroundError:
                failing_since_s = min(failing_since_s, now())
                if now() - failing_since_s >= GIVE_UP_S:
                    raise
                await asyncio.sleep(RETRY_S)
                continue
            failing_since_s = math.inf
            if view != last or now() - yielded_s >= at_least_every_s:
                last, yielded_s = view, now()
                yield view
            if view.state is not BattleState.GENERATING:
                return
            await asyncio.sleep(interval_s(len(self._arena.running)))

    async def _view(self, battle_id: str, viewer: Viewer) -> BattleView:
        """Read a view, asking the database on one other thread at a time.

        Several threads would compete for the interpreter, and each step of a vote would wait for all of them.
        """
        seen = self._arena.battles.glance(battle_id, viewer)
        if seen is not None:
            return seen
        async with self._one:
            return await asyncio.to_thread(self._arena.battles.view, battle_id, viewer)


def interval_s(battles: int) -> float:
    """Return the seconds between two reads of one battle, given how many are being written."""
    return min(SLOWEST_S, READ_EVERY_S * max(1.0, battles / AT_FULL_PACE))
