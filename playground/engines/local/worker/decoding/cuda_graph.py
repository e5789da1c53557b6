"""Decode steps of a fixed shape, which a GPU records as a CUDA graph and replays.

An eager step of a 7B model takes some 1,500 kernel launches, which last longer than the kernels. Here a step covers the
whole blocks of the `BatchCache`, used or not: ids, first columns and the current column are numbers in one tensor, and
unused cells are masked. Such a step can be recorded and replayed until the blocks move.

Boundary: one forward for all rows through the model's public interface. `self_check` verifies a model's answers.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin

from playground.engines.local.worker.decoding.kv_cache import BatchCache, BatchCacheLayer
from playground.engines.local.worker.errors import OutOfMemory, memory_errors, release_memory
from playground.engines.local.worker.loading.model import LoadedModel

_CUDA = "cuda"


def supports_graph(loaded: LoadedModel) -> bool:
    """Return True if the whole model is on one GPU and its steps do not wait for the CPU.

    Steps with 8-bit weights do: bitsandbytes searches for outliers in every step, and the CPU waits for the result.
    """
    if loaded.device.type != _CUDA or getattr(loaded.model, "is_loaded_in_8bit", False):
        return False
    return all(weights.device == loaded.device for weights in loaded.model.parameters())


class StaticCacheLayer(CacheLayerMixin):  # type: ignore[misc]  # transformers has no types
    """A layer of the cache in a fixed shape: every row writes into the current column and attends to all columns."""

    is_compileable = True
    is_sliding = False

    def __init__(self, block: BatchCacheLayer, num_rows: int, num_columns: int, column: torch.Tensor) -> None:
        super().__init__()
        self._block = block
        self._num_rows, self._num_columns = num_rows, num_columns
        self._column = column  # shape (1,), on the device
        self.is_initialized = True

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Do nothing: the blocks exist."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write one column of every row; return all rows and columns."""
        keys, values = (
            block[: self._num_rows, :, : self._num_columns] for block in (self._block.keys, self._block.values)
        )
        keys.index_copy_(2, self._column, key_states)
        values.index_copy_(2, self._column, value_states)
        return keys, values

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return the number of all columns, and the index of the first."""
        return self._num_columns, 0

    def get_seq_length(self) -> int:
        """Return the length for a token in the last column: the 2-D mask alone decides what it attends to."""
        return self._num_columns - 1

    def get_max_length(self) -> int:
        """Return the number of all columns."""
        return self._num_columns


class StaticStep:
    """A decode step over blocks that do not move: one token of every row."""

    def __init__(self, loaded: LoadedModel, batch: BatchCache, stream: Any = None) -> None:
        """Prepare a step over the blocks as they are now.

        Args:
            stream: the CUDA stream to record on; None: compute the step each time.
        """
        self._model = loaded.model
        self._takes_positions = takes_positions(loaded)
        self._layout = _layout(batch)
        self._stream = stream
        # some layers are larger than others after a new row found no memory
        self._num_rows = min(shape[1] for shape in self._layout)
        num_columns = min(shape[3] for shape in self._layout)
        # ids of all rows, their first columns, the current column: one copy to the device per step. Not page-locked:
        # freeing that asks the device, which after a device error ends the process without a message
        self._numbers = torch.zeros(2 * self._num_rows + 1, dtype=torch.long, device=loaded.device)
        self._columns = torch.arange(num_columns, device=loaded.device)
        size = (self._num_rows, num_columns)
        self._cache = Cache(layers=[StaticCacheLayer(block, *size, self._numbers[-1:]) for block in batch.layers])
        self._graph: Any = None
        self._logits: torch.Tensor | None = None

    def fits(self, batch: BatchCache) -> bool:
        """Return True if the blocks have the same addresses and shapes as when the step was prepared."""
        return _layout(batch) == self._layout

    def run(self, ids: Sequence[int], starts: Sequence[int], column: int) -> torch.Tensor:
        """Return float32 logits of the rows' next tokens, shape (rows, vocabulary); the next step overwrites them.

        Args:
            ids: each row's last token, which the model has not seen.
            starts: each row's first column.
            column: the column of the last tokens.
        """
        idle = self._num_rows - len(ids)  # idle rows attend to their own token, so that no softmax is empty
        numbers = [*ids, *[0] * idle, *starts, *[column] * (idle + 1)]
        self._numbers.copy_(torch.tensor(numbers))
        return self._compute()[: len(ids)]

    def _compute(self) -> torch.Tensor:
        if self._stream is not None and self._graph is None:
            try:
                with memory_errors("recording a step"):
                    self._record()
            except OutOfMemory:  # a graph needs memory of its own; an eager step may still fit
                self._stream = None
                release_memory()
        if self._graph is None:
            return self._forward()
        with torch.cuda.device(self._numbers.device):
            self._graph.replay()
        assert self._logits is not None
        return self._logits

    def _record(self) -> None:
        """Record the step, after an eager one in which libraries choose their kernels and allocate memory."""
        with torch.cuda.device(self._numbers.device):
            self._stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self._stream):
                self._forward()
            torch.cuda.current_stream().wait_stream(self._stream)
            graph = torch.cuda.CUDAGraph()
            # the outer context restores the current stream even if ending the recording fails
            with torch.cuda.stream(self._stream), torch.cuda.graph(graph, stream=self._stream):
                self._logits = self._forward()
        self._graph = graph

    def _forward(self) -> torch.Tensor:
        rows, numbers = self._num_rows, self._numbers
        ids, starts, column = numbers[:rows], numbers[rows:-1], numbers[-1:]
        seen = (self._columns >= starts[:, None]) & (self._columns <= column)
        positions = (column - starts)[:, None] if self._takes_positions else None
        return next_logits(self._model, ids[:, None], seen.long(), positions, self._cache)


class StepRecorder:
    """Runs recorded steps, and records again whenever the blocks have moved."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded
        self._stream = _stream(loaded.device)
        self._step: StaticStep | None = None

    def step(self, ids: Sequence[int], batch: BatchCache) -> torch.Tensor:
        """Append one reserved column to the cache; return logits as `StaticStep.run` does."""
        if self._step is None or not self._step.fits(batch):
            self._step = None  # frees its memory first
            self._step = StaticStep(self._loaded, batch, self._stream)
        logits = self._step.run(ids, batch.starts, batch.num_columns)
        batch.append_column()
        return logits

    def forget(self) -> None:
        """Free the recording, because the cache has freed its blocks."""
        self._step = None


def next_logits(
    model: Any, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor | None, batch: Cache
) -> torch.Tensor:
    """Run the model; return float32 logits of every row's next token, shape (rows, vocabulary)."""
    inputs = {"input_ids": ids, "attention_mask": mask, "past_key_values": batch}
    if positions is not None:
        inputs["position_ids"] = positions
    logits: torch.Tensor = model(**inputs, use_cache=True, logits_to_keep=1).logits
    return logits[:, -1].to(torch.float32)


def takes_positions(loaded: LoadedModel) -> bool:
    """Return True if the model takes position ids; models with ALiBi do not."""
    return "position_ids" in inspect.signature(loaded.model.forward).parameters


@cache
def _stream(device: torch.device) -> Any:
    """Return one stream for all recordings of a process: libraries keep memory for every stream that they used."""
    return torch.cuda.Stream(device) if device.type == _CUDA else None  # type: ignore[no-untyped-call]


def _layout(batch: BatchCache) -> tuple[tuple[int, ...], ...]:
    """Return the addresses and shapes of all blocks."""
    blocks = (block for layer in batch.layers for block in (layer.keys, layer.values))
    return tuple((block.data_ptr(), *block.shape) for block in blocks)
