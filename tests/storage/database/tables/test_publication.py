"""Reads for a publication."""

from __future__ import annotations

from tests.support.cast import House


def test_battle_of_another_arena_may_have_a_comma_in_its_id(home: House) -> None:
    """Else its answers would be published if the part after the comma is a battle that is."""
    for battle_id in ("battle-1", "other,battle-1"):
        home.battle_is_open(battle_id)
    with home.store.reading() as reading:
        found = {stored["id"]: list(battles) for stored, battles in reading.generations_with_battles()}
    assert found["other,battle-1-a"] == ["other,battle-1"]
    assert found["battle-1-a"] == ["battle-1"]
