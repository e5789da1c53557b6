"""Steps of a fixed shape need nothing from the CPU, are recorded only when blocks move, and write the same tokens."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import DynamicCache

from playground.engines.local.worker.decoding import cuda_graph, self_check
from playground.engines.local.worker.decoding.cuda_graph import StaticStep, supports_graph
from playground.engines.local.worker.decoding.decoder import RECORDED_COLUMNS_AHEAD, BatchDecoder
from playground.engines.local.worker.decoding.generate import GenerateDecoder
from playground.engines.local.worker.decoding.kv_cache import BatchCache, CacheLimits
from playground.engines.local.worker.decoding.self_check import checked_decoder, decode_together, run_self_check
from playground.engines.local.worker.loading.model import LoadedModel
from playground.engines.protocol import Job
from playground.records import SamplingParams
from tests.engines.local.worker.decoding.conftest import FailGrowth
from tests.support.checkpoints import CONTEXT_LENGTH, VOCAB_SIZE

PROMPT = (1, 5, 9)


def job(row: str = "row", new: int = 20, ids: Sequence[int] = PROMPT) -> Job:
    return Job(row, tuple(ids), SamplingParams(max_new_tokens=new), 0, (), 60.0)


def filled(model: LoadedModel, limits: CacheLimits, device: torch.device) -> BatchCache:
    """Return a cache with one row."""
    cache = DynamicCache()
    with torch.inference_mode():
        ids = torch.tensor([PROMPT], device=device)
        model.model(input_ids=ids, attention_mask=torch.ones_like(ids), past_key_values=cache, use_cache=True)
    held = BatchCache(limits)
    held.reserve_rows(cache, [len(PROMPT)])
    held.join(cache, [len(PROMPT)])
    held.reserve_column()
    return held


class DeviceWatch(TorchDispatchMode):
    """Records every operation that touches a device other than meta."""

    def __init__(self) -> None:
        super().__init__()
        self.num_seen = 0
        self.crossings: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        tensors = [leaf for leaf in tree_leaves((args, kwargs, out)) if isinstance(leaf, torch.Tensor)]
        self.num_seen += 1
        if {tensor.device.type for tensor in tensors} - {"meta"}:
            self.crossings.append(str(func))
        return out


def test_step_needs_nothing_from_the_cpu(model: LoadedModel) -> None:
    """A copy from the CPU, or waiting for a number, would break a recording. Meta tensors have no numbers."""
    meta = torch.device("meta")
    there = replace(model, model=deepcopy(model.model).to(meta), device=meta)
    held = filled(model, CacheLimits(4, CONTEXT_LENGTH), torch.device("cpu"))
    for layer in held.layers:
        layer.keys, layer.values = layer.keys.to(meta), layer.values.to(meta)
    step = StaticStep(there, held)
    with torch.inference_mode(), DeviceWatch() as watch:
        logits = step._forward()
    assert (logits.shape, logits.device.type, logits.dtype) == ((1, VOCAB_SIZE), "meta", torch.float32)
    assert watch.num_seen > 100
    assert watch.crossings == []


def test_watch_sees_copies_and_waits() -> None:
    meta = torch.device("meta")
    with DeviceWatch() as watch:
        torch.ones(2, device=meta).add(torch.tensor([1.0, 2.0]).to(meta))
    assert watch.crossings != []
    with pytest.raises(RuntimeError, match="meta"):
        torch.ones(1, device=meta).item()


def test_only_models_on_one_gpu_are_recorded(model: LoadedModel) -> None:
    assert not supports_graph(model)
    assert not run_self_check(model).is_recorded
    split = replace(model, device=torch.device("cuda:0"))  # its weights are on the CPU
    assert not supports_graph(split)


def test_8_bit_weights_are_not_recorded(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_graph, "_CUDA", "cpu")
    assert supports_graph(model)
    monkeypatch.setattr(model.model, "is_loaded_in_8bit", True, raising=False)
    assert not supports_graph(model)


def test_model_with_wrong_recorded_steps_runs_eagerly(
    models: dict[str, LoadedModel], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(self_check, "supports_graph", lambda _: True)
    model = models["llama"]
    writer, found = checked_decoder(model)
    assert (found.is_recorded, found.problem) == (True, "")
    assert found.facts(model.facts).versions["decoding"] == "rows together, steps replayed"
    assert "replayed on the GPU" in found.summary
    assert not checked_decoder(model, recorded=False)[1].is_recorded
    run = StaticStep.run
    monkeypatch.setattr(StaticStep, "run", lambda step, *numbers: -run(step, *numbers))
    writer, found = checked_decoder(model)
    assert (found.is_recorded, found.problem) == (False, "")
    assert isinstance(writer, BatchDecoder)
    assert "steps are computed anew each time: rows that are written together differ" in caplog.text


@pytest.mark.parametrize(
    "error", [RuntimeError("operation not permitted when stream is capturing"), torch.OutOfMemoryError("full")]
)
def test_model_whose_steps_cannot_be_recorded_runs_eagerly(
    models: dict[str, LoadedModel], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail(step: StaticStep) -> torch.Tensor:
        raise error

    monkeypatch.setattr(self_check, "supports_graph", lambda _: True)
    monkeypatch.setattr(StaticStep, "_compute", fail)
    writer, found = checked_decoder(models["opt"])
    assert not isinstance(writer, GenerateDecoder)
    assert (found.is_recorded, found.problem) == (False, "")
    assert "steps are computed anew each time: " in caplog.text
    assert "generate" not in caplog.text


def test_small_blocks_are_kept_and_large_ones_freed(model: LoadedModel) -> None:
    decoder = BatchDecoder(model, recorded=True)
    decoder.admit(job())
    decoder.step()
    decoder.step()
    kept = decoder.cache_bytes
    decoder.drop("row")
    assert decoder.cache_bytes == kept > 0  # one row of the whole context, which the plan includes
    for row in range(2):
        decoder.admit(job(str(row)))
    decoder.step()
    decoder.step()
    blocks = [weakref.ref(block) for layer in decoder._cache.layers for block in (layer.keys, layer.values)]
    for row in range(2):
        decoder.drop(str(row))
    assert decoder.cache_bytes == 0
    assert all(block() is None for block in blocks)


def test_step_is_recorded_again_only_when_blocks_move(
    models: dict[str, LoadedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    init = StaticStep.__init__

    def counted(step: StaticStep, loaded: LoadedModel, held: BatchCache, stream: object) -> None:
        made.append(held.layers[0].keys.shape[0])
        init(step, loaded, held, stream)

    monkeypatch.setattr(StaticStep, "__init__", counted)
    decoder = BatchDecoder(models["llama"], recorded=True)

    def write(rows: Sequence[str]) -> None:
        for row in rows:
            decoder.admit(job(row, 40))
        while decoder.rows:
            decoder.step()

    assert CONTEXT_LENGTH <= RECORDED_COLUMNS_AHEAD
    for _ in range(3):
        write(["a"])  # one after another, in the same blocks
    assert made == [1]
    write(["a", "b", "c"])
    assert made[1:] == [3]


def test_nan_stays_in_its_row(model: LoadedModel) -> None:
    """In blocks of a fixed shape every row attends to all cells, so that masked ones must be finite."""
    limits = CacheLimits(4, CONTEXT_LENGTH, RECORDED_COLUMNS_AHEAD, kept_cells=4 * CONTEXT_LENGTH)
    spoiled = filled(model, limits, torch.device("cpu"))
    for layer in spoiled.layers:
        layer.keys.fill_(float("nan"))
        layer.values.fill_(float("nan"))
    spoiled.leave(0)
    fresh = filled(model, limits, torch.device("cpu"))
    cache = DynamicCache()
    for number, layer in enumerate(fresh.layers):
        states = layer.keys[:1, :, : len(PROMPT)], layer.values[:1, :, : len(PROMPT)]
        cache.update(*states, number)
    spoiled.reserve_rows(cache, [len(PROMPT)])
    spoiled.join(cache, [len(PROMPT)])
    spoiled.reserve_column()
    with torch.inference_mode():
        found, expected = (StaticStep(model, each).run([7], each.starts, each.num_columns) for each in (spoiled, fresh))
    assert torch.equal(found, expected)


def test_idle_rows_change_nothing(models: dict[str, LoadedModel]) -> None:
    """The blocks hold four rows, of which three are used."""
    decoder = BatchDecoder(models["mpt"], recorded=True)
    jobs = [job(str(len(ids)), 12, ids) for ids in ((1,), (5, 6, 7), (9, 8, 7, 6))]
    ids: dict[str, list[int | None]] = {request.row: [] for request in jobs}
    for request in jobs:
        decoder.admit(request)
    while decoder.rows:
        for token in decoder.step():
            ids[token.row].append(token.token_id)
    assert [*ids.values()] == decode_together(models["mpt"], jobs)


@pytest.mark.parametrize("call", range(1, 4))  # keys and values of two layers; the first succeeds
def test_failed_reservation_leaves_other_rows_unchanged(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, fail_growth: FailGrowth, call: int
) -> None:
    (expected,) = decode_together(model, [job("running", 12)])
    decoder = BatchDecoder(model, recorded=True)
    decoder.admit(job("running", 12))
    ids = [token.token_id for token in decoder.step()]
    ids += [token.token_id for token in decoder.step()]
    with monkeypatch.context() as patch:
        fail_growth(patch, call)
        decoder.admit(job("new"))
        running, refused = decoder.step()
    ids.append(running.token_id)
    assert (refused.row, refused.error) == ("new", "out of memory while reading the prompt")
    while decoder.rows:
        ids += [token.token_id for token in decoder.step()]
    assert ids == expected
    assert run_self_check(model).problem == ""


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("full"), torch.AcceleratorError("CUDA error: out of memory")])
def test_step_without_memory_for_a_recording_runs_eagerly(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    (expected,) = decode_together(model, [job("row", 12)])
    tried: list[int] = []

    def fail(step: StaticStep) -> None:
        tried.append(1)
        raise error

    monkeypatch.setattr(StaticStep, "_record", fail)
    monkeypatch.setattr(cuda_graph, "_stream", lambda device: "a stream")
    assert decode_together(model, [job("row", 12)], recorded=True) == [expected]
    assert tried == [1], "only once"
