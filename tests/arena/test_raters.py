"""Raters of the page: the battle that they may go on with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from playground.arena.battles import ArenaBattles
from playground.arena.raters import Raters
from playground.arena.running import RunningBattles
from playground.battles import Moderation
from playground.ratings.policy import CountingPolicy
from playground.ratings.standing import standing_of
from tests.support.cast import ADA, House, house
from tests.support.studying import studied


@pytest.mark.parametrize(
    "withheld", [lambda home: Moderation(home.battles).hide("battle-1"), lambda home: home.battles.erase(ADA)]
)
def test_battle_without_its_words_is_not_offered(withheld: Callable[[House], object]) -> None:
    home, running = house(), RunningBattles()
    battles = ArenaBattles(home.battles.rules, running)
    battles.open(home.store)
    raters = Raters(battles, running, CountingPolicy())
    home.battle_is_open()
    offered = raters.unfinished(ADA, 100)
    assert offered is not None
    assert offered.battle_id == "battle-1"
    withheld(home)
    assert raters.unfinished(ADA, 100) is None


@pytest.mark.parametrize("is_closed", [False, True])
def test_list_and_copy_agree_whether_votes_of_a_study_count(is_closed: bool) -> None:
    study = studied(house(), 6, 1, repeats=0.5)
    home, policy = study.home, CountingPolicy()
    for wait_s in (5.0, 0.1) * 4:
        study.next(1)
        home.time.pass_s(wait_s)
        study.judge(1)
    if is_closed:
        home.store.write(lambda writing: writing.close_study("helpful", home.time.now(), "done"))
    kinds = {kind for (kind,) in study.rows("SELECT DISTINCT study_kind FROM battles")}
    rules = replace(home.battles.rules, standing_of=lambda reading, battle: standing_of(reading, battle, policy))
    battles = ArenaBattles(rules, RunningBattles())
    battles.open(home.store)
    raters = Raters(battles, RunningBattles(), policy)
    listed = {own.battle_id: own.standing for own in raters.latest_battles("rater-1", 50, 100)}
    copied = {one["battle_id"]: (one["counts"], one["why_not"]) for one in raters.document("rater-1")["battles"]}
    assert kinds == {"item", "repeat"}
    assert {id: standing and (standing.counts, standing.why_not) for id, standing in listed.items()} == copied
    assert sorted(counts for counts, _ in copied.values()) == [False] * 4 + [True] * 4
