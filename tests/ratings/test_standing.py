"""The standing of votes in a database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from playground.ratings.counting import reasons_of
from playground.ratings.policy import CountingPolicy, ExclusionReason
from playground.ratings.standing import TELLS_MODELS, reason_of_battle, reasons_of_rater, visible_standing
from playground.records import BattleState, Instruction, JudgedPair, Standing
from playground.storage.database.statements import Reading
from tests.support.cast import ADA, House, house

POLICY = CountingPolicy()


@dataclass
class Watched:
    """A `Reading` that notes the battles of the pairs that are read."""

    reading: Reading
    read: list[str]

    def judged_pairs(self, **which: str) -> Iterator[JudgedPair]:
        for pair in self.reading.judged_pairs(**which):  # type: ignore[arg-type]
            self.read.append(pair.battle_id)
            yield pair

    def __getattr__(self, name: str) -> Any:
        return getattr(self.reading, name)


class TestStandingInTheDatabase:
    """The standing of a vote agrees with the board."""

    @staticmethod
    def told(home: House, battle_id: str) -> ExclusionReason | None:
        with home.store.reading() as reading:
            return reason_of_battle(reading, battle_id, POLICY)

    @staticmethod
    def voted(
        home: House, name: str, rater: str = ADA, source: str = "page", wait_s: float = 2, **changes: Any
    ) -> None:
        home.battle_is_open(name, owner=rater, source=source, **{"draw_probability": 0.05, **changes})
        home.time.pass_s(wait_s)
        home.battles.vote(name, "a", rater, final=True, source=source)

    def test_standing_agrees_with_the_board(self) -> None:
        home = house()
        self.voted(home, "drawn")
        self.voted(home, "quick", wait_s=0.5)
        self.voted(home, "chosen", draw_probability=None)
        self.voted(home, "hot", overrides={"temperature": 1.0})
        self.voted(home, "open", blind=False)
        self.voted(home, "program", "ann", "api")
        self.voted(home, "again")  # after an open run of the same instruction
        with home.store.reading() as reading:
            pairs = list(reading.judged_pairs())
        reasons = reasons_of(pairs, POLICY.with_fallback(pairs))
        on_the_board = {pair.battle_id: reasons.get(pair.vote_id) for pair in pairs}
        assert {name: self.told(home, name) for name in on_the_board} == on_the_board
        assert on_the_board == {
            "drawn": None,
            "quick": ExclusionReason.TOO_QUICK,
            "chosen": ExclusionReason.CHOSEN_PAIR,
            "hot": ExclusionReason.CHANGED_SAMPLING,
            "open": ExclusionReason.OPEN_MODE,
            "program": ExclusionReason.BY_PROGRAM,
            "again": ExclusionReason.SEEN_BEFORE,
        }
        with home.store.reading() as reading:
            assert reasons_of_rater(reading, ADA, POLICY) == {
                name: reason for name, reason in on_the_board.items() if name != "program"
            }

    def test_chosen_pairs_count_until_a_drawn_one_is_judged(self) -> None:
        home = house()
        self.voted(home, "chosen", draw_probability=None)
        assert self.told(home, "chosen") is None
        self.voted(home, "program", "ann", "api")
        assert self.told(home, "chosen") is None
        self.voted(home, "drawn", instruction=Instruction("Something else."))
        assert self.told(home, "chosen") is ExclusionReason.CHOSEN_PAIR

    @pytest.mark.parametrize("how", [{"wait_s": 0.5}, {"blind": False}, {"overrides": {"top_k": 3}}])
    def test_uncounted_drawn_vote_does_not_end_the_fallback(self, how: dict[str, Any]) -> None:
        home = house()
        self.voted(home, "chosen", draw_probability=None)
        self.voted(home, "drawn", instruction=Instruction("Something else."), **how)
        assert self.told(home, "chosen") is None
        with home.store.reading() as reading:
            pairs = list(reading.judged_pairs())
        assert POLICY.with_fallback(pairs).pairs == "all"
        self.voted(home, "good", instruction=Instruction("Yet another."))
        assert self.told(home, "chosen") is ExclusionReason.CHOSEN_PAIR
        with home.store.reading() as reading:
            assert POLICY.with_fallback(list(reading.judged_pairs())).pairs == "drawn"

    def test_daily_cap(self) -> None:
        home = house()
        for number in range(4):
            self.voted(home, f"battle-{number}", instruction=Instruction(f"Say {number}."))
        with home.store.reading() as reading:
            told = [
                reason_of_battle(reading, f"battle-{n}", replace(POLICY, max_votes_per_rater_and_day=2))
                for n in range(4)
            ]
        assert told == [None, None, ExclusionReason.DAILY_CAP, ExclusionReason.DAILY_CAP]

    def test_vote_beyond_the_daily_cap_reads_only_the_votes_that_fill_it(self) -> None:
        home = house()
        for number in range(12):
            self.voted(home, f"battle-{number:02}", instruction=Instruction(f"Say {number}."), blind=number != 1)
        read: list[str] = []
        policy = replace(POLICY, max_votes_per_rater_and_day=2)
        with home.store.reading() as reading:
            votes = Watched(reading, read)
            assert reason_of_battle(votes, "battle-11", policy) is ExclusionReason.DAILY_CAP  # type: ignore[arg-type]
        assert read == ["battle-11", "battle-00", "battle-01", "battle-02", "battle-03"], (
            "one more, to see where a vote ends"
        )

    @pytest.mark.parametrize("state", [BattleState.VOTED, BattleState.REVEALED])
    @pytest.mark.parametrize("reason", [None, *ExclusionReason])
    def test_standing_that_depends_on_models_is_hidden_before_the_reveal(
        self, reason: ExclusionReason | None, state: BattleState
    ) -> None:
        said = visible_standing(reason, state, True, POLICY)
        if state is BattleState.VOTED and (reason is None or reason in TELLS_MODELS):
            assert said is None
        else:
            assert said == Standing(reason is None, "" if reason is None else POLICY.why_not(reason))
