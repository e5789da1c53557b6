"""The gate watch reads the last days of the database, and knows nothing when it cannot."""

from __future__ import annotations

import pytest

from playground.arena.gate_watch import EVERY_S, arena_gate_watch
from playground.arena.refreshed import Refreshed
from playground.clock import Clock
from playground.ratings.gate_watch import GateState, GateWatch
from playground.ratings.policy import CountingPolicy, ExclusionReason
from playground.records import Instruction
from playground.ui.pages.leaderboard.left_out import left_out_html
from tests.support.cast import ADA, House, house
from tests.support.studying import studied

DAY_S = 86400.0


def vote(home: House, name: str, after_s: float) -> None:
    home.battle_is_open(name, instruction=Instruction(f"Write haiku {name}."), draw_probability=0.5)
    home.time.pass_s(after_s)
    home.battles.vote(name, "a", ADA, final=True)


def watch_of(home: House) -> Refreshed[GateWatch]:
    return arena_gate_watch(CountingPolicy(), Clock(home.time.now, lambda: home.time.at.timestamp()))


def test_watch_has_the_last_days_with_their_reasons() -> None:
    home = house()
    vote(home, "old", 2)
    home.time.pass_s(9 * DAY_S)
    vote(home, "yesterday", 0.1)
    home.time.pass_s(DAY_S)
    watch = watch_of(home)
    watch.refresh(home.store)
    vote(home, "today", 2)
    watch.refresh(home.store)
    assert watch.latest is not None
    assert [day.votes for day in watch.latest.days] == [0] * 6 + [1, 0], "read just now"
    home.time.pass_s(EVERY_S)
    watch.refresh(home.store)
    assert [day.votes for day in watch.latest.days] == [0] * 6 + [1, 1]
    assert [dict(day.left_out) for day in watch.latest.days] == [{}] * 6 + [{ExclusionReason.TOO_QUICK: 1}, {}]
    assert watch.latest.state is GateState.UNKNOWN
    html = left_out_html(watch.latest, CountingPolicy())
    assert "Too few votes to tell" in html
    assert "<th scope='row'>2026-11-29</th><td>1</td><td>1 (100 %)</td>" in html
    assert "<th scope='row'>today</th><td>1</td><td>–</td>" in html


def test_chosen_pairs_are_left_out_only_if_drawn_ones_count() -> None:
    home = house()
    home.battle_is_open("chosen")
    home.time.pass_s(2)
    home.battles.vote("chosen", "a", ADA, final=True)
    watch = watch_of(home)
    watch.refresh(home.store)
    assert watch.latest is not None
    assert dict(watch.latest.days[-1].left_out) == {}
    vote(home, "drawn", 2)
    home.time.pass_s(EVERY_S)
    watch.refresh(home.store)
    assert dict(watch.latest.days[-1].left_out) == {ExclusionReason.CHOSEN_PAIR: 1}


def test_days_are_read_again_when_a_study_is_closed() -> None:
    study = studied(house(), 3, 1)
    home = study.home
    for _ in range(3):
        study.next(1)
        home.time.pass_s(5)
        study.judge(1)
    home.time.pass_s(DAY_S)
    watch = watch_of(home)
    watch.refresh(home.store)
    assert watch.latest is not None
    assert dict(watch.latest.days[-2].left_out) == {ExclusionReason.STUDY_RUNNING: 3}
    home.store.write(lambda writing: writing.close_study("helpful", home.time.now(), "done"))
    home.time.pass_s(EVERY_S)
    watch.refresh(home.store)
    assert dict(watch.latest.days[-2].left_out) == {}


def test_vote_that_can_be_undone_is_not_counted_yet() -> None:
    home = house()
    home.battle_is_open("battle-1", draw_probability=0.5)
    home.battles.vote("battle-1", "a", ADA)
    watch = watch_of(home)
    watch.refresh(home.store)
    assert watch.latest is not None
    assert watch.latest.days[-1].votes == 0


def test_watch_that_cannot_read_knows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    home = house()
    watch = watch_of(home)
    watch.refresh(home.store)
    assert watch.latest is not None
    home.store.close()
    home.time.pass_s(EVERY_S)
    watch.refresh(home.store)
    assert watch.latest is None
    assert "is not known now" in left_out_html(watch.latest, CountingPolicy())
