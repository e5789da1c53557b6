"""Rated battles: a rater judges stored answers of somebody else's battle, blind, in a battle of their own.

A rated battle has the comparison of its parent and the parent's draw: the arena drew these models, or the parent's
rater chose them. Its sides are shuffled anew. A rater has one battle of a comparison, judged, skipped or expired.

Boundary: reads and adds battles of the database; which words look personal is a test that the caller gives.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from random import Random
from secrets import SystemRandom
from typing import Any

from playground.battles.ballot import Viewer
from playground.battles.life import Battles
from playground.battles.state_table import Event
from playground.battles.steps import found
from playground.battles.transitions import moved
from playground.records import SIDES, Battle, BattleState, BattleView
from playground.storage.database.statements import Reading, Writing

SAMPLE = 64
"""Offered battles of which the one with the fewest votes is taken; fewer are offered: all."""
TRIES = 5
"""Reservations that are tried; each fails only if something has changed since the battle was found."""
_FIRST, _LAST = "", "\U0010ffff"
"""Ids before and after any."""


class Rating:
    """The battles of one store as raters are given them.

    Args:
        is_personal: True for a text that is not shown to others.
        terms: the first version of the terms under which battles are offered.
        random: of the draw among battles and of the order of sides.
    """

    def __init__(
        self, battles: Battles, is_personal: Callable[[str], bool], terms: str, random: Random | None = None
    ) -> None:
        self._battles = battles
        self._store = battles.store
        self._rules = battles.rules
        self._is_personal = is_personal
        self._terms = terms
        self._random = random or SystemRandom()

    def next(self, viewer: Viewer, have: Collection[str], consent_version: str) -> BattleView | None:
        """Return the rater's oldest open rated battle that is not in `have`, or a new one; None if there is none.

        Args:
            consent_version: of the terms that the rater agrees to by judging.
        """
        for _ in range(TRIES):
            with self._store.reading() as reading:
                reserved = self._reserved(reading, viewer, have)
                offered = None if reserved else self._choose(reading, viewer)
            if reserved is None and offered is not None:
                reserved = self._reserve(offered, viewer, have, consent_version)
            if reserved is not None:
                return self._battles.view(reserved, viewer)
            if offered is None:
                return None
        return None

    def gone(self, have: Collection[str]) -> tuple[str, ...]:
        """Return those of some battles that cannot be judged any more: given back, or hidden since they were loaded."""
        with self._store.reading() as reading:
            return tuple(battle_id for battle_id in have if self._is_gone(reading, battle_id))

    def count(self, viewer: Viewer) -> int:
        """Count the rated battles that a rater has judged."""
        with self._store.reading() as reading:
            return reading.count_rated(viewer.rater)

    def _reserved(self, reading: Reading, viewer: Viewer, have: Collection[str]) -> str | None:
        for battle_id in reading.reserved_battles(viewer.rater):
            if battle_id not in have and not self._is_gone(reading, battle_id):
                return battle_id
        return None

    def _is_gone(self, reading: Reading, battle_id: str) -> bool:
        battle = reading.battle(battle_id)
        is_void = battle is None or self._rules.now(battle).state is BattleState.VOID
        return is_void or reading.shows_hidden_answers(battle_id)

    def _choose(self, reading: Reading, viewer: Viewer) -> str | None:
        for sample in self._samples(reading, viewer):
            ranked = sorted(sample, key=lambda offered: (offered[1], self._random.random()))
            for battle_id, _ in ranked:
                if self._fits(reading, found(reading, battle_id), viewer):
                    return battle_id
        return None

    def _samples(self, reading: Reading, viewer: Viewer) -> Iterator[list[tuple[str, int]]]:
        """Yield all offered battles, some at a time, in the order of their ids from a random one on."""
        middle = f"{self._random.getrandbits(128):032x}"
        left: list[tuple[str, int]] = []
        for start, end in ((middle, _LAST), (_FIRST, middle)):
            while True:
                some = reading.offered_battles(viewer.rater, self._terms, start, end, SAMPLE - len(left))
                left += some
                if not some:
                    break
                start = some[-1][0] + "\0"
                if len(left) == SAMPLE:
                    yield left
                    left = []
        if left:
            yield left

    def _fits(self, reading: Reading, battle: Battle, viewer: Viewer) -> bool:
        """Return True if all answers are good, not all the same, and new to the rater, and no word looks personal."""
        answers = [side.generation.text for side in battle.sides if side.generation is not None]
        if len(battle.good_sides) < len(battle.sides) or len(set(answers)) == 1:
            return False
        asked = battle.instruction
        if any(self._is_personal(text) for text in (asked.instruction, asked.input, asked.system, *answers) if text):
            return False
        now = self._rules.clock.now()
        return not (
            reading.shows_hidden_answers(battle.id)
            or reading.has_seen(viewer.rater, battle, now)
            or self._rules.networks.has_seen(viewer, battle)
        )

    def _reserve(self, offered: str, viewer: Viewer, have: Collection[str], consent_version: str) -> str | None:
        """Store a battle of the rater; return its id, or of one that another request has made; None if it is gone."""

        def work(writing: Writing) -> str | None:
            reserved = self._reserved(writing, viewer, have)
            if reserved is not None:
                return reserved
            parent = found(writing, offered)
            is_gone = parent.withheld or writing.shows_hidden_answers(parent.id)
            if is_gone or writing.has_comparison(parent.comparison_id, viewer.rater):
                return None
            battle = self._copy(parent, viewer)
            writing.insert_battle(battle)
            writing.agree(viewer.rater, consent_version, battle.created_at)
            return battle.id

        return self._store.write(work)

    def _copy(self, parent: Battle, viewer: Viewer) -> Battle:
        """Return an open battle of the rater on the same answers, in an order of its own."""
        now, order = self._rules.clock.now(), list(parent.sides)
        self._random.shuffle(order)
        letters = {side.side: letter for side, letter in zip(order, SIDES, strict=False)}
        copy = replace(
            parent,
            id=self._rules.new_id(),
            parent_id=parent.id,
            owner=viewer.rater,
            source=viewer.source,
            state=BattleState.GENERATING,
            overrides=_moved_overrides(parent.overrides, letters),
            sides=tuple(replace(side, side=letters[side.side]) for side in order),
            created_at=now,
            opened_at=None,
            final_at=None,
            vote=None,
            revision=0,
            rated=True,
        )
        return moved(copy, Event.LAST_ENDED, now)


def _moved_overrides(overrides: Mapping[str, Any], letters: Mapping[str, str]) -> Mapping[str, Any]:
    """Return parameters by side under the sides' new letters; those for all sides as they are."""
    return {letters.get(name, name): value for name, value in overrides.items()}
