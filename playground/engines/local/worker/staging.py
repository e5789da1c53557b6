"""Weights on their way to a GPU, through memory that it can fetch from by itself.

What lies in a mapped file has to be copied to page-locked memory before a GPU can have it. Left alone, the driver does
that piece by piece with whoever asks waiting; here a few buffers are filled and fetched side by side, as many as
transformers reads tensors at once. Numbers become those of the model's dtype on the way in, so that the GPU never holds
a tensor twice.

Boundary: worker side; hands transformers what it asks of a checkpoint's tensors, and knows no model.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers.core_model_loading import GLOBAL_WORKERS
from transformers.modeling_utils import load_state_dict

BUFFER_BYTES = 16 << 20
"""Large enough for the bus's full speed, small enough to be kept: torch gives page-locked memory back to nobody."""


class Stage:
    """The buffers between files and devices; safe for threads."""

    def __init__(self, buffer_bytes: int = BUFFER_BYTES, *, page_locked: bool = True) -> None:
        self._buffers: queue.SimpleQueue[torch.Tensor] = queue.SimpleQueue()
        for _ in range(GLOBAL_WORKERS):
            self._buffers.put(torch.empty(buffer_bytes, dtype=torch.uint8, pin_memory=page_locked))

    def copy(self, source: torch.Tensor, target: torch.Tensor) -> None:
        """Fill a contiguous `target` with the numbers of `source`; they are there when this returns."""
        numbers, places = source.reshape(-1), target.view(-1)
        with self._buffer(target.dtype) as buffer:
            for first in range(0, len(numbers), len(buffer)):
                piece = numbers[first : first + len(buffer)]
                staged = buffer[: len(piece)].copy_(piece)
                places[first : first + len(piece)].copy_(staged)  # waits until it has been fetched

    @contextmanager
    def _buffer(self, dtype: torch.dtype) -> Iterator[torch.Tensor]:
        buffer = self._buffers.get()
        try:
            yield buffer.view(dtype)
        finally:
            self._buffers.put(buffer)


class StagedTensor:
    """One tensor of a checkpoint: transformers takes all of it with ``[...]``, then moves it with ``to``."""

    def __init__(self, tensor: torch.Tensor, stage: Stage) -> None:
        self._tensor = tensor
        self._stage = stage

    def __getitem__(self, index: object) -> StagedTensor:
        return StagedTensor(self._tensor[index], self._stage)  # type: ignore[index]

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> torch.Tensor:
        """A copy of its numbers on `device`, as `dtype`."""
        target = torch.empty(self._tensor.shape, dtype=dtype or self._tensor.dtype, device=device)
        self._stage.copy(self._tensor, target)
        return target


def staged_weights(files: Sequence[Path], stage: Stage) -> Mapping[str, StagedTensor]:
    """Every tensor of a checkpoint's files by name; mapped, and read when it is moved, but of .bin files of old."""
    return {name: StagedTensor(tensor, stage) for file in files for name, tensor in load_state_dict(file).items()}
