"""Room on the disk: what is new is refused before the last of it is gone, so that votes still find some.

Boundary: asks the file system, at most once a second, and says no; what is refused is the caller's choice.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from playground.errors import StorageError

log = logging.getLogger(__name__)

ASK_EVERY_S = 1.0

NO_ROOM = (
    "The disk of this playground is nearly full, so it stores no new comparisons. Votes on what is open still count; "
    "with “do not store” you can go on comparing."
)


def free_bytes(folder: Path) -> int | None:
    """What may still be written there; None where the file system does not say."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return usage.free if usage.total else None  # a network mount may say nothing but zeros


class Room:
    """The free space of one folder's file system, held against the least that has to stay.

    Args:
        least_bytes: with less than this nothing new is begun; 0: whatever is free.
    """

    def __init__(
        self,
        folder: Path,
        least_bytes: int,
        *,
        free: Callable[[Path], int | None] = free_bytes,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._least_bytes = least_bytes
        self._free = free
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._asked_s: float | None = None
        self._is_short = False

    def check(self) -> None:
        """Nothing, as long as there is enough.

        Raises:
            StorageError: there is not, in words for a visitor.
        """
        if self._least_bytes and self._short():
            raise StorageError(NO_ROOM)

    def _short(self) -> bool:
        with self._guard:
            now = self._monotonic()
            if self._asked_s is None or now - self._asked_s >= ASK_EVERY_S:
                self._asked_s = now
                self._ask()
            return self._is_short

    def _ask(self) -> None:
        free = self._free(self._folder)
        is_short = free is not None and free < self._least_bytes
        if is_short and not self._is_short:
            log.warning("%s: %s bytes are free; no new comparisons are stored until more are", self._folder, free)
        self._is_short = is_short
