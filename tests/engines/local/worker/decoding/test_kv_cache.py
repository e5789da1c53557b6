"""The cache grows, fails to grow and is freed without harm to other rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from transformers import DynamicCache

from playground.engines.local.worker.decoding import decoder as decoder_module
from playground.engines.local.worker.decoding import kv_cache
from playground.engines.local.worker.decoding.decoder import BatchDecoder
from playground.engines.local.worker.decoding.kv_cache import BatchCache, CacheLimits
from playground.engines.local.worker.loading.model import LoadedModel
from playground.engines.protocol import Job
from playground.records import FinishReason, SamplingParams
from tests.engines.local.worker.decoding.conftest import NO_MEMORY, FailGrowth
from tests.engines.local.worker.decoding.test_decoder import PARAMS, RAGGED, RECORDED, generate, ragged_jobs, write
from tests.support.checkpoints import CONTEXT_LENGTH


@pytest.mark.proves("out of memory at load, at the first and at the n-th token")
def test_new_row_without_memory_ends_alone(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = ragged_jobs(PARAMS[:1])[:2]
    expected = generate(model, RAGGED[0], PARAMS[0], ())[:2]
    decoder = BatchDecoder(model)
    decoder.admit(jobs[0])
    (first,) = decoder.step()
    decoder.admit(jobs[1])
    forward = type(model.model).forward

    def fail(self: object, **inputs: torch.Tensor) -> object:
        if inputs["input_ids"].shape[1] > 1:
            raise RuntimeError(NO_MEMORY)
        return forward(self, **inputs)

    monkeypatch.setattr(type(model.model), "forward", fail)
    second, refused = decoder.step()
    assert (refused.row, refused.token_id, refused.error) == ("row-1", None, "out of memory while reading the prompt")
    assert [first.token_id, second.token_id] == expected
    assert decoder.rows == ("row-0",)


@pytest.mark.parametrize("call", range(4))  # keys and values of two layers
@pytest.mark.parametrize("others", [0, 2])
def test_failed_reservation_leaves_other_rows_unchanged(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, fail_growth: FailGrowth, others: int, call: int
) -> None:
    *running, new_row = ragged_jobs(PARAMS[:1])[: others + 1]
    new_row = replace(new_row, token_ids=tuple(range(3, 203)))  # longer than the cache
    expected = [write(model, request) for request in running]
    decoder = BatchDecoder(model)
    ids: dict[str, list[int | None]] = {request.row: [] for request in (*running, new_row)}

    def step() -> None:
        for token in decoder.step():
            ids[token.row].append(token.token_id)

    for request in running:
        decoder.admit(request)
    step()
    with monkeypatch.context() as patch:
        fail_growth(patch, call)
        decoder.admit(new_row)
        step()
    assert ids[new_row.row] == [None]
    while decoder.rows:
        step()
    assert [ids[request.row] for request in running] == [written for written, _ in expected]
    assert write(model, new_row)[0]


@pytest.mark.proves("out of memory at load, at the first and at the n-th token")
@RECORDED
def test_decoder_works_again_after_its_cache_could_not_grow(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, fail_growth: FailGrowth, recorded: bool
) -> None:
    monkeypatch.setattr(decoder_module, "RECORDED_COLUMNS_AHEAD", 64)
    jobs = ragged_jobs([SamplingParams()])[:3]
    decoder = BatchDecoder(model, recorded=recorded)
    for request in jobs:
        decoder.admit(replace(request, params=SamplingParams(max_new_tokens=200)))
    decoder.step()

    errors = []
    with monkeypatch.context() as patch:
        fail_growth(patch, 1)
        while decoder.rows:
            errors += [token.error for token in decoder.step() if token.finish_reason is FinishReason.ERROR]
    assert errors == ["out of memory while writing the answer"] * 3
    assert decoder.rows == ()
    decoder.drop(jobs[0].row)
    decoder.admit(jobs[0])
    ids = []
    while decoder.rows:
        ids += [token.token_id for token in decoder.step()]
    assert ids == write(model, jobs[0])[0]


def limit_cells(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    """Let no block have more than so many rows times columns."""
    grown = kv_cache._grown

    def grow(block: torch.Tensor, num_rows: int, num_columns: int, limits: CacheLimits) -> torch.Tensor:
        larger = grown(block, num_rows, num_columns, limits)
        if larger is not block and larger.shape[0] * larger.shape[2] > cells:
            raise RuntimeError(NO_MEMORY)
        return larger

    monkeypatch.setattr(kv_cache, "_grown", grow)


@pytest.mark.proves("out of memory at load, at the first and at the n-th token")
@pytest.mark.slow
@RECORDED
@pytest.mark.parametrize("ahead", [0, 100])
def test_longest_row_without_memory_ends_alone(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, recorded: bool, ahead: int
) -> None:
    """With `ahead` 0 all rows are equally long: one ends, and its memory lets the others grow."""
    params = SamplingParams(max_new_tokens=60)
    ids_of = {"long": range(3, 12 + ahead), "one": range(5, 14), "two": range(7, 16), "three": range(9, 18)}
    long, *jobs = [Job(row, tuple(prompt), params, 0, (), 60.0) for row, prompt in ids_of.items()]
    alone = {job.row: write(model, job)[0] for job in jobs}
    decoder = BatchDecoder(model, 4, recorded=recorded)
    decoder._cache._limits = replace(decoder._cache._limits, columns_ahead=16)
    limit_cells(monkeypatch, 4 * (ahead + 58))
    for job in (long, *jobs):
        decoder.admit(job)
    ids: dict[str, list[int | None]] = {row: [] for row in decoder.rows}
    errors = {}
    while decoder.rows:
        for token in decoder.step():
            ids[token.row].append(token.token_id)
            errors |= {token.row: token.error} if token.error else {}
    assert errors == {"long": "out of memory while writing the answer"}
    assert {job.row: ids[job.row] for job in jobs} == alone


def test_numbers_of_an_earlier_row_do_not_reach_the_next() -> None:
    def prefilled(length: int, value: float) -> DynamicCache:
        cache = DynamicCache()
        cache.update(torch.full((1, 2, length, 4), value), torch.full((1, 2, length, 4), value), 0)
        return cache

    block = BatchCache(CacheLimits(max_rows=4, max_columns=CONTEXT_LENGTH))
    for length, value in ((9, 1.0), (9, float("nan")), (3, 2.0)):
        cache = prefilled(length, value)
        block.reserve_rows(cache, [length])
        block.join(cache, [length])
        if value != value:
            block.leave(1)
    block.reserve_column()
    keys, values = block.layers[0].update(*[torch.ones(2, 2, 1, 4)] * 2)
    assert torch.isfinite(keys).all()
    assert torch.isfinite(values).all()
    assert block.starts == [0, 6]


def test_cache_is_freed_when_the_last_row_leaves(model: LoadedModel) -> None:
    decoder = BatchDecoder(model)
    for request in ragged_jobs(PARAMS[:1])[:3]:
        decoder.admit(request)
    decoder.step()
    assert decoder.cache_bytes > 0
    for row in decoder.rows:
        decoder.drop(row)
    assert decoder.cache_bytes == 0
