"""Segments of the journal: files of lines that only grow.

A segment is ``<boot>/<n>.jsonl``: a header, then a line for each event in the order of `seq`.

Boundary: reads and rewrites files; knows no database.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from playground.storage.database.files import sync_folder
from playground.storage.journal.lines import (
    HEADER_START,
    EventKey,
    Fault,
    Line,
    Record,
    is_sealed,
    key_of,
    parse,
    seq_of,
)

MAX_LINE_BYTES = 64 * 1024 * 1024
"""Far longer than any line; limits the memory if damage has removed the line feeds."""

TAIL_BYTES = 1 << 16
"""The part of a segment's end that is searched first for its last event."""


def journal_folder(database: Path) -> Path:
    """Return the folder of a database's journal, which lies beside it."""
    return database.with_name(f"{database.name}.journal")


def segments(folder: Path) -> list[Path]:
    """Return the segments of a folder by name, which the clock gave and may be out of order."""
    return sorted(path for path in folder.rglob("*.jsonl") if path.is_file())


def in_order(folder: Path) -> list[Path]:
    """Return the segments of a folder in the order of their events."""
    return sorted(segments(folder), key=lambda path: (_first_seq(path), path))


def header(segment: Path) -> Record | None:
    """Return the header of a segment; None if it is torn or damaged."""
    with segment.open("rb") as file:
        text = file.readline(MAX_LINE_BYTES).rstrip(b"\n")
    return parse(text) if text.startswith(HEADER_START) and is_sealed(text) else None


def database_ids(folder: Path) -> set[str]:
    """Return the ids of the databases whose events lie in a folder, from the intact headers."""
    headers = (header(segment) for segment in segments(folder))
    return {found["database_id"] for found in headers if found is not None}


def read(segment: Path) -> Iterator[Line]:
    """Yield the lines of a segment, faulty ones too, without an intact header."""
    with segment.open("rb") as file:
        number = 0
        while text := file.readline(MAX_LINE_BYTES):
            number += 1
            line = _line(segment, number, text)
            if not (number == 1 and line.fault is Fault.NONE and line.text.startswith(HEADER_START)):
                yield line


def events(folder: Path) -> Iterator[Line]:
    """Yield the intact events of a folder in order."""
    for segment in in_order(folder):
        yield from (line for line in read(segment) if line.is_event)


def highest_seq(folder: Path) -> int:
    """Return the number of a folder's last event; 0 if there is none."""
    return max((seq_of(_last(segment)) for segment in segments(folder)), default=0)


def last_events(folder: Path) -> Sequence[tuple[int, EventKey]]:
    """Return number and identity of the last event of each segment that has one."""
    texts = (_last(segment) for segment in segments(folder))
    return [(seq_of(text), key_of(text)) for text in texts if text]


def rewrite(segment: Path, change: Callable[[Line], bytes | None]) -> None:
    """Replace each line of a segment by what `change` returns (with a line feed; None: drop it), all or nothing.

    Raises:
        OSError: it could not be written; the segment is unchanged.
    """
    part = segment.with_suffix(".part")
    try:
        with part.open("wb") as file:
            with segment.open("rb") as old:
                first = old.readline(MAX_LINE_BYTES)
            if first.startswith(HEADER_START):
                file.write(first)
            for line in read(segment):
                file.write(change(line) or b"")
            file.flush()
            os.fsync(file.fileno())
        part.replace(segment)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_folder(segment.parent)


def _line(segment: Path, number: int, text: bytes) -> Line:
    is_last = not text.endswith(b"\n") and len(text) < MAX_LINE_BYTES
    text = text.rstrip(b"\n")
    if is_sealed(text):  # even if only its line feed is missing
        return Line(segment, number, text, Fault.NONE)
    return Line(segment, number, text, Fault.TORN if is_last else Fault.DAMAGED)


def _last(segment: Path) -> bytes:
    size, span = segment.stat().st_size, TAIL_BYTES
    while True:
        start = max(0, size - span)
        with segment.open("rb") as file:
            file.seek(start)
            texts = file.read(size - start).split(b"\n")
        found = next((text for text in reversed(texts[start > 0 :]) if seq_of(text) and is_sealed(text)), b"")
        if found or start == 0:
            return found
        span *= 8


def _first_seq(segment: Path) -> int:
    return next((line.seq for line in read(segment) if line.is_event), 0)
