"""Whether one vote counts, asked of a database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from playground.ratings.counting import reasons_of
from playground.ratings.policy import CountingPolicy, Reason
from playground.ratings.standing import TELLS_MODELS, reason_of_battle, reasons_of_rater, visible_standing
from playground.records import BattleState, Instruction, Standing
from tests.support.cast import ADA, House, house

POLICY = CountingPolicy()


class TestStandingInTheDatabase:
    """What a rater is told of one vote is what the board does with it."""

    @staticmethod
    def told(home: House, battle_id: str) -> Reason | None:
        with home.store.reading() as reading:
            return reason_of_battle(reading, battle_id, POLICY)

    @staticmethod
    def voted(
        home: House, name: str, rater: str = ADA, source: str = "page", wait_s: float = 2, **changes: Any
    ) -> None:
        home.battle_is_open(name, owner=rater, source=source, **{"draw_probability": 0.05, **changes})
        home.time.pass_s(wait_s)
        home.battles.vote(name, "a", rater, final=True, source=source)

    def test_every_vote_is_told_what_the_board_does(self) -> None:
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
            "quick": Reason.TOO_QUICK,
            "chosen": Reason.CHOSEN_PAIR,
            "hot": Reason.CHANGED_SAMPLING,
            "open": Reason.OPEN_MODE,
            "program": Reason.BY_PROGRAM,
            "again": Reason.SEEN_BEFORE,
        }
        with home.store.reading() as reading:
            assert reasons_of_rater(reading, ADA, POLICY) == {
                name: reason for name, reason in on_the_board.items() if name != "program"
            }

    def test_chosen_pairs_count_until_somebody_judges_a_drawn_one(self) -> None:
        home = house()
        self.voted(home, "chosen", draw_probability=None)
        assert self.told(home, "chosen") is None
        self.voted(home, "program", "ann", "api")
        assert self.told(home, "chosen") is None
        self.voted(home, "drawn", instruction=Instruction("Something else."))
        assert self.told(home, "chosen") is Reason.CHOSEN_PAIR

    @pytest.mark.parametrize("how", [{"wait_s": 0.5}, {"blind": False}, {"overrides": {"top_k": 3}}])
    def test_a_drawn_pair_whose_vote_does_not_count_ends_no_fallback(self, how: dict[str, Any]) -> None:
        home = house()
        self.voted(home, "chosen", draw_probability=None)
        self.voted(home, "drawn", instruction=Instruction("Something else."), **how)
        assert self.told(home, "chosen") is None
        with home.store.reading() as reading:
            pairs = list(reading.judged_pairs())
        assert POLICY.with_fallback(pairs).pairs == "all"
        self.voted(home, "good", instruction=Instruction("Yet another."))
        assert self.told(home, "chosen") is Reason.CHOSEN_PAIR
        with home.store.reading() as reading:
            assert POLICY.with_fallback(list(reading.judged_pairs())).pairs == "drawn"

    def test_the_daily_cap_is_told(self) -> None:
        home = house()
        for number in range(4):
            self.voted(home, f"battle-{number}", instruction=Instruction(f"Say {number}."))
        with home.store.reading() as reading:
            told = [
                reason_of_battle(reading, f"battle-{n}", replace(POLICY, max_votes_per_rater_and_day=2))
                for n in range(4)
            ]
        assert told == [None, None, Reason.DAILY_CAP, Reason.DAILY_CAP]

    @pytest.mark.parametrize("state", [BattleState.VOTED, BattleState.REVEALED])
    @pytest.mark.parametrize("reason", [None, *Reason])
    def test_before_the_reveal_nothing_is_told_that_depends_on_the_models(
        self, reason: Reason | None, state: BattleState
    ) -> None:
        said = visible_standing(reason, state, True, POLICY)
        if state is BattleState.VOTED and (reason is None or reason in TELLS_MODELS):
            assert said is None
        else:
            assert said == Standing(reason is None, "" if reason is None else POLICY.why_not(reason))
