"""The stored data of raters and the keys of programs, for the page and the API.

Boundary: adds to `battles.rater_data` whether votes count, and battles in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from playground.arena.battles import ArenaBattles
from playground.arena.live_answers import LiveAnswers
from playground.arena.running import RunningBattles
from playground.battles import REFUSALS, RaterData
from playground.errors import InvalidValue, Refused
from playground.messages import Message
from playground.rater_ids import key_hash
from playground.ratings.policy import CountingPolicy, ExclusionReason
from playground.ratings.standing import reasons_of_rater, told_policy, visible_standing
from playground.records import BattleState, Belongings, Erased, OwnBattle, Standing

UNFINISHED = (BattleState.GENERATING, BattleState.OPEN)


class Raters:
    """The data of raters of the page."""

    def __init__(
        self,
        battles: ArenaBattles,
        running: RunningBattles,
        policy: CountingPolicy,
        live_answers: LiveAnswers | None = None,
    ) -> None:
        self._battles = battles
        self._running = running
        self._live_answers = live_answers
        self._policy = policy

    def totals(self, rater: str) -> Belongings:
        """Return the number of a rater's battles, votes, notes and ids at panels."""
        return self._data.totals(rater)

    def latest_battles(self, rater: str, limit: int, chars: int) -> Sequence[OwnBattle]:
        """Return a rater's battles, newest first, with the first `chars` characters of each instruction."""
        latest = self._data.latest(rater, limit, chars)
        policies = {of_study: told_policy(self._policy, of_study) for of_study in {own.of_study for own in latest}}
        with self._battles.stored.store.reading() as reading:
            reasons = {key: reasons_of_rater(reading, rater, policy) for key, policy in policies.items()}
        return [replace(own, standing=_standing(own, reasons[own.of_study], policies[own.of_study])) for own in latest]

    def unfinished(self, rater: str, chars: int) -> OwnBattle | None:
        """Return a rater's latest battle if it can still be voted on, or is being written; else None."""
        latest = self._data.latest(rater, 1, chars)
        unfinished = (own for own in latest if own.state in UNFINISHED and not (own.erased or own.hidden))
        return next((own for own in unfinished if not self._is_rated(own)), None)

    def _is_rated(self, own: OwnBattle) -> bool:
        """Return True for a battle of the page Rate, which offers it itself."""
        battle = self._battles.stored.store.battle(own.battle_id)
        return battle is not None and battle.rated

    def document(self, rater: str) -> dict[str, Any]:
        """Return all data of a rater as one document."""
        return self._data.document(rater)

    def erase(self, rater: str) -> Erased:
        """Erase a rater's words in the database and their battles in memory.

        Raises:
            Refused: one of their battles, or the answers to an instruction of a study, are being written; nothing was
                erased.
        """
        in_memory = self._battles.in_memory.owned_by(rater)
        if not self._running.ids.isdisjoint(in_memory):
            raise Refused("writing", REFUSALS["writing"])
        if self._live_answers is not None:
            self._live_answers.check_idle(rater)
        erased = self._data.erase(rater)
        self._battles.in_memory.forget(in_memory)
        return erased

    def program_of(self, key: str) -> str:
        """Return the name of the program that has a key; raise InvalidValue if there is none."""
        with self._battles.stored.store.reading() as reading:
            name = reading.program_of_key(key_hash(key))
        if name is None:
            raise InvalidValue(Message("this key is not known here; make one with: python -m playground key NAME"))
        return name

    @property
    def _data(self) -> RaterData:
        return RaterData(self._battles.stored)


def _standing(own: OwnBattle, reasons: Mapping[str, ExclusionReason | None], policy: CountingPolicy) -> Standing | None:
    """Return whether the vote on a battle counts; None without a vote, or if its rater may not know yet."""
    if own.battle_id not in reasons:
        return None
    return visible_standing(reasons[own.battle_id], own.state, own.blind, policy)
