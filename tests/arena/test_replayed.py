"""A stored answer and the same one written again: equal, equal so far, different, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from playground.arena.replayed import Change, Replayed, ReplayOutcome
from playground.records import FinishReason
from tests.support.cast import generation

STORED = replace(
    generation("one"),
    text="one two",
    token_ids=(5, 6, 7, 2),
    finish_reason=FinishReason.STOP,
    versions={"torch": "2.12.0"},
)


def test_equal_answers_are_the_same() -> None:
    replayed = Replayed(STORED, STORED)
    assert (replayed.outcome, replayed.first_different, replayed.changes) == (ReplayOutcome.SAME, None, ())
    assert list(replayed.reasons()) == []


@pytest.mark.parametrize("reason", [FinishReason.CANCELLED, FinishReason.ERROR])
def test_answer_that_was_cut_off_is_compared_as_far_as_it_goes(reason: FinishReason) -> None:
    cut = replace(STORED, text="one", token_ids=(5, 6), finish_reason=reason)
    assert Replayed(cut, STORED).outcome is ReplayOutcome.SAME_SO_FAR
    assert Replayed(replace(cut, text="one\ufffd"), STORED).outcome is ReplayOutcome.SAME_SO_FAR, (
        "cut within a character"
    )
    assert Replayed(replace(cut, text="two"), STORED).outcome is ReplayOutcome.DIFFERENT, "read in another way"
    assert Replayed(replace(cut, token_ids=(5, 9)), STORED).outcome is ReplayOutcome.DIFFERENT
    assert Replayed(replace(cut, token_ids=(5, 6, 7, 2, 8)), STORED).outcome is ReplayOutcome.DIFFERENT, (
        "it is shorter now"
    )


def test_whole_answer_that_is_longer_now_is_different() -> None:
    longer = Replayed(replace(STORED, token_ids=(5, 6)), STORED)
    assert (longer.outcome, longer.first_different) == (ReplayOutcome.DIFFERENT, None)


def test_other_tokens_are_placed_and_explained_by_what_changed() -> None:
    again = replace(STORED, token_ids=(5, 6, 8, 2), text="one three", versions={"torch": "2.13.0", "cuda": "13"})
    replayed = Replayed(STORED, again)
    assert (replayed.outcome, replayed.first_different) == (ReplayOutcome.DIFFERENT, 2)
    assert replayed.changes == (Change("torch", "2.12.0", "2.13.0"), Change("cuda", "", "13"))
    assert list(replayed.reasons()) == ["torch was 2.12.0, is 2.13.0", "cuda was unknown, is 13"]


@pytest.mark.parametrize(("dtype", "words"), [("float32", "the files of the model may"), ("bfloat16", "rounding")])
def test_other_tokens_in_the_same_place_are_explained_too(dtype: str, words: str) -> None:
    stored = replace(STORED, dtype=dtype)
    [reason] = Replayed(stored, replace(stored, token_ids=(5, 9, 7, 2))).reasons()
    assert words in reason


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        (3, 1, "then at most 3, now at most 1"),
        (1, 8, "then at most 1, now at most 8"),
        (None, 2, "then an unknown number, now at most 2"),
        (1, 1, "and on those before: then at most 1, now at most 1"),
    ],
)
def test_rounding_explains_a_difference_in_16_bit_however_many_were_written_together(
    then: int | None, now: int, words: str
) -> None:
    stored = replace(STORED, dtype="bfloat16", written_together=then)
    again = replace(stored, token_ids=(5, 9, 7, 2), written_together=now)
    [reason] = Replayed(stored, again).reasons()
    assert words in reason


def test_same_tokens_that_are_read_in_another_way_are_different() -> None:
    [reason] = Replayed(STORED, replace(STORED, text="one  two")).reasons()
    assert "format or tokenizer" in reason


def test_answer_that_failed_now_was_not_written() -> None:
    failed = replace(STORED, finish_reason=FinishReason.ERROR, error="no memory")
    assert Replayed(STORED, failed, "no memory").outcome is ReplayOutcome.NOT_WRITTEN
    assert Replayed(STORED, None, "no card").outcome is ReplayOutcome.NOT_WRITTEN
