"""Queue of unread prompts: which of them are read together next.

Prompts are read in one forward, padded to the longest. One more prompt of about the same length costs less than a
forward of its own, one of another length costs more, because padding is computed too.

Boundary: lengths and order; knows no tensors and no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

MAX_PASSES = 4
"""Groups of shorter prompts that may pass a prompt that is longer than a whole step reads."""

PADDING_ON_CPU = 24
"""Padding for each prompt after the first, in tokens: half of what a forward of its own costs; measured."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Unread(Generic[T]):
    row: T
    length: int  # tokens


class PromptQueue(Generic[T]):
    """Rows whose prompts are unread, in order of arrival."""

    def __init__(self, max_tokens: int, max_padding: int) -> None:
        """Create an empty queue.

        Args:
            max_tokens: most tokens of a group, padding included; a longer prompt is read alone.
            max_padding: most padding of a group for each prompt after the first.
        """
        self._max_tokens = max_tokens
        self._max_padding = max_padding
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

    def take_step(self) -> list[list[T]]:
        """Remove and return the groups that one step reads: at most `max_tokens` in all, but at least one prompt."""
        groups: list[list[T]] = []
        left = self._max_tokens
        while self._unread:
            first = self._first()
            if groups and first.length > left:
                break
            group = self._group(first, left)
            left -= len(group) * max(unread.length for unread in group)
            self._take(group)
            groups.append([unread.row for unread in group])
        return groups

    def _first(self) -> _Unread[T]:
        """Return the oldest prompt; if it is too long for a step, the oldest that is not, but only a few times."""
        oldest = self._unread[0]
        if oldest.length <= self._max_tokens or self._passes >= MAX_PASSES:
            return oldest
        return next((unread for unread in self._unread if unread.length <= self._max_tokens), oldest)

    def _group(self, first: _Unread[T], max_tokens: int) -> list[_Unread[T]]:
        """Return `first` and the prompts nearest to it in length, as many as the limits allow."""
        group, longest, total = [first], first.length, first.length
        others = (unread for unread in self._unread if unread is not first)
        for unread in sorted(others, key=lambda other: abs(other.length - first.length)):
            longest, total = max(longest, unread.length), total + unread.length
            cells = (len(group) + 1) * longest
            if cells > max_tokens or cells - total > len(group) * self._max_padding:
                break
            group.append(unread)
        return group

    def _take(self, group: list[_Unread[T]]) -> None:
        was_passed = all(unread is not self._unread[0] for unread in group)
        self._passes = self._passes + 1 if was_passed else 0
        taken = {id(unread) for unread in group}
        self._unread = [unread for unread in self._unread if id(unread) not in taken]
