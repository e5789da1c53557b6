"""Judged battles from a file: a record that the database refuses fails alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from playground.errors import StorageError
from playground.exchange.imports.cards import card_of
from playground.exchange.imports.formats import Origins
from playground.exchange.imports.known import format_of
from playground.storage.database.store import Store
from playground.storage.database.tables.imports import Presence
from playground.storage.maintenance.imports import Incoming, add_judged
from tests.support.import_rows import ROWS
from tests.support.memory import memory_store


def incoming(number: int, duration_s: float = 0.0) -> Incoming:
    """Return a vote; with a negative duration, one that the database refuses."""
    row = ROWS["pairs"] | {"vote_id": f"vote-{number}"}
    judged = format_of("pairs").battle(row, Origins("file 0123456789ab", "2026-11-20T19:00:00.000+00:00")).judged
    answers = [side.generation for side in judged.battle.sides if side.generation is not None]
    sides = tuple(
        replace(side, generation=replace(answer, duration_s=duration_s))
        for side, answer in zip(judged.battle.sides, answers, strict=True)
    )
    judged = replace(judged, battle=replace(judged.battle, sides=sides))
    return Incoming(judged, (), {}, tuple(card_of(answer, "file") for answer in answers))


@pytest.mark.parametrize("bad", [0, 3, 6])
def test_record_that_the_database_refuses_fails_alone(bad: int) -> None:
    with memory_store() as store:
        outcomes = add_judged(store, [incoming(number, -1.0 if number == bad else 0.0) for number in range(7)])
        assert [outcome.presence for outcome in outcomes].count(Presence.NEW) == 6
        assert outcomes[bad].presence is Presence.CONFLICT
        assert outcomes[bad].why.startswith("the database refuses it: ")
        assert "duration_s" in outcomes[bad].why
        assert store.count_votes() == 6
        with store.reading() as reading:
            assert reading.scalar("SELECT count(*) FROM generations") == 12


def test_database_that_cannot_be_written_fails_the_whole_batch(tmp_path: Path) -> None:
    Store(tmp_path / "playground.db").close()
    with Store(tmp_path / "playground.db", read_only=True) as store, pytest.raises(StorageError, match="reading only"):
        add_judged(store, [incoming(1)])
