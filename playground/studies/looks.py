"""Looks at the votes of running studies: one ends when its claim is decided, one draws the pairs that tell most.

Boundary: reads votes, and closes studies; the claim is in `decision`, the gains of pairs in `ratings.pairing`.
"""

from __future__ import annotations

from threading import Lock

from playground.battles.life import Battles
from playground.ratings.claims import ClaimMemory, looks
from playground.ratings.pairing import Pairing
from playground.studies.assignment import Plan
from playground.studies.decision import decision_of, study_board


class Looks:
    """The looks at the studies of one store, each made once: at fixed numbers of votes, a tenth apart, and at all.

    A look is made outside of the transactions that store votes, by one thread for each study.
    """

    def __init__(self, battles: Battles) -> None:
        self._store = battles.store
        self._clock = battles.rules.clock
        self._memory = ClaimMemory()
        self._made: dict[str, int] = {}  # looks, by study
        self._pairings: dict[str, Pairing] = {}
        self._making: dict[str, Lock] = {}

    def look(self, plan: Plan, votes: int) -> None:
        """Look at a study's votes if another look is due; close the study if its claim is decided.

        Args:
            votes: final ones.
        """
        if not plan.is_watched:
            return
        file, now = plan.file, self._clock.now()
        due = len(looks(votes)) + (votes >= file.votes)  # a last look is at all votes
        if due <= self._made.get(file.id, 0):
            return
        making = self._making.setdefault(file.id, Lock())
        if making.acquire(blocking=False):  # others go on meanwhile: threads that wait here would keep votes waiting
            try:
                self._make(plan, due, now)
            finally:
                making.release()

    def _make(self, plan: Plan, due: int, now: str) -> None:
        file = plan.file
        if due <= self._made.get(file.id, 0):  # it was made just now
            return
        with self._store.reading() as reading:
            board = study_board(reading, file, now, self._memory)
            decision = decision_of(board, file)
        self._made[file.id] = due
        if file.is_informative:
            self._pairings[file.id] = Pairing.of(board.table)
        if decision is not None and decision.is_made:
            self._store.write(lambda writing: writing.close_study(file.id, now, decision.words))

    def pairing(self, study_id: str) -> Pairing | None:
        """Return the gains of pairs after the last look; None before the first, and in studies that draw all alike."""
        return self._pairings.get(study_id)
