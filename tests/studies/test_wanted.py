"""Wanted answers and their standing in the database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import StorageError
from playground.records import FinishReason, Instruction, SamplingParams
from playground.storage.database.store import Store
from playground.studies.wanted import Standing, WantedAnswer, standing_of, wanted_of
from tests.support.cast import HAIKU, OPENALPACA, PARAMS, card, generation
from tests.support.memory import memory_store

ANSWER = WantedAnswer(HAIKU, "line 1", OPENALPACA, PARAMS, 7, 1)


def put(store: Store, wanted: WantedAnswer, id: str, error: str | None = None) -> None:
    reason = FinishReason.ERROR if error else FinishReason.STOP
    stored = replace(generation(OPENALPACA), id=id, finish_reason=reason, error=error)
    store.upsert_model(card())
    store.write(lambda writing: writing.insert_generation(stored))
    store.write(
        lambda writing: writing.insert_generated(wanted.key, wanted.attempt, wanted.number, wanted.run_seed, id)
    )


def standing(store: Store, *wanted: WantedAnswer, retry_failed: bool = False) -> Standing:
    with store.reading() as reading:
        return standing_of(reading, wanted, retry_failed=retry_failed)


@pytest.mark.parametrize(
    "other",
    [
        replace(ANSWER, instruction=replace(HAIKU, input="x")),
        replace(ANSWER, model_id="another"),
        replace(ANSWER, params=replace(PARAMS, top_k=3)),
        replace(ANSWER, run_seed=8),
        replace(ANSWER, number=2),
    ],
)
def test_another_question_is_another_answer(other: WantedAnswer) -> None:
    assert other.key != ANSWER.key
    assert other.seed != ANSWER.seed


def test_place_and_attempt_do_not_change_an_answer() -> None:
    again = replace(ANSWER, place="line 9", attempt=4)
    assert (again.key, again.seed) == (ANSWER.key, ANSWER.seed)


@given(st.text(), st.integers(1, 5))
def test_every_answer_is_wanted_once(text: str, count: int) -> None:
    instructions = {Instruction(text): "line 1", Instruction(f"{text}!"): "line 2"}
    wanted = wanted_of(card(), SamplingParams(), instructions, count, 0)
    assert len({answer.key for answer in wanted}) == len(wanted) == 2 * count
    assert all(0 <= answer.seed < 2**32 for answer in wanted)


def test_stored_answer_is_not_wanted_again() -> None:
    other = replace(ANSWER, number=2)
    with memory_store() as store:
        put(store, ANSWER, "one")
        found = standing(store, ANSWER, other)
    assert (found.there, found.missing, found.failed) == (1, [other], [])


def test_failed_answer_is_tried_again_on_request_only() -> None:
    with memory_store() as store:
        put(store, ANSWER, "one", "out of memory")
        found = standing(store, ANSWER)
        assert ([failure.error for failure in found.failed], found.missing) == (["out of memory"], [])
        [again] = standing(store, ANSWER, retry_failed=True).missing
        assert (again.attempt, again.key) == (2, ANSWER.key)
        put(store, again, "two")
        assert standing(store, ANSWER).there == 1


def test_an_attempt_is_stored_once() -> None:
    with memory_store() as store:
        put(store, ANSWER, "one")
        with pytest.raises(StorageError):
            put(store, ANSWER, "two")
