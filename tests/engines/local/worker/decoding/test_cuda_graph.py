"""A step of fixed shape: nothing of it needs the host, its blocks stay where they are, and none of them is kept."""

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

from playground.engines.local.worker.decoding import cuda_graph, kv_cache, self_check
from playground.engines.local.worker.decoding.cuda_graph import StaticStep, supports_graph
from playground.engines.local.worker.decoding.decoder import RECORDED_COLUMNS_AHEAD, BatchDecoder
from playground.engines.local.worker.decoding.generate import GenerateDecoder
from playground.engines.local.worker.decoding.kv_cache import BatchCache, CacheLimits
from playground.engines.local.worker.decoding.self_check import checked_decoder, decode_together, run_self_check
from playground.engines.local.worker.loading.model import LoadedModel, load
from playground.engines.protocol import Job
from playground.records import SamplingParams
from tests.support.checkpoints import ARCHITECTURES, CONTEXT_LENGTH, VOCAB_SIZE, tiny_line_up

PROMPT = (1, 5, 9)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadedModel]:
    cards = tiny_line_up(tmp_path_factory.getbasetemp() / "tiny")
    return {kind: load(card, threads=1) for kind, card in zip(ARCHITECTURES, cards, strict=True)}


@pytest.fixture(params=list(ARCHITECTURES))
def model(request: pytest.FixtureRequest, models: dict[str, LoadedModel]) -> LoadedModel:
    return models[request.param]


def job(row: str = "row", new: int = 20, ids: Sequence[int] = PROMPT) -> Job:
    return Job(row, tuple(ids), SamplingParams(max_new_tokens=new), 0, (), 60.0)


def filled(model: LoadedModel, limits: CacheLimits, device: torch.device) -> BatchCache:
    """BatchCache with one row, of the model's shape."""
    cache = DynamicCache()
    with torch.inference_mode():
        ids = torch.tensor([PROMPT], device=device)
        model.model(input_ids=ids, attention_mask=torch.ones_like(ids), past_key_values=cache, use_cache=True)
    held = BatchCache(limits)
    held.reserve_row(cache)
    held.join(cache)
    held.reserve_column()
    return held


class Watch(TorchDispatchMode):
    """Notes every operation that touches more than one device."""

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


def test_a_step_neither_copies_from_the_host_nor_waits_for_a_number(model: LoadedModel) -> None:
    """Either would break the recording on a GPU. A device without numbers takes its place: it has none to wait for."""
    meta = torch.device("meta")
    there = replace(model, model=deepcopy(model.model).to(meta), device=meta)
    held = filled(model, CacheLimits(4, CONTEXT_LENGTH), torch.device("cpu"))
    for layer in held.layers:
        layer.keys, layer.values = layer.keys.to(meta), layer.values.to(meta)
    step = StaticStep(there, held)
    with torch.inference_mode(), Watch() as watch:
        logits = step._forward()
    assert (logits.shape, logits.device.type, logits.dtype) == ((1, VOCAB_SIZE), "meta", torch.float32)
    assert watch.num_seen > 100
    assert watch.crossings == []


def test_what_would_break_a_recording_is_noticed() -> None:
    """Else the test above would prove nothing."""
    meta = torch.device("meta")
    with Watch() as watch:
        torch.ones(2, device=meta).add(torch.tensor([1.0, 2.0]).to(meta))
    assert watch.crossings != []
    with pytest.raises(RuntimeError, match="meta"):
        torch.ones(1, device=meta).item()


def test_only_what_lies_on_one_gpu_is_recorded(model: LoadedModel) -> None:
    assert not supports_graph(model)
    assert not run_self_check(model).is_recorded
    split = replace(model, device=torch.device("cuda:0"))  # its weights are elsewhere
    assert not supports_graph(split)


def test_weights_of_8_bits_are_not_recorded(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_graph, "_CUDA", "cpu")
    assert supports_graph(model)
    monkeypatch.setattr(model.model, "is_loaded_in_8bit", True, raising=False)
    assert not supports_graph(model)


def test_a_model_whose_recorded_steps_write_something_else_is_computed_anew(
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
def test_a_step_that_cannot_be_recorded_is_computed_anew(
    models: dict[str, LoadedModel], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(step: StaticStep) -> torch.Tensor:
        raise error

    monkeypatch.setattr(self_check, "supports_graph", lambda _: True)
    monkeypatch.setattr(StaticStep, "_compute", refuse)
    writer, found = checked_decoder(models["opt"])
    assert not isinstance(writer, GenerateDecoder)
    assert (found.is_recorded, found.problem) == (False, "")


def test_small_blocks_outlive_their_last_row_and_large_ones_are_given_back(model: LoadedModel) -> None:
    decoder = BatchDecoder(model, recorded=True)
    decoder.admit(job())
    decoder.step()
    decoder.step()
    kept = decoder.cache_bytes
    decoder.drop("row")
    assert decoder.cache_bytes == kept > 0  # one row of the whole context: what every plan counts
    for row in range(2):
        decoder.admit(job(str(row)))
    decoder.step()
    decoder.step()
    blocks = [weakref.ref(block) for layer in decoder._cache.layers for block in (layer.keys, layer.values)]
    for row in range(2):
        decoder.drop(str(row))
    assert decoder.cache_bytes == 0
    assert all(block() is None for block in blocks)


def test_a_step_is_recorded_again_only_when_its_blocks_have_moved(
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
        write(["a"])  # one after another: the same blocks
    assert made == [1]
    write(["a", "b", "c"])
    assert made[1:] == [4]


def test_numbers_that_are_not_finite_stay_with_the_row_that_has_them(model: LoadedModel) -> None:
    """In blocks of fixed shape every row looks at everything: what is masked must be finite all the same."""
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
    spoiled.reserve_row(cache)
    spoiled.join(cache)
    spoiled.reserve_column()
    with torch.inference_mode():
        found, expected = (StaticStep(model, each).run([7], each.starts, each.num_columns) for each in (spoiled, fresh))
    assert torch.equal(found, expected)


def test_rows_that_idle_change_nothing(models: dict[str, LoadedModel]) -> None:
    """Blocks hold four rows where three are written; the fourth looks at its own token."""
    decoder = BatchDecoder(models["mpt"], recorded=True)
    jobs = [job(str(len(ids)), 12, ids) for ids in ((1,), (5, 6, 7), (9, 8, 7, 6))]
    ids: dict[str, list[int | None]] = {request.row: [] for request in jobs}
    for request in jobs:
        decoder.admit(request)
    while decoder.rows:
        for token in decoder.step():
            ids[token.row].append(token.token_id)
    assert [*ids.values()] == decode_together(models["mpt"], jobs)


@pytest.mark.parametrize("call", range(1, 4))  # keys and values of two layers; the first one is all right
def test_a_newcomer_without_room_in_any_layer_leaves_the_others_as_they_were(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    (expected,) = decode_together(model, [job("running", 12)])
    decoder = BatchDecoder(model, recorded=True)
    decoder.admit(job("running", 12))
    ids = [token.token_id for token in decoder.step()]
    grown, calls = kv_cache._grown, iter(range(1000))

    def fail(block: torch.Tensor, num_rows: int, num_columns: int, limits: CacheLimits) -> torch.Tensor:
        if block.shape[0] < num_rows and next(calls) >= call:
            raise torch.OutOfMemoryError("full")
        return grown(block, num_rows, num_columns, limits)

    ids += [token.token_id for token in decoder.step()]
    with monkeypatch.context() as full:
        full.setattr(kv_cache, "_grown", fail)
        decoder.admit(job("newcomer"))
        running, refused = decoder.step()
    ids.append(running.token_id)
    assert (refused.row, refused.error) == ("newcomer", "out of memory while reading the prompt")
    while decoder.rows:
        ids += [token.token_id for token in decoder.step()]
    assert ids == expected
    assert run_self_check(model).problem == ""


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("full"), torch.AcceleratorError("CUDA error: out of memory")])
def test_a_step_without_memory_for_its_recording_is_computed(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    (expected,) = decode_together(model, [job("row", 12)])
    tried: list[int] = []

    def full(step: StaticStep) -> None:
        tried.append(1)
        raise error

    monkeypatch.setattr(StaticStep, "_record", full)
    monkeypatch.setattr(cuda_graph, "_stream", lambda device: "a stream")
    assert decode_together(model, [job("row", 12)], recorded=True) == [expected]
    assert tried == [1], "not again at every step"
