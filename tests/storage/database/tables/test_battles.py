"""Battles, generations, instructions and cards in the database."""

from __future__ import annotations

import json
import sqlite3
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import InvalidValue
from playground.records import Instruction, Prompt, SamplingParams
from playground.storage.database.rows import model_row, read_card
from tests.support.cast import ADA, MAMBA, MODELS, OPENALPACA, House, battle, card, generation
from tests.support.memory import memory_store


def test_battle_round_trips(home: House) -> None:
    made = battle(overrides={"temperature": 0.5, "seed": 3}, draw_probability=0.25, parent_id="gone")
    home.battles.create(made)
    assert home.store.battle("battle-1") == made


@given(
    text=st.text(st.characters(exclude_categories=["Cs"])),
    token_ids=st.lists(st.integers(0, 2**31)).map(tuple),
    duration_s=st.floats(0, 1e6),
)
def test_generation_round_trips(text: str, token_ids: tuple[int, ...], duration_s: float) -> None:
    made = generation(
        "g", text=text, token_ids=token_ids, duration_s=duration_s, instruction=Instruction(text, text, text)
    )
    with memory_store() as store:
        store.upsert_model(card())
        store.write(lambda writing: writing.insert_generation(made))
        with store.reading() as reading:
            assert reading.generation("g") == made
            row = reading._connection.execute("SELECT good, chars FROM generations").fetchone()
    assert tuple(row) == (made.good, len(text))


@pytest.mark.parametrize(
    ("token_ids", "versions", "tokens"),
    [((), {}, 0), ((), {"tokens": "31"}, 31), ((7, 8), {}, 5)],
    ids=["never sent", "counted by its server", "ids"],
)
def test_tokens_of_a_day_leave_out_requests_that_were_never_sent(
    token_ids: tuple[int, ...], versions: dict[str, str], tokens: int
) -> None:
    prompt = Prompt("Hi", (1, 2, 3), "minotaur", "")
    made = generation("g", prompt=prompt, token_ids=token_ids, versions=versions)
    with memory_store() as store:
        store.upsert_model(card())
        store.write(lambda writing: writing.insert_generation(made))
        with store.reading() as reading:
            assert reading.tokens_since(made.model_id, made.created_at) == tokens


def test_card_stored_without_self_names_is_read() -> None:
    row = model_row(card(self_names=("Zorblax", "Acme Labs")))
    assert read_card(row).self_names == ("Zorblax", "Acme Labs")
    kept = json.loads(row["card"])
    del kept["self_names"]
    assert read_card({**row, "card": json.dumps(kept)}) == card()


def test_newer_card_replaces_older(home: House) -> None:
    newer = card(revision="fff", sampling=SamplingParams(top_k=5), notes=("ö", "\u2028"))
    home.store.upsert_model(newer)
    with home.store.reading() as reading:
        assert reading.cards([OPENALPACA, "no-such"]) == {OPENALPACA: newer}
        assert list(reading.cards()) == sorted(MODELS)


def test_card_that_cannot_be_read_is_named_once_and_stands_for_its_columns(
    home: House, raw: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    raw.execute("UPDATE models SET card = json_set(card, '$.colour', ?) WHERE id = ?", (str(uuid4()), OPENALPACA))
    raw.commit()
    for _ in range(2):
        with home.store.reading() as reading:
            cards = reading.cards()
    assert list(cards) == sorted(MODELS)
    assert cards[MAMBA] == card(MAMBA)
    bad, good = cards[OPENALPACA], card()
    assert (bad.name, bad.repo, bad.revision, bad.license) == (good.name, good.repo, good.revision, good.license)
    assert [record.message.count(OPENALPACA) for record in caplog.records] == [1]
    home.battle_is_open()
    home.battles.vote("battle-1", "a", ADA, final=True)
    assert [column.card.id for column in home.battles.view("battle-1", ADA).columns if column.card] == [
        OPENALPACA,
        MAMBA,
    ]


def test_equal_instructions_are_stored_once(home: House, raw: sqlite3.Connection) -> None:
    home.battle_is_open("battle-1")
    home.battle_is_open("battle-2")
    home.battle_is_open("battle-3", instruction=Instruction("Write a haiku about the sea. "))
    assert raw.execute("SELECT count(*) FROM instructions").fetchone()[0] == 2


def test_lone_surrogate_is_refused(home: House, raw: sqlite3.Connection) -> None:
    before = list(raw.iterdump())
    with pytest.raises(InvalidValue, match="cannot be stored"):
        home.battles.create(battle(instruction=Instruction("\ud800")))
    assert list(raw.iterdump()) == before
