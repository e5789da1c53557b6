"""The number of votes that a rater gave today."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cast import ADA, House, house


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    """A database on disk: a battle in memory has a store of its own."""
    home = house(tmp_path)
    yield home
    home.store.close()


def test_battle_in_memory_counts_no_votes() -> None:
    home = house()
    home.battle_is_open()
    assert home.battles.vote("battle-1", "a", ADA).votes_today is None
    home.store.close()


def test_votes_today_are_counted_for_their_rater(home: House) -> None:
    for number in range(3):
        home.battle_is_open(f"battle-{number}")
        assert home.battles.vote(f"battle-{number}", "a", ADA).votes_today == number + 1
    assert home.battles.undo("battle-2", ADA).votes_today is None
    home.battles.vote("battle-2", "b", ADA)
    assert home.battles.view("battle-1", ADA).votes_today == 3
    home.time.pass_s(86400)
    home.battle_is_open("battle-9", created_at=home.time.now())
    assert home.battles.vote("battle-9", "a", ADA).votes_today == 1
