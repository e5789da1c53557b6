"""Appending to the journal.

Boundary: bytes and files. A failed write leaves intact lines, or a torn end that readers skip.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from playground.storage.database.files import sync_folder
from playground.storage.journal.lines import seal

SEGMENT_BYTES = 64 * 1024 * 1024
"""A segment of this size takes no more lines."""


class Appender:
    """Adds lines to segments of its own in a folder; nothing is created before the first line.

    Args:
        database_id: of the database whose events they are.
        version: of the schema that their rows have.
    """

    def __init__(self, folder: Path, database_id: str, version: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder = folder
        self._boot = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"
        self._header = {"journal": 1, "database_id": database_id, "boot": self._boot, "version": version}
        self._segment_bytes = segment_bytes
        self._number = 0
        self._file: int | None = None
        self._bytes = 0  # of the open segment, all durable

    def append(self, lines: Sequence[bytes]) -> None:
        """Add lines, each with its line feed; they are durable when this returns.

        Raises:
            OSError: none was added, and the next ones go into a new segment.
        """
        if self._file is not None and self._bytes >= self._segment_bytes:
            self.end_segment()
        try:
            file = self._open()
            header = [] if self._bytes else [seal({**self._header, "segment": self._number})]
            data = b"".join([*header, *lines])
            _write(file, data)
            os.fsync(file)
        except OSError:
            self._undo()
            raise
        self._bytes += len(data)

    def end_segment(self) -> None:
        """Begin a new segment with the next line; idempotent."""
        if self._file is not None:
            os.close(self._file)
            self._file, self._bytes = None, 0

    def _open(self) -> int:
        """Return the open segment, or a new one whose name is durable."""
        if self._file is None:
            folder = self._folder / self._boot
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / _name(self._number + 1)
            self._file, self._bytes = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644), 0
            self._number += 1
            for parent in (folder, self._folder, self._folder.parent):
                sync_folder(parent)
        return self._file

    def _undo(self) -> None:
        """Remove a partial write as far as the disk allows; the rest of it is a torn end."""
        if self._file is None:
            return
        file, kept = self._file, self._bytes
        with suppress(OSError):
            os.ftruncate(file, kept)
            os.fsync(file)
        with suppress(OSError):
            self.end_segment()
        self._file, self._bytes = None, 0
        if not kept:
            with suppress(OSError):
                (self._folder / self._boot / _name(self._number)).unlink()
                self._number -= 1


def _name(number: int) -> str:
    return f"{number:08}.jsonl"


def _write(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]
