"""Ids of battles and models, and names of raters, have one form."""

from __future__ import annotations

import pytest

from playground.errors import InvalidValue, Refused, Unknown
from playground.rater_ids import rater_id
from playground.validation.ids import clean_battle_id, clean_model_id, clean_models, clean_rater
from tests.validation.values import deep_list


def test_a_battle_id_is_32_hexadecimal_digits() -> None:
    assert clean_battle_id("0123456789abcdef" * 2) == "0123456789abcdef" * 2


@pytest.mark.parametrize(
    "battle_id", ["", "x", "0" * 31, "0" * 33, "A" * 32, "0" * 32 + "\n", "٣" * 32, "0" * 1_000_000]
)
def test_text_of_another_form_is_an_unknown_battle(battle_id: str) -> None:
    with pytest.raises(Refused, match=r"There is no battle .*; an id is 32 hexadecimal digits") as caught:
        clean_battle_id(battle_id)
    assert caught.value.reason == "unknown"
    assert len(str(caught.value)) < 400


@pytest.mark.proves("a battle id that is a list, or 1 MB long")
@pytest.mark.parametrize("battle_id", [None, 3, ["0" * 32], {}, deep_list()])
def test_a_battle_id_is_text(battle_id: object) -> None:
    with pytest.raises(InvalidValue, match=r"battle_id is .*; it has to be text, 32 hexadecimal digits"):
        clean_battle_id(battle_id)


def test_two_to_six_models_or_none_are_valid() -> None:
    assert clean_models([]) == ()
    assert clean_models(["a", "a"]) == ("a", "a")
    assert clean_models(clean_models(["pocket-galpaca", "org/name"])) == ("pocket-galpaca", "org/name")


@pytest.mark.parametrize(
    ("models", "words"),
    [
        (None, "models is nothing; it has to be a list of model ids"),
        ("pocket-galpaca", "models is of type str; it has to be a list of model ids"),
        (["a"], "models names 1; choose 2 to 6, or none for two of our choice"),
        (["a"] * 7, "models names 7; choose 2 to 6"),
        (["a"] * 1_000_000, "models names 1,000,000; choose 2 to 6"),
        (["a", None], "a model id is nothing; it has to be text"),
        (["a", ""], "a model id is ''; it has to be 1 to 200 printable characters"),
        (["a", "x" * 1_000_000], "(1,000,000 characters); it has to be 1 to 200 printable characters"),
        (["a", "\ud800"], "a model id is '\\ud800'; it has to be"),
    ],
)
def test_invalid_models_are_refused(models: object, words: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        clean_models(models)
    assert words in str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize("model", [None, 3, ["a"], {"a": 1}, "", "x" * 100_000, "a\x00"])
def test_an_impossible_model_id_is_unknown_with_a_short_message(model: object) -> None:
    with pytest.raises(Unknown, match=r"^unknown model .*; the valid ids are those that /models lists") as caught:
        clean_model_id(model)
    assert len(str(caught.value)) < 200


def test_a_possible_model_id_is_unchanged() -> None:
    for model in ("pocket-galpaca", "org/name@main", "nobody"):
        assert clean_model_id(model) == model


def test_raters_are_short_names() -> None:
    for rater in ("api", "alice@example.org", "rater-1", "Zoë"):
        assert clean_rater(clean_rater(rater)) == rater
    for rater in ("", " ", "a b", "a\n", "x" * 65, None, 3, "<script>"):
        with pytest.raises(InvalidValue, match=r"rater is .*; valid: 1 to 64 letters, digits and"):
            clean_rater(rater)


@pytest.mark.parametrize("rater", [rater_id("ab" * 16), rater_id("ab" * 16).upper()])
def test_a_program_cannot_use_the_id_of_a_rater_of_the_page(rater: str) -> None:
    with pytest.raises(InvalidValue, match="which has the form of a rater of the page; choose another name"):
        clean_rater(rater)
