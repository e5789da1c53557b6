"""The battles of the process, in the database and in memory, with the columns that are being written.

Boundary: finds the store of a battle; what may be done with it is decided in `playground.battles`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from playground.arena.in_memory import InMemoryBattles
from playground.arena.running import RunningBattles
from playground.battles import Ballot, Battles, Sharing, Viewer, may_join
from playground.battles.rules import Rules
from playground.errors import StorageError
from playground.messages import Message
from playground.records import Battle, BattleState, BattleView, HeadToHead, Standing
from playground.storage.database.statements import Reading
from playground.storage.database.store import Store


class ArenaBattles:
    """A viewer's actions on a battle, in whichever store it is; `of` returns that store's `Battles`."""

    def __init__(self, rules: Rules, running: RunningBattles) -> None:
        self.in_memory = InMemoryBattles(replace(rules, standing_of=_counts_nowhere))
        self._rules = rules
        self._running = running
        self._stored: Battles | None = None

    def open(self, store: Store) -> None:
        self._stored = Battles(store, self._rules)

    def close(self) -> None:
        self._stored = None

    @property
    def is_open(self) -> bool:
        return self._stored is not None

    @property
    def stored(self) -> Battles:
        """The battles in the database, while the arena is open."""
        if self._stored is None:
            raise StorageError(Message("the arena is not open; call open() first"))
        return self._stored

    def of(self, battle_id: str) -> Battles:
        """Return the battles of the store that a battle is in: its own in memory, else the database."""
        return self.in_memory.of(battle_id) or self.stored

    def view(self, battle_id: str, viewer: Viewer) -> BattleView:
        """Return what the viewer may see of a battle now, and count it as read.

        Raises:
            Refused: unknown, or not for this viewer.
        """
        view = self.glance(battle_id, viewer)
        if view is not None:
            return view
        running = self._running.get(battle_id)
        live = {} if running is None else running.comparison.snapshot()
        return self.of(battle_id).view(battle_id, viewer, live)

    def head_to_heads(self, view: BattleView) -> tuple[HeadToHead, ...]:
        """Return how the chosen model of a revealed blind battle did against its others in all votes so far."""
        models = {column.side: column.card.id for column in view.columns if column.card is not None}
        chosen = view.choice if view.blind and view.state is BattleState.REVEALED else None
        if chosen not in models or self._stored is None:
            return ()
        now = self._rules.clock.now()
        with self.stored.store.reading() as reading:
            return tuple(
                HeadToHead(chosen, side, *reading.head_to_head(models[chosen], model, now))
                for side, model in models.items()
                if model != models[chosen]
            )

    def visit(self, battle_id: str, viewer: Viewer) -> BattleView:
        """Return what the viewer of an address sees: of a shared battle the answers first, to vote on them blind.

        Raises:
            Refused: unknown, or not for this viewer.
        """
        view = self.view(battle_id, viewer)
        return Sharing(self.stored).offer(view, viewer) if may_join(view) else view

    def join(self, battle_id: str, viewer: Viewer, consent_version: str) -> BattleView:
        """Make the guest of a shared battle a battle of their own; raises as `visit`."""
        return Sharing(self.of(battle_id)).join(battle_id, viewer, consent_version)

    def reveal_to_guest(self, battle_id: str, viewer: Viewer) -> BattleView:
        """Show a guest the models without a vote; a later vote of theirs on these answers does not count.

        Raises:
            Refused: unknown, or not for this viewer.
        """
        view = self.view(battle_id, viewer)
        shown = (column.generation for column in view.columns)
        self._rules.networks.remember(viewer, [generation for generation in shown if generation is not None])
        return view

    def glance(self, battle_id: str, viewer: Viewer) -> BattleView | None:
        """Return the view of a blind battle that is being written; None for any other. Does not wait for the database.

        Either way a running battle counts as read.

        Raises:
            Refused: not for this viewer.
        """
        running = self._running.get(battle_id)
        if running is None:
            return None
        live = running.comparison.snapshot()
        if not running.battle.blind:
            return None
        return self.of(battle_id).view_begun(running.battle, viewer, live)

    def vote(self, battle_id: str, viewer: Viewer, ballot: Ballot) -> BattleView:
        """Save a choice; a repeated vote gets the stored one, whatever it says.

        Raises:
            Refused: the battle is unknown, unfinished, foreign, expired or void.
            InvalidValue: the choice names no side that may be judged.
        """
        return self.of(battle_id).vote(battle_id, viewer, ballot)

    async def vote_soon(self, battle_id: str, viewer: Viewer, ballot: Ballot) -> BattleView:
        """Save a choice without blocking the event loop; raises as `vote`."""
        return await self.of(battle_id).vote_soon(battle_id, viewer, ballot)

    def undo(self, battle_id: str, viewer: Viewer, revision: int | None = None) -> BattleView:
        """Take back a vote whose models have not been revealed."""
        return self.of(battle_id).undo(battle_id, viewer, revision)

    def guess(self, battle_id: str, viewer: Viewer, named: str) -> BattleView:
        """Save which model the rater takes an answer for, and show the models; raises as `Battles.guess`."""
        return self.of(battle_id).guess(battle_id, viewer, named)

    def reveal(self, battle_id: str, viewer: Viewer) -> BattleView:
        """Make the vote final and show the models."""
        return self.of(battle_id).reveal(battle_id, viewer)

    def note(
        self, battle_id: str, viewer: Viewer, *, reasons: Sequence[str] | None = None, comment: str | None = None
    ) -> None:
        """Replace the reasons or the comment of a vote; None leaves them."""
        self.of(battle_id).note(battle_id, viewer, reasons=reasons, comment=comment)

    def report(self, battle_id: str, viewer: Viewer, side: str, text: str) -> None:
        """Report the answer of one side."""
        self.of(battle_id).report(battle_id, viewer, side, text)


def _counts_nowhere(reading: Reading, battle: Battle) -> Standing:
    return Standing(False, "it is kept in memory only")
