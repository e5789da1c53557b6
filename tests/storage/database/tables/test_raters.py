"""Consent in the database."""

from __future__ import annotations

import pytest

from playground.records import BattleSide
from tests.support.cast import ADA, OPENALPACA, PARAMS, House, battle
from tests.support.storing import rows


def test_consent_is_stored_with_the_first_battle(home: House) -> None:
    first = home.time.now()
    home.battles.create(battle("one", created_at=first), "2026-11-20")
    home.time.pass_s(60)
    home.battles.create(battle("two", created_at=home.time.now()), "2026-11-20")
    home.battles.create(battle("three", created_at=home.time.now()), "2026-11-21")
    agreed = rows(home, "SELECT rater_id, version, created_at FROM consents ORDER BY version")
    assert agreed == [(ADA, "2026-11-20", first), (ADA, "2026-11-21", home.time.now())]


def test_failed_battle_leaves_no_consent(home: House) -> None:
    sides = (BattleSide("a", OPENALPACA, 5, PARAMS), BattleSide("b", "no-such-model", 5, PARAMS))
    with pytest.raises(Exception, match="FOREIGN KEY"):
        home.battles.create(battle(sides=sides), "2026-11-20")
    assert rows(home, "SELECT count(*) FROM consents") == [(0,)]


def test_earlier_consent_replaces_a_later_one(home: House) -> None:
    home.battles.create(battle("one", created_at="2026-11-20T19:00:00.000+00:00"), "v")
    home.battles.create(battle("two", created_at="2026-11-20T18:00:00.000+00:00"), "v")
    assert rows(home, "SELECT created_at FROM consents") == [("2026-11-20T18:00:00.000+00:00",)]
