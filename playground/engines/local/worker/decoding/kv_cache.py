"""Keys and values of the running rows, in one block per layer: rows join, grow together and leave.

Rows are aligned on the right: the newest token of each is in the same column, so that one forward serves all. Columns
before a row's first one belong to other rows or to none, and are masked. Blocks are allocated ahead, and freed when the
last row leaves.

Boundary: tensors only; knows no sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicLayer

from playground.errors import EngineError

COLUMNS_AHEAD = 128
"""Columns allocated at once."""


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """Largest size of the blocks, and the steps in which they grow."""

    max_rows: int
    max_columns: int  # the model's context: ALiBi has no position beyond it, whichever row a column belongs to
    columns_ahead: int = COLUMNS_AHEAD
    kept_cells: int = 0  # blocks of at most this many rows times columns are kept after the last row


class BatchCacheLayer(CacheLayerMixin):  # type: ignore[misc]  # transformers has no types
    """The block of one layer: keys and values of shape (row capacity, heads, column capacity, head width)."""

    is_sliding = False

    def __init__(self, limits: CacheLimits) -> None:
        super().__init__()
        self._limits = limits
        self.keys: Any = None  # until the first row
        self.values: Any = None
        self.num_rows = 0
        self.num_columns = 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Create empty blocks with the heads, width, dtype and device of these states."""
        self.keys = key_states.new_zeros((0, key_states.shape[1], 0, key_states.shape[3]))
        self.values = value_states.new_zeros((0, value_states.shape[1], 0, value_states.shape[3]))
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append one reserved column to every running row; return all columns in use."""
        first, self.num_columns = self.num_columns, self.num_columns + key_states.shape[2]
        n = self.num_rows
        self.keys[:n, :, first : self.num_columns] = key_states
        self.values[:n, :, first : self.num_columns] = value_states
        return self.keys[:n, :, : self.num_columns], self.values[:n, :, : self.num_columns]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return the number of columns with the coming ones, and the index of the first."""
        return self.num_columns + query_length, 0

    def get_seq_length(self) -> int:
        return self.num_columns

    def get_max_length(self) -> int:
        """Return -1: the layer sets no limit."""
        return -1

    def reserve(self, num_rows: int, num_columns: int) -> None:
        """Grow the blocks to at least this size."""
        self.keys = _grown(self.keys, num_rows, num_columns, self._limits)
        self.values = _grown(self.values, num_rows, num_columns, self._limits)

    def reserve_rows(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Allocate blocks for `join` of these states, and change nothing else."""
        if not self.is_initialized:
            self.lazy_initialization(keys, values)
        self.reserve(self.num_rows + keys.shape[0], max(self.num_columns, keys.shape[2]))

    def join(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Add rows, reserved before, from states of shape (rows, heads, length, head width); allocates nothing."""
        length = keys.shape[2]
        first_row, self.num_rows = self.num_rows, self.num_rows + keys.shape[0]
        first = self.num_columns - length
        for block, states in ((self.keys, keys), (self.values, values)):
            rows = block[first_row : self.num_rows]
            rows.zero_()  # numbers of an earlier row may not be finite, and masking does not hide those
            rows[:, :, first : self.num_columns] = states

    def leave(self, row: int) -> None:
        """Remove a row; the last one takes its index."""
        self.num_rows -= 1
        for block in (self.keys, self.values):
            if row != self.num_rows:
                block[row] = block[self.num_rows]

    def trim_rows(self) -> None:
        """Let the blocks grow without the rows that are not in use."""
        self.keys, self.values = self.keys[: self.num_rows], self.values[: self.num_rows]

    def shift_right(self, columns: int) -> None:
        """Put unused columns, reserved before, first; needs memory for a copy, and changes nothing if there is none."""
        used = [block[: self.num_rows, :, : self.num_columns].clone() for block in (self.keys, self.values)]
        self.num_columns += columns
        for block, copy in zip((self.keys, self.values), used, strict=True):
            block[: self.num_rows, :, columns : self.num_columns] = copy  # source and target overlap

    def shift_left(self, columns: int) -> None:
        """Drop the first columns, in pieces that do not overlap: there may be no memory for a copy."""
        for block in (self.keys, self.values):
            rows = block[: self.num_rows]
            for first in range(columns, self.num_columns, columns):
                piece = rows[:, :, first : min(first + columns, self.num_columns)]
                rows[:, :, first - columns : first - columns + piece.shape[2]] = piece
        self.num_columns -= columns


def _grown(block: torch.Tensor, num_rows: int, num_columns: int, limits: CacheLimits) -> torch.Tensor:
    """Return `block`, or a larger copy; unused cells hold zeros, because masked numbers must be finite."""
    rows, heads, columns, width = block.shape
    if rows >= num_rows and columns >= num_columns:
        return block
    more_rows = rows if rows >= num_rows else max(num_rows, min(2 * rows, limits.max_rows))
    ahead = min(num_columns + limits.columns_ahead, limits.max_columns)
    more_columns = columns if columns >= num_columns else max(num_columns, ahead)
    larger = block.new_zeros((more_rows, heads, more_columns, width))
    larger[:rows, :, :columns] = block
    return larger


class BatchCache(Cache):  # type: ignore[misc]  # transformers has no types
    """A transformers cache for a changing set of rows; `starts[i]` is the first column of row i."""

    def __init__(self, limits: CacheLimits) -> None:
        super().__init__(layer_class_to_replicate=BatchCacheLayer)
        self._limits = limits
        self.starts: list[int] = []

    @property
    def num_columns(self) -> int:
        return int(self.layers[0].num_columns) if self.layers else 0

    @property
    def num_bytes(self) -> int:
        """Size of all blocks, used or not."""
        return sum(block.nbytes for layer in self.layers for block in (layer.keys, layer.values) if block is not None)

    def reserve_rows(self, prefilled: DynamicCache, lengths: Sequence[int]) -> None:
        """Prepare `join`, which then allocates nothing; if there is no memory, the other rows are unchanged.

        Args:
            lengths: tokens of each prompt; states that belong to none become 0.

        Raises:
            EngineError: the model's layers do not hold keys and values of all tokens.
        """
        wrong = next((layer for layer in prefilled.layers if type(layer) is not DynamicLayer), None)
        if wrong is not None:
            raise EngineError(f"rows of {type(wrong).__name__} cannot be written together")
        while len(self.layers) < len(prefilled.layers):
            self.layers.append(BatchCacheLayer(self._limits))
        for layer, own in zip(self.layers, prefilled.layers, strict=True):
            layer.reserve_rows(own.keys, own.values)
        _clear_padding(prefilled, lengths)
        self._insert_columns(prefilled.get_seq_length() - self.num_columns)

    def _insert_columns(self, columns: int) -> None:
        """Put unused columns before all others; if there is no memory for that, undo it."""
        if columns <= 0:
            return
        with ExitStack() as undo:
            for layer in self.layers:
                layer.shift_right(columns)
                undo.callback(layer.shift_left, columns)
            undo.pop_all()
        self.starts = [start + columns for start in self.starts]

    def join(self, prefilled: DynamicCache, lengths: Sequence[int]) -> None:
        """Add rows, reserved before, from the cache of their prompts, which are padded on the left.

        Args:
            lengths: tokens of each prompt.
        """
        for layer, own in zip(self.layers, prefilled.layers, strict=True):
            layer.join(own.keys, own.values)
        self.starts += [self.num_columns - length for length in lengths]

    def leave(self, row: int) -> None:
        """Remove a row; the last one takes its index. Drop unused leading columns if they are more than a quarter."""
        last = self.starts.pop()
        if not self.starts:
            self._empty()
            return
        if row < len(self.starts):
            self.starts[row] = last
        for layer in self.layers:
            layer.leave(row)
        unused = min(self.starts)
        if unused * 4 > self.num_columns:
            self._drop_columns(unused)

    def _empty(self) -> None:
        num_rows, _, num_columns, _ = self.layers[0].keys.shape
        if num_rows * num_columns > self._limits.kept_cells:
            self.layers.clear()
        for layer in self.layers:
            layer.num_rows = layer.num_columns = 0

    def reserve_column(self) -> None:
        """Reserve one column, dropping unused leading columns if the context is full."""
        if self.num_columns >= self._limits.max_columns:
            self._drop_columns(min(self.starts))
        for layer in self.layers:
            layer.reserve(layer.num_rows, layer.num_columns + 1)

    def trim(self) -> None:
        """Drop unused leading columns, and unused rows: their memory is free once the blocks have grown."""
        if self.starts and (unused := min(self.starts)):
            self._drop_columns(unused)
        for layer in self.layers if self.starts else ():
            layer.trim_rows()

    def append_column(self) -> None:
        """Count a column that was written into the blocks directly."""
        for layer in self.layers:
            layer.num_columns += 1

    def _drop_columns(self, columns: int) -> None:
        """Drop the first `columns`, which no row uses."""
        for layer in self.layers:
            layer.shift_left(columns)
        self.starts = [start - columns for start in self.starts]

    def mask(self, device: torch.device) -> torch.Tensor:
        """Return the 2-D attention mask of the next step, shape (rows, columns + 1): 1 where a row has a token."""
        columns = torch.arange(self.num_columns + 1, device=device)
        return (columns >= torch.tensor(self.starts, device=device)[:, None]).long()

    def positions(self, device: torch.device) -> torch.Tensor:
        """Return the position of each row's next token, shape (rows, 1)."""
        return self.num_columns - torch.tensor(self.starts, device=device)[:, None]


def _clear_padding(prefilled: DynamicCache, lengths: Sequence[int]) -> None:
    """Set states that belong to no token to 0, in place: there may be no memory for a copy."""
    columns = prefilled.get_seq_length()
    if min(lengths) == columns:
        return
    firsts = torch.tensor([columns - length for length in lengths])
    padding = (torch.arange(columns) < firsts[:, None])[:, None, :, None]  # shape (rows, 1, columns, 1)
    for layer in prefilled.layers:
        padding = padding.to(layer.keys.device)  # layers may be on several devices
        layer.keys.masked_fill_(padding, 0)
        layer.values.masked_fill_(padding, 0)
