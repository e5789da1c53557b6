"""Who answers, with which parameters: chosen or drawn, over the pocket cards and their real tokenizers."""

from __future__ import annotations

from collections import Counter

import pytest

from playground.catalog import Catalog
from playground.errors import PlaygroundError, PromptTooLong
from playground.lineup import LineUp, params_of
from playground.records import Instruction

CATALOG = Catalog.load()
LINE_UP = LineUp(CATALOG, ())
ASK = Instruction("What is an alpaca?")


def drawn(columns: int = 2, instruction: Instruction = ASK, **overrides: float) -> tuple[list[str], float | None]:
    cards, probability = LINE_UP.choose(instruction, (), columns, True, overrides, {})
    return [card.id for card in cards], probability


def test_a_draw_is_of_different_models_and_says_how_likely_it_was() -> None:
    models, probability = drawn(3)
    assert len(set(models)) == 3
    assert probability == pytest.approx(1 / 60)
    models, _ = drawn(6)
    assert sorted(Counter(models).values()) == [1, 1, 1, 1, 2]


def test_models_that_somebody_chose_have_no_probability() -> None:
    cards, probability = LINE_UP.choose(ASK, ("pocket-galpaca", "pocket-galpaca"), 2, True, {}, {})
    assert ([card.id for card in cards], probability) == (["pocket-galpaca"] * 2, None)


def test_a_draw_leaves_out_what_failed_while_there_are_others() -> None:
    failed = {"pocket-galpaca", "pocket-minotaur", "pocket-mamba-gpt"}
    for _ in range(10):
        cards, _ = LINE_UP.choose(ASK, (), 2, True, {}, dict.fromkeys(failed, "failed"))
        assert not failed & {card.id for card in cards}


def test_a_draw_brings_up_an_unloaded_model_only_where_two_others_are_not_there() -> None:
    ids = [card.id for card in LINE_UP.cards]
    up = dict.fromkeys(ids[:2], "ready") | dict.fromkeys(ids[2:], "off")
    for _ in range(10):
        cards, _ = LINE_UP.choose(ASK, (), 2, True, {}, up)
        assert {card.id for card in cards} == set(ids[:2])
        cards, _ = LINE_UP.choose(ASK, (), 2, True, {}, up | {ids[0]: "failed"})
        assert len({card.id for card in cards} - {ids[0]}) == 2


def test_a_model_that_joins_is_chosen_and_drawn_like_the_others() -> None:
    line_up = LineUp(CATALOG, ("pocket-galpaca",))
    for _ in range(2):
        line_up.add(CATALOG.card("pocket-minotaur"))
    assert [card.id for card in line_up.cards] == ["pocket-galpaca", "pocket-minotaur"]
    cards, _ = line_up.choose(ASK, ("pocket-minotaur", "pocket-minotaur"), 2, False, {}, {})
    assert len(cards) == 2


def test_whether_an_instruction_is_taken_never_depends_on_the_draw() -> None:
    for words in range(150, 260, 10):
        instruction = Instruction("alpaca " * words)
        outcomes = set()
        for _ in range(12):
            try:
                drawn(2, instruction)
                outcomes.add("taken")
            except PromptTooLong as refused:
                outcomes.add(str(refused))
        assert len(outcomes) == 1, f"{words} words: {outcomes}"


def test_one_token_is_enough_for_every_card_whatever_its_own_minimum() -> None:
    for card in LINE_UP.cards:
        params = params_of(card, {"max_new_tokens": 1})
        assert (params.max_new_tokens, params.min_new_tokens) == (1, min(card.sampling.min_new_tokens, 1))


def test_a_temperature_means_sampling_also_for_a_greedy_card_unless_told_otherwise() -> None:
    for card in LINE_UP.cards:
        assert params_of(card, {"temperature": 1.5}).do_sample
        assert not params_of(card, {"temperature": 1.5, "do_sample": False}).do_sample
        assert params_of(card, {"max_new_tokens": 5}).do_sample == card.sampling.do_sample
        assert params_of(card, {}) == card.sampling


def test_a_plan_is_fixed_before_anything_starts() -> None:
    plans = LINE_UP.plan(LINE_UP.cards[:2], ASK, {"seed": 3})
    assert [plan.side.side for plan in plans] == ["a", "b"]
    assert {plan.side.seed for plan in plans} == {3}
    assert all(plan.stop_ids and plan.prompt.token_ids for plan in plans)
    with pytest.raises(PlaygroundError):
        LINE_UP.plan(LINE_UP.cards[:2], Instruction("alpaca " * 600), {})
