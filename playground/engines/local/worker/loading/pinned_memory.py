"""Copy weights from files to a GPU through page-locked buffers.

A GPU can only fetch from page-locked memory. Without these buffers the driver copies mapped files there piece by piece
while the caller waits; here one buffer per loading thread of transformers is filled and fetched in parallel. Numbers
are converted to the model's dtype on the way, so that the GPU never holds a tensor twice.

Boundary: tensors only; knows no model.
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
"""Large enough for the full speed of the bus. No larger: torch never returns page-locked memory to the system."""


class CopyBuffers:
    """A pool of buffers between files and devices; thread-safe."""

    def __init__(self, buffer_bytes: int = BUFFER_BYTES, *, page_locked: bool = True) -> None:
        self._buffers: queue.SimpleQueue[torch.Tensor] = queue.SimpleQueue()
        for _ in range(GLOBAL_WORKERS):
            self._buffers.put(torch.empty(buffer_bytes, dtype=torch.uint8, pin_memory=page_locked))

    def copy(self, source: torch.Tensor, target: torch.Tensor) -> None:
        """Copy `source` into the contiguous tensor `target`; complete on return."""
        flat_source, flat_target = source.reshape(-1), target.view(-1)
        with self._buffer(target.dtype) as buffer:
            for first in range(0, len(flat_source), len(buffer)):
                piece = flat_source[first : first + len(buffer)]
                staged = buffer[: len(piece)].copy_(piece)
                flat_target[first : first + len(piece)].copy_(staged)  # waits for the device

    @contextmanager
    def _buffer(self, dtype: torch.dtype) -> Iterator[torch.Tensor]:
        buffer = self._buffers.get()
        try:
            yield buffer.view(dtype)
        finally:
            self._buffers.put(buffer)


class BufferedTensor:
    """A tensor of a checkpoint; transformers takes all of it with ``[...]``, then moves it with ``to``."""

    def __init__(self, tensor: torch.Tensor, buffers: CopyBuffers) -> None:
        self._tensor = tensor
        self._buffers = buffers

    def __getitem__(self, index: object) -> BufferedTensor:
        return BufferedTensor(self._tensor[index], self._buffers)  # type: ignore[index]

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> torch.Tensor:
        """Return a copy on `device`, as `dtype`."""
        target = torch.empty(self._tensor.shape, dtype=dtype or self._tensor.dtype, device=device)
        self._buffers.copy(self._tensor, target)
        return target


def buffered_weights(files: Sequence[Path], buffers: CopyBuffers) -> Mapping[str, BufferedTensor]:
    """Return every tensor of a checkpoint by name, mapped and not yet read (legacy .bin files are read at once)."""
    return {name: BufferedTensor(tensor, buffers) for file in files for name, tensor in load_state_dict(file).items()}
