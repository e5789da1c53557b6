"""Rows for exports: batches, texts that are read once, and what they have of each vote."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.storage.database.store import Store
from playground.storage.database.tables import exports, known_rows
from playground.storage.database.tables.known_rows import KnownRows
from tests.support.cast import ADA, House, house
from tests.support.judging import afternoon


@pytest.fixture
def store(tmp_path: Path) -> Store:
    home: House = house(tmp_path)
    afternoon(home)
    return home.store


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_batches_and_forgotten_texts_change_no_row(store: Store, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    with store.reading() as reading:
        votes, pairs = list(reading.exported_votes()), list(reading.exported_pairs(provenance=True))
        monkeypatch.setattr(exports, "BATCH", batch)
        monkeypatch.setattr(known_rows, "MOST_BYTES", 0)
        assert list(reading.exported_votes()) == votes
        assert list(reading.exported_pairs(provenance=True)) == pairs
    assert len(pairs) >= len(votes) > 3


def test_pairs_are_those_of_the_view(store: Store) -> None:
    with store.reading() as reading:
        found = [
            (pair.vote.vote_id, pair.side_a, pair.side_b, pair.a.model_id, pair.b.model_id, pair.winner)
            for pair in reading.exported_pairs(words=False)
        ]
        columns = "vote_id, side_a, side_b, model_a, model_b, winner"
        stated = reading.select(f"SELECT {columns} FROM pairs ORDER BY created_at, vote_id, side_a, side_b")
    assert found == [tuple(row) for row in stated]


def test_votes_that_stand_are_counted(tmp_path: Path) -> None:
    home = house(tmp_path)
    standing = 0
    for number, choices in enumerate(("a", "a undo", "a undo b", "a undo b undo", "tie")):
        battle_id = f"{number:032x}"
        home.battle_is_open(battle_id)
        for choice in choices.split():
            home.battles.undo(battle_id, ADA) if choice == "undo" else home.battles.vote(battle_id, choice, ADA)
        standing += not choices.endswith("undo")
    with home.store.reading() as reading:
        assert reading.count_standing_votes() == standing == 3


def test_row_is_read_once() -> None:
    read: list[list[int]] = []

    def load(keys: list[int]) -> list[tuple[int, str, int]]:
        read.append(keys)
        return [(key, f"row {key}", 10) for key in keys]

    known: KnownRows[int, str] = KnownRows(load)  # type: ignore[arg-type]
    assert known.of({3, 1})[3] == "row 3"
    assert known.of({1, 2})[2] == "row 2"
    assert read == [[1, 3], [2]]


def test_rows_beyond_the_limit_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_rows, "MOST_BYTES", 25)
    known: KnownRows[int, str] = KnownRows(lambda keys: [(key, f"row {key}", 10) for key in keys])
    known.of({1, 2, 3})
    assert set(known.of({3, 4})) == {3, 4}
