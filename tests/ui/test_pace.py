"""The more battles are being written, the seldomer each is looked at."""

from __future__ import annotations

import pytest

from playground.ui.pace import AT_FULL_PACE, SLOWEST_S, TICK_S, tick_s


def test_a_few_readers_see_every_tick() -> None:
    assert {tick_s(battles) for battles in range(AT_FULL_PACE + 1)} == {TICK_S}


@pytest.mark.parametrize("battles", [7, 12, 32, 60])
def test_all_battles_together_are_looked_at_no_more_often_than_a_few(battles: int) -> None:
    assert battles / tick_s(battles) == pytest.approx(AT_FULL_PACE / TICK_S)


def test_nobody_waits_for_longer_than_a_second() -> None:
    assert tick_s(10_000) == SLOWEST_S
