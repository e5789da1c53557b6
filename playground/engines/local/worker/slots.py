"""Keys and values of the running rows, in one block per layer: rows join, grow together and leave.

Rows are aligned at their ends: the newest token of each lies in the same column, so one forward serves all of them.
What lies before a row's first column is another row's past or nothing, and is masked. Blocks are allocated ahead, and
given back when the last row leaves.

Boundary: worker side; tensors only. Knows neither sampling nor why a row joins or leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicLayer

from playground.errors import EngineError

COLUMNS_AHEAD = 128
"""Blocks grow by so many columns at once."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How large blocks become, and in which steps."""

    max_rows: int
    max_columns: int  # the model's context: ALiBi knows no position beyond it, whoever it is that stands there
    columns_ahead: int = COLUMNS_AHEAD
    lasting: int = 0  # blocks of up to so many places (rows times columns) outlive their last row


class SlotLayer(CacheLayerMixin):  # type: ignore[misc]  # transformers has no types
    """One layer's block: keys and values of shape (row capacity, heads, column capacity, head width)."""

    is_sliding = False

    def __init__(self, growth: Growth) -> None:
        super().__init__()
        self._growth = growth
        self.keys: Any = None  # both come to be with the first row
        self.values: Any = None
        self.num_rows = 0
        self.num_columns = 0

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Blocks of no size, of the kind of these states."""
        self.keys = key_states.new_zeros((0, key_states.shape[1], 0, key_states.shape[3]))
        self.values = value_states.new_zeros((0, value_states.shape[1], 0, value_states.shape[3]))
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append one column to every running row, for which room was made; everything that the rows may look at."""
        first, self.num_columns = self.num_columns, self.num_columns + key_states.shape[2]
        n = self.num_rows
        self.keys[:n, :, first : self.num_columns] = key_states
        self.values[:n, :, first : self.num_columns] = value_states
        return self.keys[:n, :, : self.num_columns], self.values[:n, :, : self.num_columns]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Columns with the coming ones, and the first of them."""
        return self.num_columns + query_length, 0

    def get_seq_length(self) -> int:
        """Columns in use."""
        return self.num_columns

    def get_max_length(self) -> int:
        """No limit of its own."""
        return -1

    def reserve(self, num_rows: int, num_columns: int) -> None:
        """Make the blocks large enough for so many rows and columns, and some ahead."""
        self.keys = _grown(self.keys, num_rows, num_columns, self._growth)
        self.values = _grown(self.values, num_rows, num_columns, self._growth)

    def make_room(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Allocate what `join` of these states will need, and change nothing else."""
        if not self.is_initialized:
            self.lazy_initialization(keys, values)
        self.reserve(self.num_rows + 1, max(self.num_columns, keys.shape[2]))

    def join(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Add a row whose states have shape (1, heads, length, head width); room was made for it."""
        length = keys.shape[2]
        if length > self.num_columns:
            self._shift_right(length - self.num_columns)
        row, self.num_rows = self.num_rows, self.num_rows + 1
        first = self.num_columns - length
        for block, states in ((self.keys, keys), (self.values, values)):
            block[row] = 0  # what another row left there may not be finite, and masking does not help then
            block[row, :, first : self.num_columns] = states[0]

    def leave(self, row: int) -> None:
        """Drop a row; the last one takes its place."""
        self.num_rows -= 1
        for block in (self.keys, self.values):
            if row != self.num_rows:
                block[row] = block[self.num_rows]

    def _shift_right(self, columns: int) -> None:
        old, self.num_columns = self.num_columns, self.num_columns + columns
        if self.num_rows:
            for block in (self.keys, self.values):
                rows = block[: self.num_rows]
                rows[:, :, columns : self.num_columns] = rows[:, :, :old].clone()  # source and target overlap

    def shift_left(self, columns: int) -> None:
        """Give up the first columns. In pieces that do not overlap: memory may be what there is none of."""
        for block in (self.keys, self.values):
            rows = block[: self.num_rows]
            for first in range(columns, self.num_columns, columns):
                piece = rows[:, :, first : min(first + columns, self.num_columns)]
                rows[:, :, first - columns : first - columns + piece.shape[2]] = piece
        self.num_columns -= columns


def _grown(block: torch.Tensor, num_rows: int, num_columns: int, growth: Growth) -> torch.Tensor:
    """`block`, or a larger one with the same content; unused places hold zeros, which masking needs to be finite."""
    rows, heads, columns, width = block.shape
    if rows >= num_rows and columns >= num_columns:
        return block
    more_rows = rows if rows >= num_rows else max(num_rows, min(2 * rows, growth.max_rows))
    ahead = min(num_columns + growth.columns_ahead, growth.max_columns)
    more_columns = columns if columns >= num_columns else max(num_columns, ahead)
    larger = block.new_zeros((more_rows, heads, more_columns, width))
    larger[:rows, :, :columns] = block
    return larger


class Slots(Cache):  # type: ignore[misc]  # transformers has no types
    """A cache for a changing set of rows; `starts[i]` is the first column of row i."""

    def __init__(self, growth: Growth) -> None:
        super().__init__(layer_class_to_replicate=SlotLayer)
        self._growth = growth
        self.starts: list[int] = []

    @property
    def num_columns(self) -> int:
        """Columns in use."""
        return int(self.layers[0].num_columns) if self.layers else 0

    @property
    def num_bytes(self) -> int:
        """Of all blocks, used or not."""
        return sum(block.nbytes for layer in self.layers for block in (layer.keys, layer.values) if block is not None)

    def make_room(self, prefilled: DynamicCache) -> None:
        """Allocate what `join` will need; when there is no memory for it, all rows are as they were.

        Raises:
            EngineError: the model keeps something else than keys and values of all tokens.
        """
        wrong = next((layer for layer in prefilled.layers if type(layer) is not DynamicLayer), None)
        if wrong is not None:
            raise EngineError(f"rows of {type(wrong).__name__} cannot be written together")
        while len(self.layers) < len(prefilled.layers):
            self.layers.append(SlotLayer(self._growth))
        for layer, own in zip(self.layers, prefilled.layers, strict=True):
            layer.make_room(own.keys, own.values)

    def join(self, prefilled: DynamicCache) -> None:
        """Add a row from its own cache, filled by reading its prompt; room was made for it."""
        before = self.num_columns
        for layer, own in zip(self.layers, prefilled.layers, strict=True):
            layer.join(own.keys, own.values)
        moved = self.num_columns - before
        self.starts = [start + moved for start in self.starts]
        self.starts.append(self.num_columns - prefilled.get_seq_length())

    def leave(self, row: int) -> None:
        """Drop a row; the last one takes its number. Columns that no row uses any more are given up."""
        last = self.starts.pop()
        if not self.starts:
            self._empty()
            return
        if row < len(self.starts):
            self.starts[row] = last
        for layer in self.layers:
            layer.leave(row)
        self._close_gap()

    def _empty(self) -> None:
        num_rows, _, num_columns, _ = self.layers[0].keys.shape
        if num_rows * num_columns > self._growth.lasting:
            self.layers.clear()
        for layer in self.layers:
            layer.num_rows = layer.num_columns = 0

    def make_column(self) -> None:
        """Make room for the next column; first among those that no row uses any more, where there are no others."""
        if self.num_columns >= self._growth.max_columns:
            self._give_up(min(self.starts))
        for layer in self.layers:
            layer.reserve(layer.num_rows, layer.num_columns + 1)

    def append_column(self) -> None:
        """Count a column that was written into the blocks themselves."""
        for layer in self.layers:
            layer.num_columns += 1

    def _close_gap(self) -> None:
        """Move the rows left when more than a quarter of the columns belong to nobody."""
        gap = min(self.starts)
        if gap * 4 > self.num_columns:
            self._give_up(gap)

    def _give_up(self, columns: int) -> None:
        """The first ones, which belong to nobody."""
        for layer in self.layers:
            layer.shift_left(columns)
        self.starts = [start - columns for start in self.starts]

    def mask(self, device: torch.device) -> torch.Tensor:
        """The 2-D attention mask of the next step, shape (rows, columns + 1): 1 where a row has a token."""
        columns = torch.arange(self.num_columns + 1, device=device)
        return (columns >= torch.tensor(self.starts, device=device)[:, None]).long()

    def positions(self, device: torch.device) -> torch.Tensor:
        """The position of each row's next token, shape (rows, 1)."""
        return self.num_columns - torch.tensor(self.starts, device=device)[:, None]
