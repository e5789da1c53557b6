"""Secrets of raters, and the ids that are stored for them."""

from __future__ import annotations

import pytest

from playground.rater_ids import is_id, is_secret, new_secret, rater_id


def test_new_secrets_are_valid_and_different() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(is_secret(secret) for secret in made)


@pytest.mark.parametrize("value", [None, 3, "", "ab", "g" * 32, "ab" * 16 + "\n", "AB" * 16])
def test_other_values_are_not_secrets(value: object) -> None:
    assert not is_secret(value)


def test_the_id_is_a_fixed_hash_of_the_secret() -> None:
    assert rater_id("0123456789abcdef" * 2) == "a545c0332d4b362fcf7c1bc247b71384"
    assert rater_id("ab" * 16) != rater_id("ab" * 15 + "ac")


def test_ids_are_recognised_in_both_cases() -> None:
    assert is_id(rater_id("ab" * 16))
    assert is_id(rater_id("ab" * 16).upper())
    assert not is_id("ann")
