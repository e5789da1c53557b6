"""The fleet answers for engines that run a model here, that run it elsewhere, and that are not there."""

from __future__ import annotations

import pytest

from playground.engines.fleet import Fleet
from playground.engines.local.engine import LocalEngine
from playground.engines.local.placement import Device
from playground.engines.protocol import MemoryFit
from playground.engines.remote.engine import RemoteEngine
from playground.settings import Settings
from tests.support.cast import card

GB = 10**9
SMALL = card("small", num_parameters=10**9)
LARGE = card("large", num_parameters=90 * 10**9)
FAR = card("far", engine="remote", servers=("http://127.0.0.1:1/v1",))
CLOUD = card("cloud", engine="zerogpu")


@pytest.fixture
def fleet() -> Fleet:
    local = LocalEngine(Settings(), devices=lambda: [Device("cuda:0", "GPU 0", 80 * GB, 79 * GB)])
    return Fleet(Settings(), {"local": local, "remote": RemoteEngine(Settings())})


def test_plan_covers_every_card(fleet: Fleet) -> None:
    fits = fleet.plan([CLOUD, LARGE, FAR, SMALL])
    assert fits["small"] == MemoryFit(True, True, "GPU 0, alone")
    assert fits["far"] == MemoryFit(True, False)
    assert fits["cloud"] == MemoryFit(False, False, "there is no engine 'zerogpu' yet; valid: local, remote")
    assert (fits["large"].fits, fits["large"].has_gpu) == (False, True)
    assert fits["large"].words.startswith("needs ")


@pytest.mark.parametrize("elsewhere", [FAR, CLOUD], ids=["remote", "missing"])
def test_check_finds_nothing_where_the_weights_are_elsewhere(fleet: Fleet, elsewhere: object) -> None:
    assert list(fleet.check(elsewhere)) == []
