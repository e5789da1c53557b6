"""Plans of columns: their parameters, seeds and prompts; and the settings that a blind battle does not take."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from playground.arena.column_plan import check_overrides, params_of, plan_columns, without_seed
from playground.catalog.catalog import Catalog
from playground.errors import InvalidValue, PlaygroundError
from playground.records import Instruction

CATALOG = Catalog.load()
CARDS = CATALOG.line_up(())
ASK = Instruction("What is an alpaca?")


@pytest.mark.parametrize(("own", "most"), [(20, 30), (40, 40)], ids=["the operator's", "the card's"])
def test_visitors_may_ask_for_the_operators_limit_or_the_cards_own_value(own: int, most: int) -> None:
    cards = [replace(card, sampling=replace(card.sampling, max_new_tokens=own)) for card in CARDS[:2]]
    planned = plan_columns(CATALOG, cards, ASK, {"max_new_tokens": most}, 30)
    assert planned[1].side.params.max_new_tokens == most
    assert plan_columns(CATALOG, cards, ASK, {}, 30)[0].side.params.max_new_tokens == own
    with pytest.raises(InvalidValue) as refused:
        plan_columns(CATALOG, cards, ASK, {"b": {"max_new_tokens": most + 1}}, 30)
    assert str(refused.value) == (
        f"'max_new_tokens' is {most + 1}; valid here: 1 to 30, the operator's PLAYGROUND_MAX_NEW_TOKENS, or to the "
        "card's own value where that is larger"
    )


def test_one_new_token_is_allowed_whatever_the_minimum_of_the_card() -> None:
    for card in CARDS:
        params = params_of(card, {"max_new_tokens": 1})
        assert (params.max_new_tokens, params.min_new_tokens) == (1, min(card.sampling.min_new_tokens, 1))


def test_a_parameter_of_sampling_turns_it_on_unless_told_otherwise() -> None:
    for card in CARDS:
        for changed in ({"temperature": 1.5}, {"top_k": 5}, {"top_p": 0.5}, {"min_p": 0.1}):
            assert params_of(card, changed).do_sample
        assert not params_of(card, {"temperature": 1.5, "do_sample": False}).do_sample
        assert params_of(card, {"max_new_tokens": 5}).do_sample == card.sampling.do_sample
        assert params_of(card, {}) == card.sampling


def test_plan_has_seed_prompt_and_stop_ids() -> None:
    plans = plan_columns(CATALOG, CARDS[:2], ASK, {"seed": 3})
    assert [plan.side.side for plan in plans] == ["a", "b"]
    assert {plan.side.seed for plan in plans} == {3}
    assert all(plan.stop_ids and plan.prompt.token_ids for plan in plans)
    with pytest.raises(PlaygroundError):
        plan_columns(CATALOG, CARDS[:2], Instruction("alpaca " * 600), {})


def test_columns_have_settings_of_their_own() -> None:
    card = CARDS[0]
    plans = plan_columns(CATALOG, (card, card), ASK, {"a": {"temperature": 0.2, "seed": 3}, "b": {"top_k": 5}})
    assert [(plan.side.params.temperature, plan.side.params.top_k) for plan in plans] == [
        (0.2, card.sampling.top_k),
        (card.sampling.temperature, 5),
    ]
    assert plans[0].side.seed == 3


@pytest.mark.parametrize(
    ("overrides", "blind", "models", "why"),
    [
        ({"seed": 1}, True, (), "a seed cannot be given while blind"),
        ({"a": {"temperature": 0.2}}, True, ("x", "y"), "need open mode"),
        ({"a": {"temperature": 0.2}}, False, (), "need open mode"),
        ({"c": {}}, False, ("x", "y"), "there are 2 models"),
        ({"a": {}, "seed": 1}, False, ("x", "y"), "there are 2 models"),
    ],
)
def test_settings_that_tell_answers_apart_are_refused(
    overrides: dict[str, Any], blind: bool, models: tuple[str, ...], why: str
) -> None:
    with pytest.raises(InvalidValue, match=why):
        check_overrides(overrides, blind, models)


def test_seeds_are_left_out_of_settings_of_any_shape() -> None:
    assert without_seed({"seed": 1, "top_k": 5}) == {"top_k": 5}
    assert without_seed({"a": {"seed": 1, "top_k": 5}, "b": {}}) == {"a": {"top_k": 5}, "b": {}}
    check_overrides({"a": {"seed": 1}, "b": {}}, False, ("x", "y"))
