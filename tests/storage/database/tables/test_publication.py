"""Reads for a publication."""

from __future__ import annotations

from tests.support.cast import House


def test_numbers_of_generations_are_those_of_the_sides_that_show_them(home: House) -> None:
    for battle_id in ("battle-1", "other,battle-1"):
        home.battle_is_open(battle_id)
        home.battles.vote(battle_id, "a", "rater-ada")
    with home.store.reading() as reading:
        numbers = {stored["id"]: stored["generation_row"] for stored in reading.good_generations()}
        sides = [side for vote in reading.votes_with_words() for side in vote["sides"]]
        shown = {side["generation_id"]: side["generation_row"] for side in sides}
        assert reading.last_generation() == max(numbers.values())
    assert shown == numbers
    assert len(shown) == 4
