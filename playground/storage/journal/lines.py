"""Lines of the journal: one JSON object each, sealed by a checksum.

Boundary: bytes; knows no file and no database.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

Record = dict[str, Any]
"""``{seq, event, at, battle_id, vote_id, rows: {table: [row]}}``."""

EventKey = tuple[str, str, str | None, str | None]
"""The identity of an event without its number: kind, time, battle, vote."""

HEADER_START = b'{"journal":'

_SEAL = re.compile(rb',"crc":"([0-9a-f]{8})"\}\Z')
_SEAL_BYTES = 18
_EVENT = re.compile(rb'\{"seq":([0-9]{1,18}),"event":"([a-z]+)"')


class Fault(StrEnum):
    NONE = ""
    TORN = "torn"  # the last line of its segment, cut off: normal after a kill
    DAMAGED = "damaged"  # its checksum does not match


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a segment, except the header."""

    segment: Path
    number: int  # the header is 1
    text: bytes  # without its line feed
    fault: Fault

    @property
    def seq(self) -> int:
        """The number of its event; 0 if it has none."""
        return seq_of(self.text)

    @property
    def is_event(self) -> bool:
        """True for an intact line that holds an event."""
        return self.fault is Fault.NONE and self.seq > 0

    @property
    def event(self) -> str:
        """The kind of its event; empty if it has none."""
        found = _EVENT.match(self.text)
        return "" if found is None else found[2].decode()

    @property
    def key(self) -> EventKey:
        """The identity of its event; only of an intact event."""
        return key_of(self.text)

    @property
    def record(self) -> Record:
        """Its JSON object; only of an intact line."""
        return parse(self.text)


def seal(record: Mapping[str, Any]) -> bytes:
    """Return a record as a line: JSON whose last member `crc` is the CRC-32 of the text before it."""
    text = orjson.dumps(record)[:-1]
    return b'%s,"crc":"%08x"}\n' % (text, zlib.crc32(text))


def is_sealed(text: bytes) -> bool:
    """Return True if the checksum of a line, without its line feed, matches."""
    found = _SEAL.search(text, max(0, len(text) - _SEAL_BYTES))
    return found is not None and zlib.crc32(memoryview(text)[:-_SEAL_BYTES]) == int(found[1], 16)


def seq_of(text: bytes) -> int:
    """Return the number of a line's event; 0 if it has none."""
    found = _EVENT.match(text)
    return 0 if found is None else int(found[1])


def key_of(text: bytes) -> EventKey:
    event = parse(text.partition(b',"rows":')[0] + b"}")  # inside a string the quotes would be escaped
    return event["event"], event["at"], event.get("battle_id"), event.get("vote_id")


def parse(text: bytes) -> Record:
    record: Record = orjson.loads(text)
    return record
