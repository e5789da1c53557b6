"""Moderation: the operator hides the words of battles, shows them again, and reviews reports.

A hidden battle keeps its words in the database: only the operator sees them, and they can be shown again. Its vote
still counts. The latest decision on a battle holds, also after a restore.

Boundary: acts for the operator; the caller makes sure that it is them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from playground.battles.life import Battles
from playground.battles.state_table import Event
from playground.battles.steps import found
from playground.battles.transitions import allowed, later
from playground.records import Battle, ModeratedBattle, ModerationCounts
from playground.storage.database.statements import Reading, Writing


class Moderation:
    """The operator's view of the battles in one store, and their decisions."""

    def __init__(self, battles: Battles) -> None:
        self._store = battles.store
        self._rules = battles.rules

    def counts(self) -> ModerationCounts:
        """Return what waits for the operator, and what they have hidden."""
        with self._store.reading() as reading:
            return reading.moderation_counts()

    def reported(self, limit: int) -> Sequence[ModeratedBattle]:
        """Return battles with new reports, the latest report first."""
        return self._listed(lambda reading: reading.reported_battles(limit))

    def hidden(self, limit: int) -> Sequence[ModeratedBattle]:
        """Return hidden battles, the latest first."""
        return self._listed(lambda reading: reading.hidden_battles(limit))

    def look_up(self, battle_id: str) -> ModeratedBattle:
        """Return a battle of the database, whatever its state.

        Raises:
            Refused: unknown.
        """
        with self._store.reading() as reading:
            return self._moderated(reading, battle_id)

    def hide(self, battle_id: str) -> Sequence[Battle]:
        """Hide the words of a battle, and of those on the same answers, from everybody but the operator; return them.

        Raises:
            Refused: unknown.
        """
        return self._decide(battle_id, hidden=True)

    def show(self, battle_id: str) -> Sequence[Battle]:
        """Show the words of a hidden battle, and of those on the same answers, again; return them.

        Raises:
            Refused: unknown.
        """
        return self._decide(battle_id, hidden=False)

    def dismiss(self, battle_id: str) -> None:
        """Take the reports on a battle as reviewed, and leave it as it is.

        Raises:
            Refused: unknown.
        """
        self._decide(battle_id, hidden=None)

    def _decide(self, battle_id: str, hidden: bool | None) -> Sequence[Battle]:
        def work(writing: Writing) -> Sequence[Battle]:
            allowed(found(writing, battle_id), Event.MODERATE)
            others = () if hidden is None else writing.battles_on_answers_of(battle_id)
            return [self._decide_one(writing, one, hidden) for one in (battle_id, *others)]

        return self._store.write(work)

    def _decide_one(self, writing: Writing, battle_id: str, hidden: bool | None) -> Battle:
        at, last = self._rules.clock.now(), writing.last_reviewed(battle_id)
        if last and at <= last:  # the clock was set back, or this is the same millisecond
            at = later(last, 0.001)
        writing.decide(battle_id, at, hidden)
        return found(writing, battle_id)

    def _listed(self, ids: Callable[[Reading], Sequence[str]]) -> Sequence[ModeratedBattle]:
        with self._store.reading() as reading:
            return [self._moderated(reading, battle_id) for battle_id in ids(reading)]

    def _moderated(self, reading: Reading, battle_id: str) -> ModeratedBattle:
        battle = self._rules.now(found(reading, battle_id))
        return ModeratedBattle(battle, tuple(reading.reports_on(battle_id)))
