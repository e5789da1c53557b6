"""`BatchDecoder` writes the tokens of ``model.generate`` on all architectures, whenever rows join and leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.engines.local.worker.decoding.decoder import BatchDecoder
from playground.engines.local.worker.loading.model import LoadedModel
from playground.engines.protocol import Job
from playground.errors import EngineError, PromptTooLong
from playground.records import FinishReason, SamplingParams
from tests.support.checkpoints import ARCHITECTURES, CONTEXT_LENGTH, VOCAB_SIZE

PROMPTS = [(1,), (1, 5, 9), tuple(range(10, 60)), (7, 7, 7, 7), (300, 2, 1, 40, 2, 1)]
PARAMS = [
    SamplingParams(max_new_tokens=14),
    SamplingParams(max_new_tokens=14, repetition_penalty=1.2, min_new_tokens=2, renormalize_logits=True),
    SamplingParams(max_new_tokens=14, repetition_penalty=0.6),
    SamplingParams(max_new_tokens=14, min_new_tokens=10),
]


def job(ids: Sequence[int], params: SamplingParams, stop_ids: tuple[int, ...] = (), seed: int = 0) -> Job:
    return Job("row", tuple(ids), params, seed, stop_ids, deadline_s=60.0)


def write(model: LoadedModel, request: Job, recorded: bool = False) -> tuple[list[int], FinishReason]:
    (written,) = write_all(model, [request], recorded=recorded)
    return written


def test_each_token_says_how_many_rows_were_computed_with_it(models: Mapping[str, LoadedModel]) -> None:
    decoder = BatchDecoder(models["llama"])
    for number in range(3):
        decoder.admit(replace(job(PROMPTS[1], PARAMS[0]), row=str(number)))
        tokens = decoder.step()
        assert [token.num_rows for token in tokens if token.row == str(number)] == [1], "its prompt is read alone"
        assert {token.num_rows for token in tokens if token.row != str(number)} <= {number}
    assert {token.num_rows for token in decoder.step()} == {3}


def write_all(
    model: LoadedModel,
    requests: Sequence[Job],
    joins: Mapping[int, int] = MappingProxyType({}),
    max_rows: int = 16,
    recorded: bool = False,
) -> list[tuple[list[int], FinishReason]]:
    """Return ids and finish reason of each job; job i joins at step ``joins[i]`` (default 0), or when it can."""
    decoder = BatchDecoder(model, max_rows, recorded=recorded)
    waiting = sorted(enumerate(requests), key=lambda numbered: joins.get(numbered[0], 0))
    ids: dict[str, list[int]] = {request.row: [] for request in requests}
    ends: dict[str, FinishReason] = {}
    turn = 0
    while waiting or decoder.rows:
        while waiting and joins.get(waiting[0][0], 0) <= turn and decoder.can_admit:
            decoder.admit(waiting.pop(0)[1])
        for token in decoder.step():
            assert token.row not in ends
            assert token.token_id is not None
            ids[token.row].append(token.token_id)
            if token.finish_reason is not None:
                ends[token.row] = token.finish_reason
        turn += 1
    return [(ids[request.row], ends[request.row]) for request in requests]


GENERATED: dict[tuple[object, ...], list[int]] = {}
"""Answers of ``generate``, which several tests compare with."""


def generate(model: LoadedModel, ids: Sequence[int], params: SamplingParams, stop_ids: Sequence[int]) -> list[int]:
    key = (id(model.model), tuple(ids), params, tuple(stop_ids))
    if key not in GENERATED:
        out = model.model.generate(
            torch.tensor([list(ids)]),
            attention_mask=torch.ones((1, len(ids)), dtype=torch.long),
            do_sample=False,
            max_new_tokens=params.max_new_tokens,
            min_new_tokens=params.min_new_tokens,
            repetition_penalty=params.repetition_penalty,
            renormalize_logits=params.renormalize_logits,
            eos_token_id=list(stop_ids) or None,
            pad_token_id=0,
        )
        GENERATED[key] = [int(i) for i in out[0, len(ids) :]]
    return GENERATED[key]


RECORDED = pytest.mark.parametrize(
    "recorded", [pytest.param(False, id="computed"), pytest.param(True, id="recorded", marks=pytest.mark.slow)]
)


@pytest.mark.parametrize("params", PARAMS, ids=range(len(PARAMS)))
@RECORDED
def test_greedy_ids_equal_generate(model: LoadedModel, params: SamplingParams, recorded: bool) -> None:
    for prompt in PROMPTS:
        free, _ = write(model, job(prompt, params), recorded)
        assert free == generate(model, prompt, params, ())
        stops = (free[5], free[12])  # ids that occur in this answer
        stopped, _ = write(model, job(prompt, params, stops), recorded)
        assert stopped == generate(model, prompt, params, stops)


def test_stop_id_is_the_last_token(model: LoadedModel) -> None:
    free, reason = write(model, job((1, 5, 9), SamplingParams(max_new_tokens=20)))
    assert (len(free), reason) == (20, FinishReason.LENGTH)
    stop = free[7]
    ids, reason = write(model, job((1, 5, 9), SamplingParams(max_new_tokens=20), (stop,)))
    assert reason is FinishReason.STOP
    assert ids == free[: free.index(stop) + 1]


@pytest.mark.slow
@RECORDED
def test_context_ends_an_answer(model: LoadedModel, recorded: bool) -> None:
    prompt = tuple(range(3, 203))
    ids, reason = write(model, job(prompt, SamplingParams(max_new_tokens=200)), recorded)
    assert reason is FinishReason.LENGTH
    assert len(prompt) + len(ids) == CONTEXT_LENGTH
    assert ids == generate(model, prompt, SamplingParams(max_new_tokens=len(ids)), ())


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ((), "empty"),
        ((1, VOCAB_SIZE), "outside the model's 384 rows"),
        ((-1, 3), "outside"),
        ((5,) * 256, "256 tokens"),
    ],
)
def test_invalid_prompt_is_refused(model: LoadedModel, ids: tuple[int, ...], words: str) -> None:
    decoder = BatchDecoder(model)
    with pytest.raises((EngineError, PromptTooLong), match=words):
        decoder.admit(job(ids, SamplingParams()))
    assert decoder.can_admit


def test_seed_repeats_a_sampled_answer(model: LoadedModel) -> None:
    params = SamplingParams(do_sample=True, temperature=1.5, top_p=0.95, max_new_tokens=30)
    first, second, other = (write(model, job((1, 5, 9), params, seed=seed))[0] for seed in (11, 11, 12))
    assert first == second != other


RAGGED = [tuple((31 * (row + 2) * (i + 1)) % VOCAB_SIZE for i in range(1 + (row * 7) % 40)) for row in range(16)]


def ragged_jobs(params: Sequence[SamplingParams], stop_ids: tuple[int, ...] = ()) -> list[Job]:
    """Return sixteen jobs with prompts and answers of different lengths, and the parameters in turn."""
    return [
        Job(
            f"row-{row}",
            prompt,
            replace(params[row % len(params)], max_new_tokens=10 + (row * 5) % 11),
            seed=row,
            stop_ids=stop_ids,
            deadline_s=60.0,
        )
        for row, prompt in enumerate(RAGGED)
    ]


@pytest.mark.parametrize("max_rows", [4, *(pytest.param(rows, marks=pytest.mark.slow) for rows in (1, 16))])
@RECORDED
def test_rows_of_any_length_equal_generate(model: LoadedModel, max_rows: int, recorded: bool) -> None:
    jobs = ragged_jobs(PARAMS, stop_ids=(3, 90, 200))
    joins = {row: row * 3 // 2 for row in range(0, 16, 2)}  # every other one joins running rows
    for request, (ids, _) in zip(jobs, write_all(model, jobs, joins, max_rows, recorded), strict=True):
        assert ids == generate(model, request.token_ids, request.params, request.stop_ids), request.row


@pytest.mark.slow
@RECORDED
def test_row_can_use_the_whole_context_after_a_long_one(model: LoadedModel, recorded: bool) -> None:
    first = Job("first", tuple(range(3, 63)), SamplingParams(max_new_tokens=185), 0, (), 60.0)
    late = Job("late", (5, 6, 7), SamplingParams(max_new_tokens=250), 0, (), 60.0)
    written = write_all(model, [first, late], {1: 1}, recorded=recorded)
    assert [ids for ids, _ in written] == [
        generate(model, request.token_ids, request.params, ()) for request in (first, late)
    ]


@pytest.mark.slow
@RECORDED
def test_sampled_row_is_the_same_alone_and_in_a_batch(model: LoadedModel, recorded: bool) -> None:
    params = [
        SamplingParams(do_sample=True, temperature=0.8, top_k=50),
        SamplingParams(do_sample=True, top_p=0.9, repetition_penalty=1.2),
        SamplingParams(),
    ]
    jobs = ragged_jobs(params)
    together = write_all(model, jobs, {row: row for row in range(16)}, recorded=recorded)
    assert together == [write(model, request) for request in jobs]
    assert together == write_all(model, jobs[::-1], {row: row // 3 for row in range(16)})[::-1]


@pytest.fixture(scope="module")
def alone(models: dict[str, LoadedModel]) -> dict[str, dict[str, list[int]]]:
    """Return the answers of six rows written alone."""
    return {kind: {job.row: write(model, job)[0] for job in six_rows()} for kind, model in models.items()}


def six_rows() -> list[Job]:
    return ragged_jobs(PARAMS[:2])[:6]


@pytest.mark.slow
@settings(max_examples=25)
@given(
    kind=st.sampled_from(list(ARCHITECTURES)),
    joins=st.lists(st.integers(0, 12), min_size=6, max_size=6),
    leaves=st.dictionaries(st.integers(0, 5), st.integers(0, 25)),
    recorded=st.booleans(),
)
def test_rows_leaving_at_any_step_do_not_change_others(
    models: dict[str, LoadedModel],
    alone: dict[str, dict[str, list[int]]],
    kind: str,
    joins: list[int],
    leaves: dict[int, int],
    recorded: bool,
) -> None:
    jobs = six_rows()
    decoder, written = BatchDecoder(models[kind], recorded=recorded), {request.row: list[int]() for request in jobs}
    for turn in range(34):
        for row, request in enumerate(jobs):
            if joins[row] == turn:
                decoder.admit(request)
            if leaves.get(row) == turn:
                decoder.drop(request.row)
        for token in decoder.step():
            assert token.token_id is not None
            written[token.row].append(token.token_id)
    for request in jobs:
        ids = written[request.row]
        assert ids == alone[kind][request.row][: len(ids)]
        assert request.row not in decoder.rows
