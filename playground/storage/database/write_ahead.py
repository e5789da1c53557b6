"""The write-ahead log that a killed process leaves beside a database: does it belong to this file?

Boundary: reads both files without SQLite, so only before this process has them open (a process that closes a file loses
all its locks on it). Decides what fits together, not what is undamaged.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Set
from pathlib import Path
from typing import BinaryIO

# https://www.sqlite.org/fileformat2.html
_PAGE_SIZE = struct.Struct(">H")  # of the database, at 16; 1 stands for 65536
_LOG_HEADER = struct.Struct(">4xIII8s8x")  # version, page size, checkpoint number, salts
_FRAME_HEADER = struct.Struct(">II8s8x")  # page, pages of the database after this commit or 0, salts
_WAL_MODE = b"\x02\x02"
"""In the database, at 18: it has a write-ahead log. A backup, and an exclusive database, have another value."""


def log_fits(database: Path, log: Path) -> bool:
    """Return True if the log has every page by which the database after its last commit is larger than the file.

    An older copy put in the place of a database lacks pages that the log does not have either.

    Raises:
        OSError: one of them cannot be read.
    """
    with database.open("rb") as file:
        head = file.read(20)
    if head[18:] != _WAL_MODE:
        return False
    page_size = _PAGE_SIZE.unpack_from(head, 16)[0]
    page_size = 1 << 16 if page_size == 1 else page_size
    size_pages = database.stat().st_size // page_size
    with log.open("rb") as file:
        pages, total = _committed(file, page_size)
    return size_pages <= total and pages >= set(range(size_pages + 1, total + 1))


def _committed(log: BinaryIO, page_size: int) -> tuple[Set[int], int]:
    """Return the pages in the log up to its last commit, and the database's number of pages after it (0: none)."""
    pages: set[int] = set()
    uncommitted: set[int] = set()
    total = 0
    for page, after in _frames(log, page_size):
        uncommitted.add(page)
        if after:
            total = after
            pages |= uncommitted
            uncommitted.clear()
    return pages, total


def _frames(log: BinaryIO, page_size: int) -> Iterator[tuple[int, int]]:
    """Yield page and size of each frame since the log was last restarted; older frames have other salts."""
    header = log.read(_LOG_HEADER.size)
    if len(header) < _LOG_HEADER.size:
        return
    _, size, _, salts = _LOG_HEADER.unpack(header)
    while size == page_size and len(frame := log.read(_FRAME_HEADER.size)) == _FRAME_HEADER.size:
        page, after, frame_salts = _FRAME_HEADER.unpack(frame)
        if frame_salts != salts:
            return
        yield page, after
        log.seek(page_size, 1)
