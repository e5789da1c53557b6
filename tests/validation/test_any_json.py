"""Every function of the package returns a value for any JSON, or raises an error of ours."""

from __future__ import annotations

from hypothesis import given

from playground.errors import PlaygroundError
from playground.validation.ids import clean_battle_id, clean_model_id, clean_models, clean_rater
from playground.validation.sampling import clean_overrides, clean_seed
from playground.validation.texts import clean_comment, clean_instruction
from tests.validation.values import JSON


@given(value=JSON)
def test_every_function_returns_a_value_or_raises_our_error(value: object) -> None:
    functions = [
        clean_instruction,
        clean_battle_id,
        clean_model_id,
        clean_overrides,
        clean_seed,
        clean_models,
        clean_comment,
        lambda v: clean_comment([], v),
        clean_rater,
    ]
    for clean in functions:
        try:
            clean(value)
        except PlaygroundError as error:
            str(error).encode()
