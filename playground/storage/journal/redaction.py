"""Redaction of the journal: erased text leaves every segment.

Boundary: the only operation that rewrites segments.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playground.storage.journal import segments
from playground.storage.journal.lines import Fault, Line, Record, seal
from playground.storage.journal.tombstones import Tombstones


def redact(folder: Path, tombstones: Tombstones, is_late: Callable[[], bool] = lambda: False) -> bool:
    """Rewrite every segment that holds erased text; damaged lines in those are dropped.

    Returns:
        False if `is_late` ended it early; to be repeated.

    Raises:
        OSError: a segment could not be written and is unchanged; those before it are done.
    """

    def concerns(line: Line) -> bool:
        return line.fault is not Fault.NONE or tombstones.may_change(line.text)

    def change(line: Line) -> bytes | None:
        if line.fault is not Fault.NONE:  # it may hold anybody's text
            return None
        return seal(_unsealed(tombstones.applied(line.record))) if concerns(line) else line.text + b"\n"

    for left in folder.rglob("*.part"):  # after a kill
        left.unlink()
    for segment in segments.segments(folder):
        if is_late():
            return False
        if any(concerns(line) for line in segments.read(segment)):
            segments.rewrite(segment, change)
    return True


def _unsealed(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "crc"}
