"""Prompts that are read together give the tokens that each gives alone, and fail alone."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from playground.engines.local.wire import messages
from playground.engines.local.worker.decoding.decoder import NO_USABLE_LOGITS, BatchDecoder
from playground.engines.local.worker.decoding.kv_cache import BatchCache, BatchCacheLayer
from playground.engines.local.worker.loading.model import LoadedModel
from playground.engines.protocol import Job
from playground.records import FinishReason, SamplingParams
from tests.engines.local.worker.decoding.conftest import NO_MEMORY, FailGrowth
from tests.engines.local.worker.decoding.test_decoder import generate, write
from tests.engines.local.worker.test_main import Scene
from tests.support.checkpoints import ARCHITECTURES, VOCAB_SIZE

GREEDY = SamplingParams(max_new_tokens=8)
SAMPLED = SamplingParams(max_new_tokens=8, do_sample=True, temperature=1.3, top_p=0.95)
Forward = Callable[..., Any]


def job(length: int, params: SamplingParams = GREEDY, row: str = "") -> Job:
    """Return a job whose prompt follows from its length."""
    ids = tuple((31 * (length + 2) * (i + 1)) % VOCAB_SIZE for i in range(length))
    return Job(row or str(length), ids, params, length, (), 60.0)


def expected(model: LoadedModel, request: Job) -> list[int]:
    """Return the tokens of ``generate``, or for a sampled answer those of the row alone."""
    if request.params.do_sample:
        return write(model, request)[0]
    return generate(model, request.token_ids, request.params, request.stop_ids)


def finish(decoder: BatchDecoder) -> dict[str, list[int | None]]:
    """Return the tokens of all rows until they end."""
    ids: dict[str, list[int | None]] = {}
    while decoder.rows:
        for token in decoder.step():
            ids.setdefault(token.row, []).append(token.token_id)
    return ids


@contextmanager
def replaced(model: LoadedModel, forward: Callable[[Forward, dict[str, Any]], Any]) -> Iterator[None]:
    """Let `forward` handle the calls of the model; it receives the model's own one."""
    own = model.model.forward

    @functools.wraps(own)
    def call(**inputs: Any) -> Any:
        return forward(own, inputs)

    model.model.forward = call
    try:
        yield
    finally:
        del model.model.forward


def test_similar_prompts_are_read_in_one_forward(model: LoadedModel) -> None:
    shapes: list[tuple[int, ...]] = []

    def watch(own: Forward, inputs: dict[str, Any]) -> Any:
        shapes.append(tuple(inputs["input_ids"].shape))
        out = own(**inputs)
        assert out.logits.shape[1] == 1, "the logits of a whole prompt may take gigabytes"
        return out

    decoder = BatchDecoder(model)
    requests = [job(length) for length in (3, 9, 5, 60, 1)]
    with replaced(model, watch):
        for request in requests:
            decoder.admit(request)
        first = decoder.step()
    assert shapes == [(4, 9), (1, 60)]
    written = finish(decoder)
    for token in first:
        written[token.row].insert(0, token.token_id)
    assert written == {request.row: expected(model, request) for request in requests}


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(list(ARCHITECTURES)),
    rows=st.lists(
        st.tuples(
            st.one_of(st.integers(1, 40), st.integers(1, 240)),
            st.sampled_from([GREEDY, SAMPLED]),
            st.integers(0, 6),  # the step at which it joins
            st.one_of(st.none(), st.integers(0, 9)),  # and leaves
        ),
        min_size=2,
        max_size=10,
    ),
    recorded=st.booleans(),
)
def test_prompts_of_any_length_at_any_time_equal_those_alone(
    models: dict[str, LoadedModel], kind: str, rows: list[tuple[int, SamplingParams, int, int | None]], recorded: bool
) -> None:
    requests = [job(length, params, f"row-{row}") for row, (length, params, _, _) in enumerate(rows)]
    decoder = BatchDecoder(models[kind], recorded=recorded)
    written: dict[str, list[int | None]] = {request.row: [] for request in requests}
    for turn in range(30):
        for request, (_, _, joins, leaves) in zip(requests, rows, strict=True):
            if turn == joins:
                decoder.admit(request)
            if leaves is not None and turn == joins + leaves:
                decoder.drop(request.row)
        for token in decoder.step():
            written[token.row].append(token.token_id)
    assert decoder.rows == ()
    for request, (_, _, _, leaves) in zip(requests, rows, strict=True):
        ids = written[request.row]
        assert ids == expected(models[kind], request)[: len(ids)]
        assert len(ids) == GREEDY.max_new_tokens or leaves is not None


@pytest.mark.proves("out of memory at load, at the first and at the n-th token")
def test_prompts_that_do_not_fit_together_are_read_one_by_one(model: LoadedModel) -> None:
    reads: list[tuple[int, ...]] = []

    def short_of_memory(own: Forward, inputs: dict[str, Any]) -> Any:
        shape = tuple(inputs["input_ids"].shape)
        if shape[1] > 1:
            reads.append(shape)
        if shape[0] * shape[1] > 9 and shape[1] > 1:
            raise RuntimeError(NO_MEMORY)
        return own(**inputs)

    requests = [job(length) for length in (5, 20, 9)]
    decoder = BatchDecoder(model)
    decoder.admit(job(4, row="running"))
    decoder.step()
    with replaced(model, short_of_memory):
        for request in requests:
            decoder.admit(request)
        tokens = {token.row: token for token in decoder.step()}
    assert reads == [(3, 20), (1, 5), (1, 9), (1, 20)]
    assert (tokens["20"].token_id, tokens["20"].error) == (None, "out of memory while reading the prompt")
    assert decoder.rows == ("running", "5", "9")
    written = finish(decoder)
    for request in (requests[0], requests[2]):
        assert [tokens[request.row].token_id, *written[request.row]] == expected(model, request)
    assert written["running"] == expected(model, job(4))[2:]


@pytest.mark.parametrize("growths", range(4))
def test_cache_that_cannot_grow_for_all_grows_for_some(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, fail_growth: FailGrowth, growths: int
) -> None:
    decoder = BatchDecoder(model)
    decoder.admit(job(30, row="running"))
    first = decoder.step()
    with monkeypatch.context() as patch:
        fail_growth(patch, growths)
        for length in (3, 7, 5):
            decoder.admit(job(length))
        refused = {token.row for token in decoder.step() if token.error}
    assert refused == {"3", "7", "5"}
    written = finish(decoder)
    assert [first[0].token_id, *written["running"]][2:] == expected(model, job(30))[3:]
    assert write(model, job(7))[0] == expected(model, job(7))


def test_prompts_that_find_no_memory_to_join_are_freed_before_they_are_read_again(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve_rows = BatchCache.reserve_rows
    refused: list[weakref.ref[Any]] = []
    held: list[int] = []

    def refuse_once(cache: BatchCache, prefilled: Any, lengths: list[int]) -> None:
        if not refused:
            refused.append(weakref.ref(prefilled))
            raise RuntimeError(NO_MEMORY)
        reserve_rows(cache, prefilled, lengths)

    def watch(own: Forward, inputs: dict[str, Any]) -> Any:
        held.append(sum(cache() is not None for cache in refused))
        return own(**inputs)

    monkeypatch.setattr(BatchCache, "reserve_rows", refuse_once)
    requests = [job(length) for length in (3, 7, 5)]
    decoder = BatchDecoder(model)
    for request in requests:
        decoder.admit(request)
    with replaced(model, watch):
        tokens = decoder.step()
    assert len(refused) == 1
    assert held == [0] * 4
    assert [token.error for token in tokens] == [None] * 3


def test_failed_model_loses_all_rows_and_the_decoder_works_again(model: LoadedModel) -> None:
    def broken(own: Forward, inputs: dict[str, Any]) -> Any:
        raise RuntimeError("device-side assert triggered")

    decoder = BatchDecoder(model)
    with replaced(model, broken):
        for length in (3, 7, 5):
            decoder.admit(job(length))
        with pytest.raises(RuntimeError, match="device-side assert"):
            decoder.step()
    assert decoder.rows == ()
    decoder.admit(job(7))
    assert finish(decoder) == {"7": expected(model, job(7))}


def test_prompt_without_usable_numbers_ends_alone(model: LoadedModel) -> None:
    def spoil(own: Forward, inputs: dict[str, Any]) -> Any:
        out = own(**inputs)
        if inputs["input_ids"].shape[1] > 1:
            out.logits[1] = float("nan")
        return out

    decoder = BatchDecoder(model)
    for length in (3, 7, 5):
        decoder.admit(job(length))
    with replaced(model, spoil):
        tokens = decoder.step()
    ended = [token for token in tokens if token.finish_reason is FinishReason.ERROR]
    assert [token.error for token in ended] == [NO_USABLE_LOGITS]
    written = finish(decoder)
    assert len(written) == 2
    for token in tokens:
        if token.error is None:
            assert [token.token_id, *written[token.row]] == expected(model, job(int(token.row)))


def test_row_cancelled_while_its_prompt_is_read_with_others_ends_alone(model: LoadedModel) -> None:
    scene = Scene(BatchDecoder(model))

    def cancel(own: Forward, inputs: dict[str, Any]) -> Any:
        if inputs["input_ids"].shape[1] > 1:
            scene.inbox.put(messages.cancel("7"))
        return own(**inputs)

    requests = [job(length) for length in (3, 7, 5)]
    for request in requests:
        scene.inbox.put(messages.start(request))
    with replaced(model, cancel):
        scene.turns(1)
    scene.turns(GREEDY.max_new_tokens - 1, step_s=0.5)
    assert scene.end("7") == ("cancelled", None)
    for request in (requests[0], requests[2]):
        assert scene.ids(request.row) == expected(model, request)
        assert scene.end(request.row) == ("length", None)


def test_padding_leaves_no_numbers_in_the_cache(model: LoadedModel) -> None:
    decoder = BatchDecoder(model)
    for length in (3, 9):
        decoder.admit(job(length))
    decoder.step()
    starts = decoder._cache.starts
    assert sorted(starts) == [0, 6]
    for layer in decoder._cache.layers:
        for block in (layer.keys, layer.values):
            assert torch.count_nonzero(block[starts.index(6), :, :6]) == 0


class Allocations(TorchDispatchMode):
    """The operators that returned a tensor with memory of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        own = {each.untyped_storage().data_ptr() for each in args if isinstance(each, torch.Tensor)}
        if isinstance(out, torch.Tensor) and out.untyped_storage().data_ptr() not in own:
            self.found.append(str(func))
        return out


def test_rows_join_without_memory(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure would leave the layers in disagreement, and end the running rows."""
    found: list[str] = []
    join = BatchCache.join

    def watched(cache: BatchCache, *args: Any) -> None:
        with Allocations() as allocations:
            join(cache, *args)
        found.extend(allocations.found)

    monkeypatch.setattr(BatchCache, "join", watched)
    decoder = BatchDecoder(model)
    decoder.admit(job(5, row="running"))
    decoder.step()
    for length in (20, 23):  # longer than the cache, and padded
        decoder.admit(job(length))
    decoder.step()
    assert len(decoder._cache.starts) == 3
    assert found == []


@pytest.mark.proves("out of memory at load, at the first and at the n-th token")
@pytest.mark.parametrize("layers", range(2))
def test_rows_that_find_no_memory_to_join_end_alone(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, layers: int
) -> None:
    decoder = BatchDecoder(model)
    decoder.admit(job(5, row="running"))
    ids = [token.token_id for token in decoder.step()]
    shift, calls = BatchCacheLayer.shift_right, count()

    def fail(layer: BatchCacheLayer, columns: int) -> None:
        if next(calls) % (layers + 1) == layers:
            raise RuntimeError(NO_MEMORY)
        shift(layer, columns)

    with monkeypatch.context() as patch:
        patch.setattr(BatchCacheLayer, "shift_right", fail)
        for length in (20, 23):
            decoder.admit(job(length))
        tokens = decoder.step()
    refused = {token.row: token.error for token in tokens if token.error}
    assert refused == dict.fromkeys(("20", "23"), "out of memory while reading the prompt")
    ids += [token.token_id for token in tokens if token.row == "running"]
    assert [*ids, *finish(decoder)["running"]] == expected(model, job(5))
