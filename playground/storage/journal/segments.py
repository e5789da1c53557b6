"""Files of the journal: lines that can be checked, in segments that only grow.

Boundary: bytes and files; knows no database, and of a record no more than that it is one JSON object. A segment is
``<boot>/<n>.jsonl``: a header, then a line for each event in the order of their `seq`; the lines of a folder are its
segments' lines. Whatever fails while writing leaves whole lines or a torn end, which readers step over.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from playground.storage.database.files import sync_folder
from playground.storage.database.rows import to_json

SEGMENT_BYTES = 64 * 1024 * 1024
"""A segment that is as long takes no more lines."""
LINE_BYTES = 64 * 1024 * 1024
"""No line of ours comes near; damage may take the line feeds away, and memory shall hold what is left."""
TAIL_BYTES = 1 << 16

_SEAL = re.compile(rb',"crc":"([0-9a-f]{8})"\}\Z')
_SEAL_BYTES = 18
_EVENT = re.compile(rb'\{"seq":([0-9]{1,18}),"event":"([a-z]+)"')
_HEADER = b'{"journal":'


About = tuple[str, str, str | None, str | None]
"""What tells an event from every other one, whatever its number: kind, time, battle, vote."""


class Fault(StrEnum):
    """What is wrong with a line."""

    NONE = ""
    TORN = "torn"  # the last of its segment, without its end: normal after a kill
    DAMAGED = "damaged"  # its checksum does not fit


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is no header, as it stands in its segment."""

    segment: Path
    number: int  # the header is 1
    text: bytes  # without its line feed
    fault: Fault

    @property
    def seq(self) -> int:
        """The number of its event; 0 where it has none."""
        return _seq(self.text)

    @property
    def event(self) -> str:
        """The kind of its event; empty where it has none."""
        found = _EVENT.match(self.text)
        return "" if found is None else found[2].decode()

    @property
    def about(self) -> About:
        """What tells its event from others; only of an event without a fault."""
        return _about(self.text)

    @property
    def record(self) -> dict[str, Any]:
        """What it says; only of a line without a fault."""
        return _record(self.text)


@dataclass(slots=True)
class Tally:
    """What was read of a folder so far."""

    lines: int = 0
    damaged: int = 0
    torn: int = 0
    bytes: int = 0
    highest: int = 0
    events: int = 0  # different ones
    seen: bytearray = field(default_factory=bytearray)  # a bit for each

    def count(self, line: Line) -> None:
        """One more line, or what is left of one."""
        self.bytes += len(line.text) + 1
        self.lines += line.fault is Fault.NONE
        self.damaged += line.fault is Fault.DAMAGED
        self.torn += line.fault is Fault.TORN

    def is_new(self, seq: int) -> bool:
        """Whether an event is met for the first time; from now on it is not."""
        if self.has(seq):
            return False
        place = seq >> 3
        if place >= len(self.seen):
            self.seen.extend(bytes(2 * place + 1 - len(self.seen)))
        self.seen[place] |= 1 << (seq & 7)
        self.events += 1
        self.highest = max(self.highest, seq)
        return True

    def has(self, seq: int) -> bool:
        """Whether an event was met."""
        return seq >> 3 < len(self.seen) and bool(self.seen[seq >> 3] & 1 << (seq & 7))

    @property
    def missing(self) -> int:
        """How many numbers up to the highest were not met."""
        return self.highest - self.events


def journal_folder(database: Path) -> Path:
    """Where the journal of a database lies: beside it."""
    return database.with_name(f"{database.name}.journal")


def sealed(record: Mapping[str, Any]) -> bytes:
    """A record as a line: JSON whose last member `crc` is the CRC-32 of the text before it."""
    text = to_json(record)[:-1].encode()
    return b'%s,"crc":"%08x"}\n' % (text, zlib.crc32(text))


def is_sealed(text: bytes) -> bool:
    """Whether a line, without its line feed, is as it was written."""
    seal = _SEAL.search(text, max(0, len(text) - _SEAL_BYTES))
    return seal is not None and zlib.crc32(memoryview(text)[:-_SEAL_BYTES]) == int(seal[1], 16)


def segments(folder: Path) -> list[Path]:
    """The segments of a folder by name; boots are named by the clock, which may have been set back."""
    return sorted(path for path in folder.rglob("*.jsonl") if path.is_file())


def in_order(folder: Path) -> list[Path]:
    """The segments of a folder, those with earlier events first."""
    return sorted(segments(folder), key=lambda path: (_first_seq(path), path))


def header(segment: Path) -> Mapping[str, Any] | None:
    """What the first line of a segment says of it; None where that line is torn or damaged."""
    with segment.open("rb") as file:
        text = file.readline(LINE_BYTES).rstrip(b"\n")
    return _record(text) if text.startswith(_HEADER) and is_sealed(text) else None


def read(segment: Path) -> Iterator[Line]:
    """The lines of a segment one after the other, the faulty ones too, but for the header where it is whole."""
    with segment.open("rb") as file:
        number = 0
        while text := file.readline(LINE_BYTES):
            number += 1
            line = _judged(segment, number, text)
            if not (number == 1 and line.fault is Fault.NONE and line.text.startswith(_HEADER)):
                yield line


def whole(folder: Path) -> Iterator[Line]:
    """The events of a folder without a fault."""
    for segment in in_order(folder):
        yield from (line for line in read(segment) if line.fault is Fault.NONE and line.seq)


def highest_seq(folder: Path) -> int:
    """The highest event of a folder; 0 where there is none."""
    return max((_seq(_last(segment)) for segment in segments(folder)), default=0)


def ends(folder: Path) -> Sequence[tuple[int, About]]:
    """The last event of each segment that has one, from its end."""
    texts = (_last(segment) for segment in segments(folder))
    return [(_seq(text), _about(text)) for text in texts if text]


def rewrite(segment: Path, change: Callable[[Line], bytes | None]) -> None:
    """Put what `change` makes of each line (with its line feed; None: nothing) in place of a segment, all or nothing.

    Raises:
        OSError: it could not be written; the segment is as before.
    """
    part = segment.with_suffix(".part")
    try:
        with part.open("wb") as file:
            with segment.open("rb") as old:
                first = old.readline(LINE_BYTES)
            if first.startswith(_HEADER):
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


class Appender:
    """Adds lines to a folder, to segments of its own; nothing is made before the first line.

    Args:
        database_id: whose events they are.
        version: of the schema that the rows in them have.
    """

    def __init__(self, folder: Path, database_id: str, version: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder = folder
        self._boot = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"
        self._said = {"journal": 1, "database_id": database_id, "boot": self._boot, "version": version}
        self._segment_bytes = segment_bytes
        self._number = 0
        self._file: int | None = None
        self._bytes = 0  # of the open segment, all of them safe on disk

    def append(self, lines: Sequence[bytes]) -> None:
        """Add lines (each with its line feed); they survive a loss of power when this returns.

        Raises:
            OSError: none of them was added, and the next ones go into a new segment.
        """
        if self._file is not None and self._bytes >= self._segment_bytes:
            self.end_segment()
        try:
            opened = self._open()
            data = b"".join(lines) if self._bytes else b"".join([self._header(), *lines])
            _write(opened, data)
            os.fsync(opened)
        except OSError:
            self._take_back()
            raise
        self._bytes += len(data)

    def end_segment(self) -> None:
        """Let the next line begin a new segment; idempotent."""
        if self._file is not None:
            os.close(self._file)
            self._file, self._bytes = None, 0

    def _open(self) -> int:
        """The open segment, or a new one whose name survives a loss of power."""
        if self._file is None:
            folder = self._folder / self._boot
            folder.mkdir(parents=True, exist_ok=True)
            self._file, self._bytes = _create(folder / _name(self._number + 1)), 0
            self._number += 1
            for above in (folder, self._folder, self._folder.parent):
                sync_folder(above)
        return self._file

    def _header(self) -> bytes:
        return sealed({**self._said, "segment": self._number})

    def _take_back(self) -> None:
        """Undo half a write as far as the disk lets us: what is left of it is a torn end."""
        if self._file is None:
            return
        opened, kept = self._file, self._bytes
        with suppress(OSError):
            os.ftruncate(opened, kept)
            os.fsync(opened)
        with suppress(OSError):
            self.end_segment()
        self._file, self._bytes = None, 0
        if not kept:
            with suppress(OSError):
                (self._folder / self._boot / _name(self._number)).unlink()
                self._number -= 1


def _name(number: int) -> str:
    return f"{number:08}.jsonl"


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)


def _write(opened: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(opened, left) :]


def _judged(segment: Path, number: int, text: bytes) -> Line:
    at_the_end = not text.endswith(b"\n") and len(text) < LINE_BYTES
    text = text.rstrip(b"\n")
    if is_sealed(text):  # also where only its line feed is missing
        return Line(segment, number, text, Fault.NONE)
    return Line(segment, number, text, Fault.TORN if at_the_end else Fault.DAMAGED)


def _seq(text: bytes) -> int:
    found = _EVENT.match(text)
    return 0 if found is None else int(found[1])


def _last(segment: Path) -> bytes:
    size, span = segment.stat().st_size, TAIL_BYTES
    while True:
        start = max(0, size - span)
        with segment.open("rb") as file:
            file.seek(start)
            texts = file.read(size - start).split(b"\n")
        found = next((text for text in reversed(texts[start > 0 :]) if _seq(text) and is_sealed(text)), b"")
        if found or start == 0:
            return found
        span *= 8


def _first_seq(segment: Path) -> int:
    return next((line.seq for line in read(segment) if line.fault is Fault.NONE and line.seq), 0)


def _about(text: bytes) -> About:
    said = _record(text.partition(b',"rows":')[0] + b"}")  # which stands in no string: there it is escaped
    return said["event"], said["at"], said.get("battle_id"), said.get("vote_id")


def _record(text: bytes) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(text)
    return record
