"""The operator's decisions on battles that are being written."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from playground.arena.battles import ArenaBattles
from playground.arena.comparison import Comparison
from playground.arena.moderation import ArenaModeration
from playground.arena.running import RunningBattles
from playground.battles import Viewer
from playground.records import Generation
from tests.support.cast import ADA, HAIKU, battle, house


def recorded(ended: Mapping[str, Generation]) -> None:
    """Take what has ended."""


@pytest.mark.parametrize("blind", [True, False])
def test_battle_is_hidden_from_its_rater_while_it_is_written(blind: bool) -> None:
    home, running = house(), RunningBattles()
    battles = ArenaBattles(home.battles.rules, running)
    battles.open(home.store)
    begun = home.battles.create(battle(blind=blind))
    running.add(begun, Comparison(begun.id, blind, [], home.time.clock, recorded))
    moderation = ArenaModeration(battles, running)
    assert battles.view(begun.id, Viewer(ADA)).instruction.instruction == HAIKU.instruction
    moderation.hide(begun.id)
    view = battles.view(begun.id, Viewer(ADA))
    assert (view.hidden, view.instruction.instruction) == (True, "")
    moderation.show(begun.id)
    assert battles.view(begun.id, Viewer(ADA)).instruction.instruction == HAIKU.instruction
