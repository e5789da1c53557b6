"""Sampling parameters and seeds outside their range are named."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import InvalidValue
from playground.validation.sampling import OVERRIDE_KEYS, clean_overrides, clean_params, clean_seed
from tests.validation.values import JSON, deep_list


def test_overrides_get_the_types_of_their_parameters() -> None:
    clean = clean_overrides({"temperature": 1, "top_k": 40.0, "min_p": 0, "max_new_tokens": 8, "seed": 7.0})
    assert clean == {"temperature": 1.0, "top_k": 40, "min_p": 0.0, "max_new_tokens": 8, "seed": 7}
    assert [type(clean[name]) for name in ("temperature", "top_k", "min_p", "seed")] == [float, int, float, int]
    assert clean_overrides(clean) == clean
    assert clean_overrides({}) == {}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"temprature": 1}, f"unknown parameter 'temprature'; valid: {', '.join(OVERRIDE_KEYS)}"),
        ({"renormalize_logits": True}, "unknown parameter 'renormalize_logits'; valid: max_new_tokens, "),
        ({3: 1}, "unknown parameter 3; valid: "),
        ({"temperature": math.nan}, "'temperature' is nan; valid: 0.01 to 5"),
        ({"temperature": math.inf}, "'temperature' is inf; valid: 0.01 to 5"),
        ({"temperature": 0}, "'temperature' is 0.0; valid: 0.01 to 5"),
        ({"temperature": "0.7"}, "'temperature' is of type str; it has to be a number"),
        ({"temperature": True}, "'temperature' is True; it has to be a number"),
        ({"temperature": None}, "'temperature' is nothing; it has to be a number"),
        ({"top_p": 0}, "'top_p' is 0.0; valid: above 0, to 1"),
        ({"min_p": 1.5}, "'min_p' is 1.5; valid: 0 (off) to 1"),
        ({"top_p": 10**400}, "'top_p' is a number; no parameter is that large"),
        ({"top_k": 1.5}, "'top_k' is 1.5; it has to be a whole number"),
        ({"top_k": math.nan}, "'top_k' is nan; it has to be a whole number"),
        ({"top_k": math.inf}, "'top_k' is inf; it has to be a whole number"),
        ({"max_new_tokens": 0}, "'max_new_tokens' is 0; valid: 1 to 32768"),
        ({"max_new_tokens": 5, "min_new_tokens": 6}, "'min_new_tokens' is 6; valid: 0 to max_new_tokens"),
        ({"do_sample": 1}, "'do_sample' is 1; it has to be true or false"),
        ({"do_sample": deep_list()}, "'do_sample' is a list; it has to be a number (do_sample: true or false)"),
        ({"seed": -1}, "seed is -1; valid: a whole number, 0 to 4,294,967,295"),
        ({"seed": 2**32}, "seed is 4294967296; valid: a whole number, 0 to 4,294,967,295"),
        ({"seed": math.nan}, "seed is nan; valid: a whole number"),
        ({"seed": True}, "seed is True; valid: a whole number"),
    ],
)
def test_wrong_overrides_are_named(params: dict[object, object], words: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        clean_overrides(params)
    assert words in str(caught.value)


def test_overrides_are_those_of_all_sides_or_by_side() -> None:
    assert clean_params({"max_new_tokens": 301}) == {"max_new_tokens": 301}
    assert clean_params([{"max_new_tokens": 300}, {}]) == {"a": {"max_new_tokens": 300}, "b": {}}


@pytest.mark.parametrize("params", [None, [], "temperature", 3, deep_list()])
def test_overrides_are_a_table(params: object) -> None:
    with pytest.raises(InvalidValue, match=r"params is .*; it has to be a table such as \{'temperature': 0.7\}"):
        clean_overrides(params)


@given(st.dictionaries(st.sampled_from([*OVERRIDE_KEYS, "x"]), JSON, max_size=3) | JSON)
def test_any_json_is_either_valid_or_refused(params: object) -> None:
    try:
        clean = clean_overrides(params)
    except InvalidValue as error:
        assert len(str(error)) < 300  # noqa: PT017
    else:
        assert clean_overrides(clean) == clean


def test_seeds_are_32_bits() -> None:
    assert [clean_seed(seed) for seed in (0, 2**32 - 1)] == [0, 2**32 - 1]
    with pytest.raises(InvalidValue, match="seed is '1'; valid: a whole number, 0 to 4,294,967,295"):
        clean_seed("1")
