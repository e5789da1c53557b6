"""Queue of unread prompts: which of them are read together next, and which part of a long one.

Prompts are read in one forward, padded to the longest. One more prompt of about the same length costs less than a
forward of its own, one of another length costs more, because padding is computed too. A prompt that is longer than
what a step reads is read in pieces, one a step, so that running rows do not wait for all of it. Its pieces follow from
its length alone: an answer does not depend on the prompts that come and go meanwhile.

Boundary: lengths and order; knows no tensors and no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

MAX_PASSES = 4
"""Steps in which shorter prompts may pass a prompt that is longer than a step reads; between its pieces in one."""

PADDING_ON_CPU = 24
"""Padding for each prompt after the first, in tokens: half of what a forward of its own costs; measured."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Group(Generic[T]):
    """Rows whose prompts are read in one forward: all of each, or a piece of one."""

    rows: tuple[T, ...]
    begin: int  # first token to read
    end: int  # the token after the last one
    is_last: bool = True  # nothing is left to read


@dataclass(slots=True, eq=False)
class _Unread(Generic[T]):
    row: T
    length: int  # tokens
    num_read: int = 0


class PromptQueue(Generic[T]):
    """Rows whose prompts are unread, in order of arrival."""

    def __init__(self, max_tokens: int, max_padding: int, *, in_pieces: bool = True) -> None:
        """Create an empty queue.

        Args:
            max_tokens: most tokens of a group, padding included, and the size of a piece of a longer prompt.
            max_padding: most padding of a group for each prompt after the first.
            in_pieces: False: a longer prompt is read alone, all of it in one step.
        """
        self._max_tokens = max_tokens
        self._max_padding = max_padding
        self._in_pieces = in_pieces
        self._unread: list[_Unread[T]] = []
        self._passes = 0  # of the oldest prompt

    def __len__(self) -> int:
        return len(self._unread)

    @property
    def rows(self) -> tuple[T, ...]:
        """All rows, in order of arrival."""
        return tuple(unread.row for unread in self._unread)

    def add(self, row: T, length: int) -> None:
        """Add a row whose prompt has `length` tokens."""
        self._unread.append(_Unread(row, length))

    def remove(self, row: T) -> None:
        """Remove a row."""
        if self.rows[:1] == (row,):
            self._passes = 0
        self._unread = [unread for unread in self._unread if unread.row != row]

    def clear(self) -> None:
        """Remove all rows."""
        self._unread.clear()
        self._passes = 0

    def take_step(self) -> list[Group[T]]:
        """Return what one step reads, at most `max_tokens` in all, but at least one prompt or piece.

        Rows are removed with the last token of their prompts.
        """
        groups: list[Group[T]] = []
        left, oldest = self._max_tokens, self._unread[:1]
        while self._unread:
            first = self._first()
            if groups and self._next_length(first) > left:
                break
            group = self._take_piece(first) if self._is_long(first) else self._take_group(first, left)
            left -= len(group.rows) * (group.end - group.begin)
            groups.append(group)
        self._count_pass(oldest, groups)
        return groups

    def _count_pass(self, oldest: list[_Unread[T]], groups: list[Group[T]]) -> None:
        """Count the step if it passed the prompt that was the oldest before."""
        if self._unread[:1] != oldest:
            self._passes = 0
        elif any(oldest[0].row in group.rows for group in groups):
            self._passes = MAX_PASSES - 1
        else:
            self._passes += 1

    def _is_long(self, unread: _Unread[T]) -> bool:
        return unread.length > self._max_tokens

    def _next_length(self, unread: _Unread[T]) -> int:
        left = unread.length - unread.num_read
        return min(left, self._max_tokens) if self._in_pieces else left

    def _first(self) -> _Unread[T]:
        """Return the oldest prompt; if it is too long for a step, the oldest that is not, but only a few times."""
        oldest = self._unread[0]
        if not self._is_long(oldest) or self._passes >= MAX_PASSES:
            return oldest
        return next((unread for unread in self._unread if not self._is_long(unread)), oldest)

    def _take_piece(self, unread: _Unread[T]) -> Group[T]:
        """Return the next piece of a long prompt, which is then read."""
        begin = unread.num_read
        unread.num_read = end = begin + self._next_length(unread)
        if end == unread.length:
            self._unread.remove(unread)
        return Group((unread.row,), begin, end, is_last=end == unread.length)

    def _take_group(self, first: _Unread[T], max_tokens: int) -> Group[T]:
        """Remove `first` and the prompts nearest to it in length, as many as the limits allow."""
        group, longest, total = [first], first.length, first.length
        others = (unread for unread in self._unread if unread is not first)
        for unread in sorted(others, key=lambda other: abs(other.length - first.length)):
            longer, more = max(longest, unread.length), total + unread.length
            cells = (len(group) + 1) * longer
            if cells > max_tokens or cells - more > len(group) * self._max_padding:
                break
            group.append(unread)
            longest, total = longer, more
        self._unread = [unread for unread in self._unread if unread not in group]
        return Group(tuple(unread.row for unread in group), 0, longest)
