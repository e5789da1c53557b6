"""The arena's regular work: what is due is done without anybody asking."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.arena.recorder import Recorder
from playground.arena.running import RunningBattles
from playground.arena.upkeep import EXPIRE_EVERY_S, Upkeep
from playground.battles import Battles
from playground.clock import Clock
from tests.support.cast import house
from tests.support.paneling import paneled
from tests.support.patience import wait_until

DAY_S = 24 * 3600.0


@pytest.mark.slow  # the work begins every second
def test_ids_of_a_panel_are_deleted_after_the_study(tmp_path: Path) -> None:
    home = house(tmp_path)
    study = paneled(home, 2)
    study.enter()
    home.store.write(lambda writing: writing.close_study("helpful", home.time.now(), "enough"))
    now_s = [0.0]
    clock = Clock(home.time.now, lambda: now_s[0])
    battles = Battles(home.store, home.battles.rules)
    upkeep = Upkeep(battles, RunningBattles(), Recorder(lambda *_: None), (), clock, abandon_s=60)
    try:
        home.time.pass_s(90 * DAY_S)
        assert study.study.rows("SELECT count(*) FROM panel_ids") == [(1,)]
        now_s[0] = EXPIRE_EVERY_S
        wait_until(lambda: study.study.rows("SELECT count(*) FROM panel_ids") == [(0,)])
    finally:
        upkeep.close()
        home.store.close()
