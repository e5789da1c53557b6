"""The decode loop writes what ``model.generate`` writes, on all three architectures, however rows come and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import DynamicCache

from playground.engines.local.worker.decoding import decoder as decoder_module
from playground.engines.local.worker.decoding import kv_cache
from playground.engines.local.worker.decoding.decoder import BatchDecoder
from playground.engines.local.worker.decoding.kv_cache import BatchCache, CacheLimits
from playground.engines.local.worker.loading.model import LoadedModel, load
from playground.engines.protocol import Job
from playground.errors import EngineError, PromptTooLong
from playground.records import FinishReason, SamplingParams
from tests.support.checkpoints import ARCHITECTURES, CONTEXT_LENGTH, VOCAB_SIZE, tiny_line_up

PROMPTS = [(1,), (1, 5, 9), tuple(range(10, 60)), (7, 7, 7, 7), (300, 2, 1, 40, 2, 1)]
PARAMS = [
    SamplingParams(max_new_tokens=24),
    SamplingParams(max_new_tokens=24, repetition_penalty=1.2, min_new_tokens=2, renormalize_logits=True),
    SamplingParams(max_new_tokens=24, repetition_penalty=0.6),
    SamplingParams(max_new_tokens=24, min_new_tokens=10),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedModel]:
    cards = tiny_line_up(tmp_path_factory.getbasetemp() / "tiny")
    return {kind: load(card, threads=1) for kind, card in zip(ARCHITECTURES, cards, strict=True)}


@pytest.fixture(params=list(ARCHITECTURES))
def model(request: pytest.FixtureRequest, models: dict[str, LoadedModel]) -> LoadedModel:
    return models[request.param]


def job(ids: Sequence[int], params: SamplingParams, stop_ids: tuple[int, ...] = (), seed: int = 0) -> Job:
    return Job("row", tuple(ids), params, seed, stop_ids, deadline_s=60.0)


def write(model: LoadedModel, request: Job, recorded: bool = False) -> tuple[list[int], FinishReason]:
    (written,) = write_all(model, [request], recorded=recorded)
    return written


def write_all(
    model: LoadedModel,
    requests: Sequence[Job],
    joins: Mapping[int, int] = MappingProxyType({}),
    max_rows: int = 16,
    recorded: bool = False,
) -> list[tuple[list[int], FinishReason]]:
    """What the jobs come to; job i joins at step ``joins[i]`` (at once where nothing is said) or once there is room."""
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


def generate(model: LoadedModel, ids: Sequence[int], params: SamplingParams, stop_ids: Sequence[int]) -> list[int]:
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
    return [int(i) for i in out[0, len(ids) :]]


RECORDED = pytest.mark.parametrize("recorded", [False, True], ids=["computed", "recorded"])


@pytest.mark.parametrize("params", PARAMS, ids=range(len(PARAMS)))
@RECORDED
def test_greedy_ids_equal_those_of_generate(model: LoadedModel, params: SamplingParams, recorded: bool) -> None:
    for prompt in PROMPTS:
        free, _ = write(model, job(prompt, params), recorded)
        assert free == generate(model, prompt, params, ())
        stops = (free[5], free[12])  # ids that this answer does reach
        stopped, _ = write(model, job(prompt, params, stops), recorded)
        assert stopped == generate(model, prompt, params, stops)


def test_a_stop_id_is_the_last_token_and_the_reason(model: LoadedModel) -> None:
    free, reason = write(model, job((1, 5, 9), SamplingParams(max_new_tokens=20)))
    assert (len(free), reason) == (20, FinishReason.LENGTH)
    stop = free[7]
    ids, reason = write(model, job((1, 5, 9), SamplingParams(max_new_tokens=20), (stop,)))
    assert reason is FinishReason.STOP
    assert ids == free[: free.index(stop) + 1]


@RECORDED
def test_the_end_of_the_context_ends_the_answer(model: LoadedModel, recorded: bool) -> None:
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
def test_a_prompt_that_cannot_be_fed_is_refused_in_words(model: LoadedModel, ids: tuple[int, ...], words: str) -> None:
    decoder = BatchDecoder(model)
    with pytest.raises((EngineError, PromptTooLong), match=words):
        decoder.admit(job(ids, SamplingParams()))
    assert decoder.can_admit


def test_a_sampled_answer_repeats_with_its_seed(model: LoadedModel) -> None:
    params = SamplingParams(do_sample=True, temperature=1.5, top_p=0.95, max_new_tokens=30)
    first, second, other = (write(model, job((1, 5, 9), params, seed=seed))[0] for seed in (11, 11, 12))
    assert first == second != other


RAGGED = [tuple((31 * (row + 2) * (i + 1)) % VOCAB_SIZE for i in range(1 + (row * 7) % 40)) for row in range(16)]


def ragged_jobs(params: Sequence[SamplingParams], stop_ids: tuple[int, ...] = ()) -> list[Job]:
    """Sixteen prompts of different lengths, with the parameters in turns and answers of different lengths."""
    return [
        Job(
            f"row-{row}",
            prompt,
            replace(params[row % len(params)], max_new_tokens=12 + (row * 5) % 29),
            seed=row,
            stop_ids=stop_ids,
            deadline_s=60.0,
        )
        for row, prompt in enumerate(RAGGED)
    ]


@pytest.mark.parametrize("max_rows", [1, 4, 16])
@RECORDED
def test_rows_of_any_length_written_together_equal_generate(model: LoadedModel, max_rows: int, recorded: bool) -> None:
    jobs = ragged_jobs(PARAMS, stop_ids=(3, 90, 200))
    joins = {row: row * 3 // 2 for row in range(0, 16, 2)}  # every other one comes while others are being written
    for request, (ids, _) in zip(jobs, write_all(model, jobs, joins, max_rows, recorded), strict=True):
        assert ids == generate(model, request.token_ids, request.params, request.stop_ids), request.row


@RECORDED
def test_a_row_that_goes_on_where_a_long_one_has_left_finds_columns_to_the_end(
    model: LoadedModel, recorded: bool
) -> None:
    """ALiBi has no place beyond the context, whoever it is that stands there."""
    first = Job("first", tuple(range(3, 63)), SamplingParams(max_new_tokens=185), 0, (), 60.0)
    late = Job("late", (5, 6, 7), SamplingParams(max_new_tokens=250), 0, (), 60.0)
    written = write_all(model, [first, late], {1: 1}, recorded=recorded)
    assert [ids for ids, _ in written] == [
        generate(model, request.token_ids, request.params, ()) for request in (first, late)
    ]


@RECORDED
def test_a_sampled_row_is_the_same_alone_and_among_others(model: LoadedModel, recorded: bool) -> None:
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
    """What six of the rows come to by themselves."""
    return {kind: {job.row: write(model, job)[0] for job in six_rows()} for kind, model in models.items()}


def six_rows() -> list[Job]:
    return ragged_jobs(PARAMS[:2])[:6]


@settings(max_examples=25)
@given(
    kind=st.sampled_from(list(ARCHITECTURES)),
    joins=st.lists(st.integers(0, 12), min_size=6, max_size=6),
    leaves=st.dictionaries(st.integers(0, 5), st.integers(0, 25)),
    recorded=st.booleans(),
)
def test_rows_may_leave_at_any_step_without_a_trace(
    models: dict[str, LoadedModel],
    alone: dict[str, dict[str, list[int]]],
    kind: str,
    joins: list[int],
    leaves: dict[int, int],
    recorded: bool,
) -> None:
    jobs = six_rows()
    decoder, written = BatchDecoder(models[kind], recorded=recorded), {request.row: list[int]() for request in jobs}
    for turn in range(60):
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


@pytest.mark.proves("out of memory at load, at the first and at the n-th token")
def test_a_newcomer_that_does_not_fit_into_memory_ends_alone(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = ragged_jobs(PARAMS[:1])[:2]
    expected = generate(model, RAGGED[0], PARAMS[0], ())[:2]
    decoder = BatchDecoder(model)
    decoder.admit(jobs[0])
    (first,) = decoder.step()
    decoder.admit(jobs[1])
    forward = type(model.model).forward

    def full(self: object, **inputs: torch.Tensor) -> object:
        if inputs["input_ids"].shape[1] > 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return forward(self, **inputs)

    monkeypatch.setattr(type(model.model), "forward", full)
    second, refused = decoder.step()
    assert (refused.row, refused.token_id, refused.error) == ("row-1", None, "out of memory while reading the prompt")
    assert [first.token_id, second.token_id] == expected
    assert decoder.rows == ("row-0",)


FULL = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"


def full_at(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Blocks of keys and values that would have to grow cannot, from so many on."""
    grown, calls = kv_cache._grown, iter(range(10_000))

    def fail(block: torch.Tensor, num_rows: int, num_columns: int, limits: CacheLimits) -> torch.Tensor:
        if (block.shape[0] < num_rows or block.shape[2] < num_columns) and next(calls) >= call:
            raise RuntimeError(FULL)
        return grown(block, num_rows, num_columns, limits)

    monkeypatch.setattr(kv_cache, "_grown", fail)


@pytest.mark.parametrize("call", range(4))  # keys and values of two layers
@pytest.mark.parametrize("others", [0, 2])
def test_a_newcomer_without_room_in_any_layer_leaves_the_others_as_they_were(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, others: int, call: int
) -> None:
    *running, newcomer = ragged_jobs(PARAMS[:1])[: others + 1]
    newcomer = replace(newcomer, token_ids=tuple(range(3, 203)))  # longer than all that is there
    expected = [write(model, request) for request in running]
    decoder = BatchDecoder(model)
    ids: dict[str, list[int | None]] = {request.row: [] for request in (*running, newcomer)}

    def step() -> None:
        for token in decoder.step():
            ids[token.row].append(token.token_id)

    for request in running:
        decoder.admit(request)
    step()
    with monkeypatch.context() as full:
        full_at(full, call)
        decoder.admit(newcomer)
        step()
    assert ids[newcomer.row] == [None]
    while decoder.rows:
        step()
    assert [ids[request.row] for request in running] == [written for written, _ in expected]
    assert write(model, newcomer)[0]


@pytest.mark.proves("out of memory at load, at the first and at the n-th token")
@RECORDED
def test_rows_that_find_no_memory_to_grow_are_lost_and_the_next_ones_are_written(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, recorded: bool
) -> None:
    monkeypatch.setattr(decoder_module, "RECORDED_COLUMNS_AHEAD", 64)
    jobs = ragged_jobs([SamplingParams()])[:3]
    decoder = BatchDecoder(model, recorded=recorded)
    for request in jobs:
        decoder.admit(replace(request, params=SamplingParams(max_new_tokens=200)))
    decoder.step()

    def write_on() -> None:
        while decoder.rows:
            decoder.step()

    with monkeypatch.context() as full:
        full_at(full, 1)
        with pytest.raises(RuntimeError, match="can't allocate memory"):
            write_on()
    assert decoder.rows == ()
    decoder.drop(jobs[0].row)
    decoder.admit(jobs[0])
    ids = []
    while decoder.rows:
        ids += [token.token_id for token in decoder.step()]
    assert ids == write(model, jobs[0])[0]


def test_what_a_row_leaves_behind_does_not_reach_the_next_one_in_its_place() -> None:
    def prefilled(length: int, value: float) -> DynamicCache:
        cache = DynamicCache()
        cache.update(torch.full((1, 2, length, 4), value), torch.full((1, 2, length, 4), value), 0)
        return cache

    block = BatchCache(CacheLimits(max_rows=4, max_columns=CONTEXT_LENGTH))
    for length, value in ((9, 1.0), (9, float("nan")), (3, 2.0)):
        cache = prefilled(length, value)
        block.reserve_row(cache)
        block.join(cache)
        if value != value:
            block.leave(1)
    block.reserve_column()
    keys, values = block.layers[0].update(*[torch.ones(2, 2, 1, 4)] * 2)
    assert torch.isfinite(keys).all()
    assert torch.isfinite(values).all()
    assert block.starts == [0, 6]


def test_memory_is_given_back_when_the_last_row_leaves(model: LoadedModel) -> None:
    decoder = BatchDecoder(model)
    for request in ragged_jobs(PARAMS[:1])[:3]:
        decoder.admit(request)
    decoder.step()
    assert decoder.cache_bytes > 0
    for row in decoder.rows:
        decoder.drop(row)
    assert decoder.cache_bytes == 0
