"""Weights loaded through buffers equal those in the files, and are refused for the same reasons."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, MptConfig, OPTConfig, PreTrainedConfig, Qwen3_5Config, T5Config

from playground.engines.local.worker.errors import OutOfMemory
from playground.engines.local.worker.loading import model as loading
from playground.engines.local.worker.loading.model import load
from playground.engines.local.worker.loading.pinned_memory import BufferedTensor, CopyBuffers
from playground.errors import CheckpointError
from playground.records import ModelCard
from tests.support.checkpoints import ARCHITECTURES, FORMS, rewrite, tiny_line_up

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.int64)
SMALL = 1024
"""Bytes of a buffer; hardly any tensor fits."""


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelCard]:
    return dict(zip(ARCHITECTURES, tiny_line_up(tmp_path_factory.getbasetemp() / "tiny"), strict=True))


@pytest.fixture
def copy(cards: dict[str, ModelCard], tmp_path: Path) -> Callable[[str], ModelCard]:
    def make(kind: str) -> ModelCard:
        shutil.copytree(cards[kind].repo, tmp_path / kind)
        return replace(cards[kind], repo=str(tmp_path / kind))

    return make


def small_buffers() -> CopyBuffers:
    return CopyBuffers(SMALL, page_locked=False)


@given(
    shape=st.lists(st.integers(0, 9), max_size=4),
    stored=st.sampled_from(DTYPES),
    wanted=st.sampled_from(DTYPES),
    buffer_bytes=st.integers(1, 40).map(lambda words: 8 * words),
)
def test_any_tensor_passes_through_buffers_of_any_size(
    shape: list[int], stored: torch.dtype, wanted: torch.dtype, buffer_bytes: int
) -> None:
    tensor = (torch.rand(shape) * 100).to(stored)
    staged = BufferedTensor(tensor, CopyBuffers(buffer_bytes, page_locked=False))
    moved = staged[...].to(device="cpu", dtype=wanted)
    assert (moved.shape, moved.dtype) == (tensor.shape, wanted)
    assert torch.equal(moved, tensor.to(wanted))
    assert moved.data_ptr() != tensor.data_ptr() or not tensor.numel()


def test_transposed_and_sliced_tensors_are_copied() -> None:
    tensor = torch.rand(37, 23)
    assert torch.equal(BufferedTensor(tensor.T, small_buffers())[...].to("cpu"), tensor.T)
    assert torch.equal(BufferedTensor(tensor, small_buffers())[3:9].to("cpu"), tensor[3:9])


def test_tensors_can_be_copied_in_parallel() -> None:
    shared = small_buffers()
    tensors = [torch.full((5, 777), float(number)) for number in range(64)]
    with ThreadPoolExecutor(16) as pool:
        moved = list(pool.map(lambda tensor: BufferedTensor(tensor, shared).to("cpu"), tensors))
    assert all(torch.equal(came, tensor) for came, tensor in zip(moved, tensors, strict=True))


def test_failed_copy_returns_its_buffer() -> None:
    shared = small_buffers()
    for _ in range(40):
        with pytest.raises(RuntimeError):
            shared.copy(torch.ones(3), torch.ones(2))
    assert torch.equal(BufferedTensor(torch.ones(3), shared).to("cpu"), torch.ones(3))


class Counted(CopyBuffers):
    """Counts the tensors that pass through."""

    def __init__(self, buffer_bytes: int, *, page_locked: bool) -> None:
        super().__init__(buffer_bytes, page_locked=page_locked)
        self.copied: list[torch.Size] = []

    def copy(self, source: torch.Tensor, target: torch.Tensor) -> None:
        self.copied.append(source.shape)
        super().copy(source, target)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", list(ARCHITECTURES))
def test_every_form_loads_as_without_buffers(
    copy: Callable[[str], ModelCard], kind: str, form: str, dtype: str
) -> None:
    card = replace(copy(kind), dtype=dtype)
    rewrite(Path(card.repo), form)
    counted = Counted(SMALL, page_locked=False)
    plain, staged = (load(card, threads=1, buffers=way).model.state_dict() for way in (None, counted))
    assert len(counted.copied) >= len(staged) - 1  # a tied matrix may be stored once
    assert list(plain) == list(staged)
    assert all(torch.equal(staged[name], numbers) for name, numbers in plain.items())
    assert {name: numbers.dtype for name, numbers in staged.items()} == {
        name: numbers.dtype for name, numbers in plain.items()
    }


@pytest.mark.parametrize(
    ("config", "through"),
    [
        (LlamaConfig(), True),
        (OPTConfig(), True),
        (MptConfig(), True),
        (LlamaConfig(quantization_config={"quant_method": "fp8"}), False),
        (Qwen3_5Config(), False),  # from_pretrained takes its text model
        (T5Config(), False),  # from_pretrained refuses it
    ],
    ids=["llama", "opt", "mpt", "quantized", "with pictures", "no decoder"],
)
def test_quantized_and_image_models_are_read_from_their_folder(
    cards: dict[str, ModelCard], config: PreTrainedConfig, through: bool
) -> None:
    assert loading._allows_buffers(cards["llama"], config) is through
    assert not loading._allows_buffers(replace(cards["llama"], quantization="4bit"), config)


def test_page_locked_memory_is_optional(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def none_left(**_: object) -> CopyBuffers:
        raise torch.AcceleratorError("CUDA error: OS call failed")

    monkeypatch.setattr(loading, "CopyBuffers", none_left)
    assert loading._page_locked_buffers(torch.device("cuda:0")) is None
    assert "no page-locked memory; loading will take longer: CUDA error" in caplog.text


def test_full_gpu_is_reported(cards: dict[str, ModelCard], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(name: str) -> torch.device:
        raise torch.AcceleratorError("CUDA error: out of memory")

    monkeypatch.setattr(loading, "_device", full)
    with pytest.raises(OutOfMemory, match="out of memory while loading Tiny opt"):
        load(cards["opt"], threads=1)


def _without(weights: dict[str, Any], part: str) -> dict[str, Any]:
    return {name: numbers for name, numbers in weights.items() if part not in name}


CHANGES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "missing": lambda weights: _without(weights, "layers.1.mlp.up_proj"),
    "unexpected": lambda weights: weights | {"model.layers.1.mlp.more.weight": torch.ones(2)},
    "another shape": lambda weights: weights | {"model.norm.weight": torch.ones(3)},
    "NaN": lambda weights: weights | {"model.norm.weight": torch.full((64,), torch.nan)},
    "code": lambda weights: weights | {"more": io.StringIO()},
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_wrong_weights_are_refused_with_the_same_message(copy: Callable[[str], ModelCard], change: str) -> None:
    card = copy("llama")
    rewrite(Path(card.repo), "bin", CHANGES[change])
    words = []
    for way in (None, small_buffers()):
        with pytest.raises(CheckpointError) as refused:
            load(card, threads=1, buffers=way)
        words.append(str(refused.value))
    assert words[0] == words[1]


def test_memory_that_runs_out_while_loading_is_reported(
    cards: dict[str, ModelCard], monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = iter(range(1000))
    copy = CopyBuffers.copy

    def full(way: CopyBuffers, source: torch.Tensor, target: torch.Tensor) -> None:
        if next(copied) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")
        copy(way, source, target)

    monkeypatch.setattr(CopyBuffers, "copy", full)
    with pytest.raises(OutOfMemory, match="out of memory while loading Tiny opt"):
        load(cards["opt"], threads=1, buffers=small_buffers())
