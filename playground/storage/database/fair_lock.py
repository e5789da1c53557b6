"""A lock that threads get in the order in which they asked for it.

`threading.RLock` lets the thread that has just released it take it again before the one that waits: a vote would wait
for several reads in a row where they share one connection.

Boundary: threads only; knows no connection.
"""

from __future__ import annotations

import threading
from collections import deque


class FairLock:
    """A lock in turns; the thread that holds it may take it again. A context manager."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._owner: int | None = None
        self._depth = 0
        self._queue: deque[tuple[int, threading.Lock]] = (
            deque()
        )  # threads, each with a lock that is held until its turn

    @property
    def waiting(self) -> int:
        """The number of threads that wait for it."""
        return len(self._queue)

    def acquire(self) -> None:
        """Wait for this thread's turn."""
        thread, turn = threading.get_ident(), threading.Lock()
        with self._guard:
            if self._owner in (None, thread):
                self._owner = thread
                self._depth += 1
                return
            turn.acquire()
            self._queue.append((thread, turn))
        is_ours = False
        try:
            is_ours = turn.acquire()
        finally:
            if not is_ours:  # interrupted by a signal
                self._give_up(thread, turn)

    def release(self) -> None:
        """End this thread's turn, once for each time that it took the lock; the lock is the next one's at once."""
        with self._guard:
            self._depth -= 1
            if self._depth == 0:
                self._hand_over()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _hand_over(self) -> None:
        if not self._queue:
            self._owner = None
            return
        self._owner, turn = self._queue.popleft()
        self._depth = 1
        turn.release()

    def _give_up(self, thread: int, turn: threading.Lock) -> None:
        with self._guard:
            if (thread, turn) in self._queue:
                self._queue.remove((thread, turn))
            else:
                self._depth = 0
                self._hand_over()
