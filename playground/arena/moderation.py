"""The operator's decisions on stored battles, with those that are being written.

Boundary: adds the running battles to `battles.moderation`; the page makes sure that it is the operator who acts.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.arena.battles import ArenaBattles
from playground.arena.running import RunningBattles
from playground.battles import Moderation
from playground.records import Battle, ModeratedBattle, ModerationCounts


class ArenaModeration:
    """Reported and hidden battles; a battle in memory is on no page but its rater's, and is not among them."""

    def __init__(self, battles: ArenaBattles, running: RunningBattles) -> None:
        self._battles = battles
        self._running = running

    def counts(self) -> ModerationCounts:
        """Return what waits for the operator, and what they have hidden."""
        return self._stored.counts()

    def reported(self, limit: int) -> Sequence[ModeratedBattle]:
        """Return battles with new reports, the latest report first."""
        return self._stored.reported(limit)

    def hidden(self, limit: int) -> Sequence[ModeratedBattle]:
        """Return hidden battles, the latest first."""
        return self._stored.hidden(limit)

    def look_up(self, battle_id: str) -> ModeratedBattle:
        """Return a stored battle; raise Refused if there is none."""
        return self._stored.look_up(battle_id)

    def hide(self, battle_id: str) -> None:
        """Hide the words of a battle and of those on the same answers; raise Refused if it is unknown."""
        self._follow(self._stored.hide(battle_id))

    def show(self, battle_id: str) -> None:
        """Show the words of a battle and of those on the same answers again; raise Refused if it is unknown."""
        self._follow(self._stored.show(battle_id))

    def dismiss(self, battle_id: str) -> None:
        """Take the reports on a battle as reviewed; raise Refused if it is unknown."""
        self._stored.dismiss(battle_id)

    def _follow(self, battles: Sequence[Battle]) -> None:
        """Do the same with those that are being written: their readers do not ask the database."""
        for battle in battles:
            self._running.set_hidden(battle.id, battle.hidden_at)

    @property
    def _stored(self) -> Moderation:
        return Moderation(self._battles.stored)
