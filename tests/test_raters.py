"""The secret that a browser keeps and the id that is stored."""

from __future__ import annotations

import pytest

from playground.raters import is_id, is_secret, new_secret, rater_id


def test_a_new_secret_is_one_and_no_two_are_alike() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(is_secret(secret) for secret in made)


@pytest.mark.parametrize("value", [None, 3, "", "ab", "g" * 32, "ab" * 16 + "\n", "AB" * 16])
def test_anything_else_is_none(value: object) -> None:
    assert not is_secret(value)


def test_the_stored_id_is_always_the_same_and_does_not_show_the_secret() -> None:
    assert rater_id("0123456789abcdef" * 2) == "a545c0332d4b362fcf7c1bc247b71384"
    assert rater_id("ab" * 16) != rater_id("ab" * 15 + "ac")


def test_an_id_has_a_form_that_a_name_given_by_a_program_may_not_have() -> None:
    assert is_id(rater_id("ab" * 16))
    assert is_id(rater_id("ab" * 16).upper())
    assert not is_id("ann")
