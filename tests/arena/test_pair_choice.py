"""Chances of pairs follow the stored votes, beside the visitors; reasons are kept for the latest battles."""

from __future__ import annotations

import pytest

from playground.arena import pair_choice
from playground.arena.pair_choice import GROWTH, PairChoice
from playground.clock import Clock
from playground.ratings.pairing import WhyDrawn
from playground.ratings.policy import CountingPolicy
from playground.records import Instruction
from playground.settings import Settings
from tests.support.cast import ADA, GALPACA, MAMBA, OPENALPACA, House, house
from tests.support.studying import studied

MODELS = (OPENALPACA, MAMBA, GALPACA)


def vote(home: House, number: int) -> None:
    asked = Instruction(f"Write haiku {number}.")
    home.battle_is_open(f"battle-{number}", models=(OPENALPACA, MAMBA), instruction=asked, draw_probability=0.5)
    home.time.pass_s(2)
    home.battles.vote(f"battle-{number}", "ab"[number % 2], ADA, final=True)


def choice_of(home: House, pairs: str = "informative") -> PairChoice:
    clock = Clock(home.time.now, lambda: home.time.at.timestamp())
    return PairChoice(Settings(pairs=pairs), CountingPolicy(), lambda: MODELS, clock)


def test_pairs_that_met_often_become_less_likely() -> None:
    home = house()
    choice = choice_of(home)
    choice.refresh(home.store)
    first = choice.pairing
    assert first is not None
    assert (first.votes, first.is_informed) == (0, False)
    for number in range(16):
        vote(home, number)
    home.time.pass_s(60)
    choice.refresh(home.store)
    assert choice.pairing is not None
    [*_, last] = choice.pairing.pairs_of(MODELS)
    assert {last.model_a, last.model_b} == {OPENALPACA, MAMBA}
    assert (last.met, choice.pairing.votes) == (16, 16)
    assert last.chance < 1 / 4


def test_chances_are_computed_again_when_a_study_is_closed() -> None:
    study = studied(house(), 16, 1)
    home = study.home
    for _ in range(16):
        study.next(1)
        home.time.pass_s(5)
        study.judge(1)
    choice = choice_of(home)
    choice.refresh(home.store)
    assert choice.pairing is not None
    assert choice.pairing.votes == 0
    home.store.write(lambda writing: writing.close_study("helpful", home.time.now(), "done"))
    home.time.pass_s(60)
    choice.refresh(home.store)
    assert choice.pairing.votes == 16


def test_chances_are_computed_again_after_a_twentieth_more_votes() -> None:
    home = house()
    choice = choice_of(home)
    for number in range(2 * GROWTH):
        vote(home, number)
    choice.refresh(home.store)
    seen = choice.pairing
    for number in (2 * GROWTH, 2 * GROWTH + 1):
        home.time.pass_s(600)
        choice.refresh(home.store)
        assert choice.pairing is seen
        vote(home, number)
    home.time.pass_s(600)
    choice.refresh(home.store)
    assert choice.pairing is not seen


def test_uniform_draws_need_no_chances() -> None:
    home = house()
    choice = choice_of(home, "uniform")
    choice.refresh(home.store)
    assert choice.pairing is None


def test_the_latest_reasons_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_choice, "MOST_REASONS", 2)
    choice, why = choice_of(house()), WhyDrawn(0.2, 0.1, None)
    for name in ("old", "new", "newest"):
        choice.remember(name, why)
    choice.remember("chosen", None)
    assert [choice.why(name) for name in ("old", "new", "newest", "chosen")] == [None, why, why, None]
