"""Battles of one store: every step of their life, each in one transaction.

Boundary: knows the store and the rules, neither models nor Gradio. Time passes at reading: a vote past its undo time
is revealed and an open battle past its expiry is void, whether or not that has been stored yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import TypeVar

from playground.battles.ballot import Ballot, Viewer, check_new, check_notes, check_reportable
from playground.battles.generations import find_names, insert_generation
from playground.battles.rules import Rules
from playground.battles.state_table import Event, refused
from playground.battles.steps import Steps, found
from playground.battles.transitions import ended_event, moved
from playground.battles.visibility import LiveColumns, begun_view, stored_view
from playground.errors import StorageError
from playground.records import Battle, BattleState, BattleView, Generation
from playground.storage.database.statements import Writing
from playground.storage.database.store import Store

GENERATING, OPEN, VOTED, _, _ = BattleState
NETWORKS_KEPT = timedelta(days=30)
NOTHING_LIVE: LiveColumns = MappingProxyType({})

T = TypeVar("T")


class Battles:
    """Every battle of one store."""

    def __init__(self, store: Store, rules: Rules | None = None) -> None:
        self.store = store
        self.rules = replace(rules or Rules(), stored=store.stored)

    # Steps of the process

    def create(self, battle: Battle, consent_version: str = "") -> Battle:
        """Store a new battle before anything of it is written; its sides may have finished generations.

        Args:
            consent_version: of the terms that the rater agrees to by comparing; stored with their first battle under
                them. Empty for a battle in memory.

        Raises:
            InvalidValue: its sides are not the first two to six letters in order, or it is not new.
        """
        check_new(battle)
        ended = [side.generation for side in battle.sides if side.generation is not None]
        if len(ended) == len(battle.sides):
            battle = moved(battle, ended_event(battle), battle.created_at)
        names = find_names(self.store, ended)

        def work(writing: Writing) -> Battle:
            for generation in ended:
                if writing.generation(generation.id) is None:
                    insert_generation(writing, generation, names)
            writing.insert_battle(battle)
            if ended and writing.shows_hidden_answers(battle.id):
                writing.decide(battle.id, battle.created_at, True)
            if consent_version:
                writing.agree(battle.owner, consent_version, battle.created_at)
            return battle

        return self.store.write(work)

    def finish(self, battle_id: str, ended: Mapping[str, Generation]) -> BattleState:
        """Store the generations of sides that ended; return the battle's state, also when repeated.

        Raises:
            Refused: unknown, or a side has ended before with another generation; nothing was stored.
            InvalidValue: no such side, or another model's generation; nothing was stored.
        """
        names = find_names(self.store, ended.values())

        def work(writing: Writing) -> BattleState:
            battle = found(writing, battle_id)
            known = {side.side: side.generation for side in battle.sides}
            new = {side: generation for side, generation in ended.items() if known.get(side) != generation}
            if not new:  # an earlier call stored it and failed after the commit
                return self.rules.now(battle).state
            return Steps(writing, self.rules).finish(battle, new, names)

        return self.store.write(work)

    def interrupt_all(self) -> int:
        """At start, end the battles that an earlier process left unfinished; return their number."""
        with self.store.reading() as reading:
            left = reading.battles_in(GENERATING)
        for battle_id in left:
            self._step(partial(Steps.interrupt, battle_id=battle_id))
        return len(left)

    def expire(self) -> int:
        """Store what time has changed; return the number of battles. Forget the networks of votes after 30 days."""
        oldest = (datetime.fromisoformat(self.rules.clock.now()) - NETWORKS_KEPT).date().isoformat()
        with self.store.reading() as reading:
            waiting = (found(reading, battle_id) for battle_id in reading.battles_in(OPEN, VOTED))
            due = [battle.id for battle in waiting if self.rules.now(battle).state is not battle.state]
            has_old_networks = reading.has_networks_before(oldest)
        if has_old_networks:
            self.store.write(lambda writing: writing.forget_networks(oldest))
        return sum(self._settle(battle_id) for battle_id in due)

    # Steps of a viewer

    def owned(self, battle_id: str, viewer: Viewer) -> Battle:
        """Return the whole battle to code that acts for its rater; send nothing of it but through `view`.

        Raises:
            Refused: unknown or foreign.
        """
        with self.store.reading() as reading:
            battle = found(reading, battle_id)
        if not viewer.owns(battle):
            raise refused("foreign")
        return self.rules.now(battle)

    def vote(self, battle_id: str, viewer: Viewer, ballot: Ballot) -> BattleView:
        """Save a choice: a side, ``tie``, ``both_bad``, or an order such as ``b>a=c`` of every side that may be judged.

        A repeated vote gets the stored one, whatever it says; so does a vote on an older revision of the battle.

        Raises:
            Refused: unknown, unfinished, foreign, expired, void.
            InvalidValue: a choice that cannot be made.
        """
        return self._view_after(self._step(lambda steps: steps.vote(battle_id, viewer, ballot)), viewer)

    async def vote_soon(self, battle_id: str, viewer: Viewer, ballot: Ballot) -> BattleView:
        """Save a choice without blocking the event loop; raises as `vote`."""
        battle = await self.store.write_soon(lambda writing: Steps(writing, self.rules).vote(battle_id, viewer, ballot))
        return await asyncio.to_thread(self._view_after, battle, viewer)

    def undo(self, battle_id: str, viewer: Viewer, revision: int | None = None) -> BattleView:
        """Take back a vote that is not final; without a vote, change nothing.

        Raises:
            Refused: unknown, unfinished, foreign, void, or final.
        """
        return self._view_after(self._step(lambda steps: steps.undo(battle_id, viewer, revision)), viewer)

    def skip(self, battle_id: str, viewer: Viewer) -> None:
        """End an open battle without a vote: it is void, as one that waited too long.

        Raises:
            Refused: unknown, unfinished, foreign, void, or judged.
        """
        self._step(lambda steps: steps.skip(battle_id, viewer))

    def guess(self, battle_id: str, viewer: Viewer, named: str) -> BattleView:
        """Store which model the rater takes an answer for, as they were asked, and show the models.

        Raises:
            Refused: unknown, unfinished, foreign, void, final, or nothing was asked.
            InvalidValue: not one of the models to choose from.
        """
        return self._view_after(self._step(lambda steps: steps.guess(battle_id, viewer, named)), viewer)

    def reveal(self, battle_id: str, viewer: Viewer) -> BattleView:
        """Make a vote final before its time and show the models.

        Raises:
            Refused: unknown, unfinished (there is no vote), foreign, void.
        """
        return self._view_after(self._step(lambda steps: steps.reveal(battle_id, viewer)), viewer)

    def note(
        self, battle_id: str, viewer: Viewer, *, reasons: Sequence[str] | None = None, comment: str | None = None
    ) -> None:
        """Replace the reasons or the comment of the current vote; None leaves them.

        Raises:
            Refused: as for a vote.
            InvalidValue: an unknown reason, or a comment that is too long.
        """
        check_notes(reasons or (), comment or "")

        def work(steps: Steps) -> None:
            battle, _ = steps.enter(battle_id, Event.NOTE, viewer)
            steps.write_notes(battle, viewer, reasons, comment)

        self._step(work)

    def report(self, battle_id: str, viewer: Viewer, side: str, text: str = "") -> None:
        """Report the answer of one side.

        Raises:
            Refused: unknown, or the viewer may not see the battle.
            InvalidValue: a side without an answer, or a text that is too long.
        """
        check_notes((), text)

        def work(steps: Steps) -> None:
            battle, _ = steps.enter(battle_id, Event.REPORT, viewer)
            check_reportable(battle, side)
            steps.writing.insert_report(battle.id, side, text, viewer.rater, self.rules.clock.now())

        self._step(work)

    def view(self, battle_id: str, viewer: Viewer, live: LiveColumns = NOTHING_LIVE) -> BattleView:
        """Return what the viewer may see now.

        Args:
            live: the columns that are being written; shown instead of stored ones until all have ended.

        Raises:
            Refused: unknown, or foreign and not revealed.
        """
        with self.store.reading() as reading:
            stored = found(reading, battle_id)
            battle = self.rules.now(stored)
            view = stored_view(reading, self.rules, battle, viewer, live)
        if stored.state is not battle.state and self.store.writable:
            with suppress(StorageError):  # stored another time
                self._settle(battle_id)
        return view

    def view_begun(self, begun: Battle, viewer: Viewer, live: LiveColumns) -> BattleView:
        """Return what the viewer may see of a blind battle, as created, while it is being written.

        Raises:
            Refused: foreign.
        """
        return begun_view(self.rules, begun, viewer, live)

    # Inside

    def _step(self, work: Callable[[Steps], T]) -> T:
        return self.store.write(lambda writing: work(Steps(writing, self.rules)))

    def _view_after(self, battle: Battle, viewer: Viewer) -> BattleView:
        """Return the view of a battle as a step left it, read after the commit: other votes need not wait for it."""
        with self.store.reading() as reading:
            return stored_view(reading, self.rules, battle, viewer, NOTHING_LIVE)

    def _settle(self, battle_id: str) -> bool:
        """Store what time has changed; return False if nothing, or if another thread has stored it."""

        def work(writing: Writing) -> bool:
            stored = found(writing, battle_id)
            battle = self.rules.now(stored)
            return battle.state is not stored.state and writing.move(stored, battle)

        return self.store.write(work)
