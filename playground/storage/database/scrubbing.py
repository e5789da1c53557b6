"""Removal of the bytes that an erasure may leave in the database's file and in its log.

SQLite's `secure_delete` is not enough: a row that once moved to another page can leave a copy in the free space of the
first one. The log is emptied and the file rebuilt.

Boundary: works on the file as a whole, between transactions; what was erased is decided elsewhere.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import suppress
from pathlib import Path

from playground.errors import StorageError
from playground.storage.database.files import free_bytes
from playground.storage.database.writer import Writer

log = logging.getLogger(__name__)

LOG_BUSY_MS = 500
"""The wait for readers before the log is emptied; votes wait with it."""

TOO_LARGE = (
    "bytes of erased text may be left in %s, which is too large to be rebuilt while it takes votes; "
    "when it suits, stop the playground, run python -m playground erase --leftovers, and start it again"
)


class Scrubber:
    """Scrubs one open database, and remembers which erasures are partly done."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path = path
        self._writer = writer
        self._emptied = 0  # the last erasure after which the log was emptied
        self._rebuilt = 0  # the last erasure after which the file was rebuilt

    def scrub(self, erasure_id: int, size_bytes: int, most_bytes: int | None) -> bool:
        """Empty the log and rebuild the file, as far as that was not done since an erasure; return True if all is done.

        Args:
            size_bytes: of the file.
            most_bytes: of a larger file only the log is emptied; None: no limit.

        Raises:
            StorageError: the file could not be rebuilt.
        """
        is_small = most_bytes is None or size_bytes <= most_bytes
        if self._emptied < erasure_id:
            if not self._writer.run_outside(_empty_log):
                return False
            self._emptied = erasure_id
            if not is_small:
                log.warning(TOO_LARGE, self._path)
        if self._rebuilt < erasure_id and is_small:
            self._rebuild(2 * size_bytes)
            self._rebuilt = erasure_id
        return self._rebuilt >= erasure_id and self._writer.run_outside(_empty_log)

    def _rebuild(self, needed_bytes: int) -> None:
        free = free_bytes(self._path.parent)
        if free is not None and free < needed_bytes:
            raise StorageError(
                f"rebuilding {self._path} needs {needed_bytes} free bytes beside it, there are {free}; free some"
            )
        try:
            self._writer.run_outside(lambda connection: connection.execute("VACUUM"))
        except StorageError as error:
            with suppress(StorageError):
                self._writer.run_outside(_empty_log)  # what VACUUM wrote there before it failed takes space
            raise StorageError(f"{self._path} could not be rebuilt ({error.__cause__ or error})") from error


def _empty_log(connection: sqlite3.Connection) -> bool:
    """Copy the write-ahead log into the file and truncate it; return False if a reader prevented that."""
    usual = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute(f"PRAGMA busy_timeout = {LOG_BUSY_MS}")
    try:
        return not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    finally:
        connection.execute(f"PRAGMA busy_timeout = {usual}")
