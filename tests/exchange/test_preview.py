"""Previews equal the exports that follow; lists of battles go on where they ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.exchange import FORMATS, browse, export, preview
from playground.exchange.preview import SAMPLE
from playground.records import VoteFilter
from tests.exchange.test_exports import hide
from tests.support.cast import ADA, BEN, GALPACA, MAMBA, OPENALPACA, House, card, house
from tests.support.exporting import options, read


@pytest.mark.parametrize("format", FORMATS)
def test_preview_equals_the_export(home: House, tmp_path: Path, format: str) -> None:
    home.battles.erase(BEN)
    for ending in FORMATS[format].containers:
        path = tmp_path / f"out{ending}"
        done = export(home.store, format, path, options(format))
        seen = preview(home.store, format, options(format), rows=1, ending=ending)
        assert (seen.num_rows, seen.votes, seen.left_out) == (done.rows, done.votes, done.left_out)
        assert abs(seen.bytes - done.bytes) <= 1  # all rows are in the sample
        if ending in (".json", ".jsonl"):
            assert list(seen.rows) == read(path)[:1]
            assert not seen.rows or tuple(seen.rows[0]) == seen.columns


def test_preview_counts_rows_of_the_second_file(home: House) -> None:
    seen = preview(home.store, "pairs", options("pairs", split_licenses=True))
    assert (seen.num_rows, seen.num_other) == (3, 1)


@pytest.mark.slow
def test_preview_of_many_rows_estimates_the_size(tmp_path: Path) -> None:
    home = house()
    for number in range(SAMPLE + 50):
        home.battle_is_open(f"battle-{number:04}")
        home.battles.vote(f"battle-{number:04}", "a", ADA, final=True)
    seen = preview(home.store, "pairs")
    done = export(home.store, "pairs", tmp_path / "out.jsonl")
    assert (seen.num_rows, len(seen.rows)) == (SAMPLE + 50, 5)
    assert seen.bytes == pytest.approx(done.bytes, rel=0.01)


def test_unsuitable_container_is_refused(home: House) -> None:
    with pytest.raises(ValueError, match=r"kaggle-55k is not written as \.jsonl; valid: \.csv, \.parquet"):
        preview(home.store, "kaggle-55k", ending=".jsonl")


# Lists of battles


def test_browsed_battles_are_described(home: House) -> None:
    with home.store.reading() as reading:
        tie, three, pair = browse(reading, VoteFilter()).rows
    assert (pair.battle_id, pair.start, pair.category) == ("pair", "Write a haiku about the sea.", "creative")
    assert (pair.models, pair.winner, pair.reasons) == ((OPENALPACA, MAMBA), MAMBA, ("clear",))
    assert (pair.origin, pair.blind, pair.created_at) == ("person", True, "2026-11-20T19:00:00.000+00:00")
    assert (three.models, three.winner, three.reasons) == ((MAMBA, GALPACA), f"{MAMBA}>{GALPACA}", ())
    assert (tie.winner, tie.blind) == ("both_bad", False)


@pytest.mark.parametrize("model", ["GPT-4, turbo", "a,b", "two\nlines"])
def test_models_of_other_arenas_may_have_any_name(model: str) -> None:
    home = house()
    home.store.upsert_model(card(model))
    home.battle_is_open("named", (model, MAMBA))
    home.battles.vote("named", "a", ADA, final=True)
    with home.store.reading() as reading:
        [row] = browse(reading, VoteFilter()).rows
    assert (row.models, row.winner) == ((model, MAMBA), model)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_hold_every_battle_once(home: House, limit: int) -> None:
    for number in range(4):  # at the same time
        home.battle_is_open(f"battle-{number}")
        home.battles.vote(f"battle-{number}", "a", ADA, final=True)
    found, before = [], ""
    with home.store.reading() as reading:
        everything = [row.battle_id for row in browse(reading, VoteFilter()).rows]
        while True:
            page = browse(reading, VoteFilter(), before, limit)
            assert len(page.rows) <= limit
            found += [row.battle_id for row in page.rows]
            before = page.next
            if not before:
                break
    assert found == everything
    assert len(set(found)) == 7


def test_erased_and_hidden_battles_are_not_listed(home: House) -> None:
    home.battles.erase(BEN)
    hide(home, "pair")
    with home.store.reading() as reading:
        assert [row.battle_id for row in browse(reading, VoteFilter()).rows] == ["tie"]
        assert browse(reading, VoteFilter(words="haiku")).rows[0].battle_id == "tie"
        assert browse(reading, VoteFilter(words="sea,")).rows == ()
