"""Flags by which the web process tells a forked process that a row was cancelled.

A call's arguments are copied when it begins, and its process is told nothing afterwards. So each row has one byte of
memory that both processes share.

Boundary: numbers of slots; knows no rows.
"""

from __future__ import annotations

import mmap
import threading

from playground.errors import EngineError

SLOTS = 4096
"""Rows at a time; an arena with the largest queue has a tenth of them."""


class CancelFlags:
    """One flag per slot; made before the first fork."""

    def __init__(self, slots: int = SLOTS) -> None:
        self._flags = mmap.mmap(-1, slots)  # anonymous and shared: a fork sees later changes
        self._free = list(range(slots))
        self._lock = threading.Lock()

    def take(self) -> int:
        """Return a slot that nobody uses, with its flag down.

        Raises:
            EngineError: all slots are in use.
        """
        with self._lock:
            if not self._free:
                raise EngineError(f"{len(self._flags)} answers are being written; ask again in a minute")
            slot = self._free.pop()
        self._flags[slot] = 0
        return slot

    def free(self, slot: int) -> None:
        """Give a slot back, once no process looks at it any more."""
        with self._lock:
            self._free.append(slot)

    def set(self, slot: int) -> None:
        """Raise a flag."""
        self._flags[slot] = 1

    def is_set(self, slot: int) -> bool:
        """Return True if the flag was raised; on either side."""
        return self._flags[slot] == 1
