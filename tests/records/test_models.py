"""Sampling parameters refuse unknown names, wrong types and values out of range."""

from __future__ import annotations

import math
from typing import Any

import pytest

from playground.errors import InvalidValue
from playground.records import WHEN_SAMPLING, SamplingParams

KEYS = "max_new_tokens, min_new_tokens, do_sample, temperature, top_k, top_p, min_p, repetition_penalty, "


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_new_tokens": 32_769}, "'max_new_tokens' is 32769; valid: 1 to 32768"),
        ({"max_new_tokens": 8, "min_new_tokens": 9}, "'min_new_tokens' is 9; valid: 0 to max_new_tokens"),
        ({"temperature": math.nan}, "'temperature' is nan; valid: 0.01 to 5"),
        ({"top_k": -1}, r"'top_k' is -1; valid: 0 \(off\) to 1000"),
        ({"top_p": 0.0}, "'top_p' is 0.0; valid: above 0, to 1"),
        ({"min_p": -0.1}, r"'min_p' is -0.1; valid: 0 \(off\) to 1"),
        ({"repetition_penalty": 3.1}, "'repetition_penalty' is 3.1; valid: 0.5 to 3"),
    ],
)
def test_values_out_of_range_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=f"^{message}$"):
        SamplingParams(**values)
    with pytest.raises(InvalidValue, match=f"^{message}$"):
        SamplingParams().changed(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"top_q": 1}, f"unknown key 'top_q'; valid keys: {KEYS}"),
        ({"do_sample": 1}, "'do_sample' is 1; it has to be true or false"),
        ({"top_p": True}, "'top_p' is True; it has to be a number"),
        ({"top_k": 1.5}, "'top_k' is 1.5; it has to be a whole number"),
    ],
)
def test_other_names_and_types_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValue, match=f"^{message}"):
        SamplingParams().changed(values)


def test_changed_parameters_have_their_own_types() -> None:
    changed = SamplingParams(top_p=0.5).changed({"top_k": 50.0, "temperature": 1, "do_sample": True})
    assert changed == SamplingParams(do_sample=True, temperature=1.0, top_k=50, top_p=0.5)
    assert (type(changed.top_k), type(changed.temperature)) == (int, float)


def test_parameters_of_sampling_are_marked() -> None:
    assert WHEN_SAMPLING == ("temperature", "top_k", "top_p", "min_p")
