"""Stored JSON of earlier versions is read; that of a newer one is refused with the field's name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground.errors import StorageError
from playground.records import SamplingParams
from playground.storage.database.rows import PRIVATE, model_row, read_card, read_params
from tests.support.cast import card


def card_row(**changes: Any) -> dict[str, Any]:
    """The row of a card whose JSON has some fields changed; None takes a field out."""
    row = model_row(card())
    stored = json.loads(row["card"]) | changes
    return {**row, "card": json.dumps({name: value for name, value in stored.items() if value is not None})}


def test_addresses_of_servers_are_not_stored() -> None:
    row = model_row(card(servers=("http://10.0.0.5/v1",), served_name="m"))
    assert PRIVATE.isdisjoint(json.loads(row["card"]))
    assert read_card(row) == card()


def test_a_card_of_an_earlier_version_lacks_fields() -> None:
    row = model_row(card(self_names=("Zorblax", "Acme Labs")))
    assert read_card(row).self_names == ("Zorblax", "Acme Labs")
    assert read_card(card_row(self_names=None, offload=None, kv_bytes_per_token=None)) == card()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, ": unknown key 'colour'; valid keys: id, name, repo, "),
        ({"sampling": {"top_q": 1}}, r" \[sampling\]: unknown key 'top_q'; valid keys: max_new_tokens, "),
        ({"license": None}, ": missing 'license'"),
        ({"notes": 3}, ": 'notes' is 3; it has to be a list"),
    ],
)
def test_a_card_with_other_fields_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StorageError, match=f"^the card of {card().id} in the database{message}"):
        read_card(card_row(**changes))


def test_sampling_parameters_of_an_earlier_version_lack_names() -> None:
    assert read_params('{"max_new_tokens":8,"do_sample":true,"temperature":1}') == SamplingParams(8, do_sample=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"top_q":1}', "unknown key 'top_q'; valid keys: max_new_tokens, "),
        ('{"top_k":-1}', r"'top_k' is -1; valid: 0 \(off\) to 1000"),
        ('{"top_k":"5"}', "'top_k' is '5'; it has to be a whole number"),
    ],
)
def test_bad_sampling_parameters_are_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(StorageError, match=f"^sampling parameters in the database: {message}"):
        read_params(text)
