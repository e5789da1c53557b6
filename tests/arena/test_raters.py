"""Raters of the page: the battle that they may go on with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playground.arena.battles import ArenaBattles
from playground.arena.raters import Raters
from playground.arena.running import RunningBattles
from playground.battles import Moderation
from playground.ratings.policy import CountingPolicy
from tests.support.cast import ADA, House, house


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
