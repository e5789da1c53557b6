"""The decode step in one fixed shape, so that a GPU can be told once what to do and only reminded for every token.

An eager step of a 7B model costs a GPU's driver some 1,500 launches, which take longer than the work itself. Here the
step's shape is that of the slots' blocks, used or not: ids, first columns and the current column are numbers in a
tensor, and what is not there is masked. Such a step can be recorded as a CUDA graph and replayed until the blocks move.

Boundary: worker side; one forward for all rows, the public way (2-D mask, a cache, position ids). Whether a model's
answers survive it is checked before it is used (`golden`).
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin

from playground.engines.local.worker.loading import LoadedModel
from playground.engines.local.worker.memory import OutOfMemory, memory_errors, release
from playground.engines.local.worker.slots import SlotLayer, Slots

_CUDA = "cuda"


def can_be_recorded(loaded: LoadedModel) -> bool:
    """Whether all of the model lies on one GPU: layers that are fetched, or that lie elsewhere, cannot be recorded.

    Neither can weights of 8 bits: bitsandbytes looks for outliers in every step, and the CPU waits for what it finds.
    """
    if loaded.device.type != _CUDA or getattr(loaded.model, "is_loaded_in_8bit", False):
        return False
    return all(weights.device == loaded.device for weights in loaded.model.parameters())


class FixedLayer(CacheLayerMixin):  # type: ignore[misc]  # transformers has no types
    """One layer's block as the step sees it: every row writes into the current column and looks at all of them."""

    is_compileable = True
    is_sliding = False

    def __init__(self, block: SlotLayer, num_rows: int, num_columns: int, column: torch.Tensor) -> None:
        super().__init__()
        self._block = block
        self._num_rows, self._num_columns = num_rows, num_columns
        self._column = column  # shape (1,), on the device
        self.is_initialized = True

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """The blocks are there."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Put one column of every row in its place; all rows and columns of the step."""
        keys, values = (
            block[: self._num_rows, :, : self._num_columns] for block in (self._block.keys, self._block.values)
        )
        keys.index_copy_(2, self._column, key_states)
        values.index_copy_(2, self._column, value_states)
        return keys, values

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """All columns, and the first of them."""
        return self._num_columns, 0

    def get_seq_length(self) -> int:
        """As if the new token stood in the last column: which columns it may look at is the 2-D mask's alone."""
        return self._num_columns - 1

    def get_max_length(self) -> int:
        """All columns."""
        return self._num_columns


class FixedStep:
    """One token for every row of blocks that stay where they are."""

    def __init__(self, loaded: LoadedModel, slots: Slots, aside: Any = None) -> None:
        """A step over the blocks as they are now, for which nothing is computed yet.

        Args:
            aside: the GPU's stream on which it is recorded; none: it is computed each time.
        """
        self._model = loaded.model
        self._takes_positions = takes_positions(loaded)
        self._place = _place(slots)
        self._aside = aside
        # a newcomer without room may have left some layers larger than others
        self._num_rows = min(shape[1] for shape in self._place)
        num_columns = min(shape[3] for shape in self._place)
        # ids of all rows, their first columns, the current column: one copy to the device per step. Page-locked memory
        # would not do for it: giving that back asks the device, and after an error there ends the process unheard
        self._numbers = torch.zeros(2 * self._num_rows + 1, dtype=torch.long, device=loaded.device)
        self._columns = torch.arange(num_columns, device=loaded.device)
        size = (self._num_rows, num_columns)
        self._cache = Cache(layers=[FixedLayer(block, *size, self._numbers[-1:]) for block in slots.layers])
        self._graph: Any = None
        self._logits: torch.Tensor | None = None

    def is_over(self, slots: Slots) -> bool:
        """Whether the blocks are where they were. Others at the same place in the same shape do as well."""
        return _place(slots) == self._place

    def run(self, ids: Sequence[int], starts: Sequence[int], column: int) -> torch.Tensor:
        """Float32 logits of the rows' next tokens, shape (rows, vocabulary); overwritten by the next step.

        Args:
            ids: each row's last token, which the model has not seen.
            starts: each row's first column.
            column: where the last tokens go.
        """
        idle = self._num_rows - len(ids)  # they look at their own token, so that no softmax is empty
        numbers = [*ids, *[0] * idle, *starts, *[column] * (idle + 1)]
        self._numbers.copy_(torch.tensor(numbers))
        return self._go()[: len(ids)]

    def _go(self) -> torch.Tensor:
        if self._aside is not None and self._graph is None:
            try:
                with memory_errors("recording a step"):
                    self._record()
            except OutOfMemory:  # a graph needs memory of its own; the step itself has room
                self._aside = None
                release()
        if self._graph is None:
            return self._forward()
        with torch.cuda.device(self._numbers.device):
            self._graph.replay()
        assert self._logits is not None
        return self._logits

    def _record(self) -> None:
        """Have the GPU remember the step; a first one beforehand lets libraries choose their kernels and make room."""
        with torch.cuda.device(self._numbers.device):
            self._aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self._aside):
                self._forward()
            torch.cuda.current_stream().wait_stream(self._aside)
            graph = torch.cuda.CUDAGraph()
            # the outer one goes back to the stream before also where the end of a recording fails
            with torch.cuda.stream(self._aside), torch.cuda.graph(graph, stream=self._aside):
                self._logits = self._forward()
        self._graph = graph

    def _forward(self) -> torch.Tensor:
        rows, numbers = self._num_rows, self._numbers
        ids, starts, column = numbers[:rows], numbers[rows:-1], numbers[-1:]
        seen = (self._columns >= starts[:, None]) & (self._columns <= column)
        inputs: dict[str, Any] = {
            "input_ids": ids[:, None],
            "attention_mask": seen.long(),
            "past_key_values": self._cache,
        }
        if self._takes_positions:
            inputs["position_ids"] = (column - starts)[:, None]
        logits: torch.Tensor = self._model(**inputs, use_cache=True, logits_to_keep=1).logits
        return logits[:, -1].to(torch.float32)


class Recorder:
    """Steps over slots, recorded again whenever their blocks have moved."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded
        self._aside = _stream(loaded.device)
        self._step: FixedStep | None = None

    def step(self, ids: Sequence[int], slots: Slots) -> torch.Tensor:
        """Append one column to `slots`, for which room was made; logits as `FixedStep.run`."""
        if self._step is None or not self._step.is_over(slots):
            self._step = None  # gives its memory back first
            self._step = FixedStep(self._loaded, slots, self._aside)
        logits = self._step.run(ids, slots.starts, slots.num_columns)
        slots.append_column()
        return logits

    def forget(self) -> None:
        """Give everything back: the slots have given up their blocks."""
        self._step = None


def takes_positions(loaded: LoadedModel) -> bool:
    """Whether the model wants to be told where its tokens stand; those with ALiBi do not."""
    return "position_ids" in inspect.signature(loaded.model.forward).parameters


@cache
def _stream(device: torch.device) -> Any:
    """One for all recordings of a process: libraries keep memory for each that they ever worked on."""
    return torch.cuda.Stream(device) if device.type == _CUDA else None  # type: ignore[no-untyped-call]


def _place(slots: Slots) -> tuple[tuple[int, ...], ...]:
    """Addresses and shapes of all blocks."""
    blocks = (block for layer in slots.layers for block in (layer.keys, layer.values))
    return tuple((block.data_ptr(), *block.shape) for block in blocks)
