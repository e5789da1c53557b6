"""Refusal of new comparisons while the disk is nearly full, so that there is space for votes on open ones.

Boundary: asks the file system at most once a second; what to refuse is the caller's choice.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from playground.errors import StorageError
from playground.messages import Message
from playground.storage.database.files import free_bytes

log = logging.getLogger(__name__)

CHECK_EVERY_S = 1.0

DISK_FULL = Message(
    "The disk of this playground is nearly full, so it stores no new comparisons. Votes on open comparisons still "
    "count; with “do not store” you can go on comparing."
)


class DiskSpace:
    """The free space of a folder's file system, compared with a minimum.

    Args:
        min_free_bytes: 0 disables the check.
    """

    def __init__(
        self,
        folder: Path,
        min_free_bytes: int,
        *,
        free: Callable[[Path], int | None] = free_bytes,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._free = free
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._checked_s: float | None = None
        self._is_short = False

    def check(self) -> None:
        """Check that enough space is free.

        Raises:
            StorageError: too little; the message is for visitors.
        """
        if self.is_short:
            raise StorageError(DISK_FULL)

    @property
    def is_short(self) -> bool:
        """Return True if less than the minimum is free."""
        if not self._min_free_bytes:
            return False
        with self._guard:
            now = self._monotonic()
            if self._checked_s is None or now - self._checked_s >= CHECK_EVERY_S:
                self._checked_s = now
                self._update()
            return self._is_short

    def _update(self) -> None:
        free = self._free(self._folder)
        is_short = free is not None and free < self._min_free_bytes
        if is_short and not self._is_short:
            log.warning("%s: %s bytes are free; no new comparisons are stored until more are", self._folder, free)
        self._is_short = is_short
