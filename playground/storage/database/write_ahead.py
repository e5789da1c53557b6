"""The log that a killed process leaves beside a database: whether it can be this file's own.

Boundary: reads both files without SQLite, so before anybody has them open: a process that closes a file loses all of
its locks on it. Says what fits, never what is whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Set
from pathlib import Path
from typing import BinaryIO

# https://www.sqlite.org/fileformat2.html
_PAGE_SIZE = struct.Struct(">H")  # in the database, at 16; 1 stands for 65536
_LOG_HEADER = struct.Struct(">4xIII8s8x")  # version, page size, number of the checkpoint, salts
_FRAME_HEADER = struct.Struct(">II8s8x")  # page, pages of the database after this commit or 0, salts
_LOGGED = b"\x02\x02"
"""In the database, at 18: it is read and written with a log. A backup of ours, and `alone`, have something else."""


def log_fits(database: Path, log: Path) -> bool:
    """Whether the log continues the file: it has every page by which the database it speaks of is larger.

    An older copy that was put in the place of a database has not grown with it, and the log does not make up for that.

    Raises:
        OSError: one of them cannot be read.
    """
    with database.open("rb") as file:
        head = file.read(20)
    if head[18:] != _LOGGED:
        return False
    page_size = _PAGE_SIZE.unpack_from(head, 16)[0]
    page_size = 1 << 16 if page_size == 1 else page_size
    own = database.stat().st_size // page_size
    with log.open("rb") as file:
        pages, total = _committed(file, page_size)
    return own <= total and pages >= set(range(own + 1, total + 1))


def _committed(log: BinaryIO, page_size: int) -> tuple[Set[int], int]:
    """The pages in the log up to its last commit, and how many the database has after it; none: 0."""
    pages: set[int] = set()
    waiting: set[int] = set()
    total = 0
    for page, after in _frames(log, page_size):
        waiting.add(page)
        if after:
            total = after
            pages |= waiting
            waiting.clear()
    return pages, total


def _frames(log: BinaryIO, page_size: int) -> Iterator[tuple[int, int]]:
    """Page and size of each frame since the log was last begun anew: later ones have the salts of another time."""
    header = log.read(_LOG_HEADER.size)
    if len(header) < _LOG_HEADER.size:
        return
    _, size, _, salts = _LOG_HEADER.unpack(header)
    while size == page_size and len(frame := log.read(_FRAME_HEADER.size)) == _FRAME_HEADER.size:
        page, after, its_salts = _FRAME_HEADER.unpack(frame)
        if its_salts != salts:
            return
        yield page, after
        log.seek(page_size, 1)
