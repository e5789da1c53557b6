"""Shared battles: a guest of a link votes blind on the same answers, in a battle of their own.

Only a revealed battle can be shared: a guest's reveal shows the models, and the first rater has to have judged before
anybody could tell them. The guest's battle has the same `comparison_id`, and the shared one as its `parent_id`.

Boundary: reads and adds battles of the database; what a guest may do with theirs is the table's decision.
"""

from __future__ import annotations

from dataclasses import replace

from playground.battles.ballot import Viewer
from playground.battles.life import Battles
from playground.battles.state_table import Event
from playground.battles.steps import found
from playground.battles.transitions import moved
from playground.records import Battle, BattleState, BattleView, ColumnState, ColumnView
from playground.storage.database.statements import Writing


class Sharing:
    """The battles of one store as guests of links see them."""

    def __init__(self, battles: Battles) -> None:
        self._battles = battles
        self._store = battles.store
        self._rules = battles.rules

    def offer(self, view: BattleView, viewer: Viewer) -> BattleView:
        """Return a foreign battle without its models and its vote, or the guest's own one on the same answers."""
        with self._store.reading() as reading:
            own = reading.battle_of_guest(view.battle_id, viewer.rater)
        return offered(view) if own is None else self._battles.view(own, viewer)

    def join(self, battle_id: str, viewer: Viewer, consent_version: str) -> BattleView:
        """Make the guest's battle, or return the one that they have; one that cannot be joined stays as it is.

        Args:
            consent_version: of the terms that the guest agrees to by voting.

        Raises:
            Refused: unknown, or foreign and not revealed.
        """
        view = self._battles.view(battle_id, viewer)
        if not may_join(view):
            return view

        def work(writing: Writing) -> str:
            own = writing.battle_of_guest(battle_id, viewer.rater)
            if own is not None:
                return own
            shared = found(writing, battle_id)
            if shared.withheld:  # since it was looked at
                return battle_id
            battle = self._copy(shared, viewer)
            writing.insert_battle(battle)
            writing.agree(viewer.rater, consent_version, battle.created_at)
            return battle.id

        return self._battles.view(self._store.write(work), viewer)

    def _copy(self, battle: Battle, viewer: Viewer) -> Battle:
        """Return an open battle of the guest on the same answers, in the same order: people talk about "answer A"."""
        now = self._rules.clock.now()
        copy = replace(
            battle,
            id=self._rules.new_id(),
            parent_id=battle.id,
            owner=viewer.rater,
            source=viewer.source,
            state=BattleState.GENERATING,
            created_at=now,
            opened_at=None,
            final_at=None,
            vote=None,
            revision=0,
            rated=False,  # a guest's vote is one, also on a rated battle
        )
        return moved(copy, Event.LAST_ENDED, now)


def may_join(view: BattleView) -> bool:
    """Return True if the viewer of somebody else's battle may vote blind on its answers."""
    is_revealed = view.blind and view.state is BattleState.REVEALED
    return is_revealed and view.stored and not view.mine and not view.withheld


def offered(view: BattleView) -> BattleView:
    """Return a revealed battle as a guest sees it before they decide: instruction, texts, and which answers failed."""
    columns = tuple(
        ColumnView(
            column.side,
            ColumnState.FAILED if column.state is ColumnState.FAILED else ColumnState.DONE,
            column.text,
            "",
            None,
        )
        for column in view.columns
    )
    return replace(view, columns=columns, choice=None, offered=True)
