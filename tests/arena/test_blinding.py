"""Guesses of a running playground are counted now and then."""

from __future__ import annotations

from pathlib import Path

from playground.arena.blinding import EVERY_S, arena_blinding
from playground.clock import Clock
from tests.support.cast import ADA, MAMBA, OPENALPACA, House, house


def guessed(home: House, battle_id: str) -> None:
    home.battle_is_open(battle_id, (OPENALPACA, MAMBA), draw_probability=1 / 3)
    home.battles.vote(battle_id, "a", ADA)
    home.battles.guess(battle_id, MAMBA, ADA)


def test_guesses_are_counted_after_a_rest(tmp_path: Path) -> None:
    home, at = house(tmp_path), [100.0]
    home.asks()
    watch = arena_blinding(Clock(monotonic=lambda: at[0]))
    assert watch.latest is None
    for number, expected in ((1, 1), (2, 1)):
        guessed(home, f"battle-{number}")
        watch.refresh(home.store)
        assert watch.latest is not None
        assert watch.latest.everyone.answered == expected
    at[0] += EVERY_S
    watch.refresh(home.store)
    assert watch.latest.everyone.answered == 2
    home.store.close()
    at[0] += EVERY_S
    watch.refresh(home.store)
    assert watch.latest is None
