"""Counts of what was read from a journal.

Boundary: pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.storage.journal.lines import Fault, Line


@dataclass(slots=True)
class Tally:
    """Counts of lines and of different events."""

    lines: int = 0
    damaged: int = 0
    torn: int = 0
    bytes: int = 0
    highest: int = 0
    events: int = 0
    seen: bytearray = field(default_factory=bytearray)  # a bit for each event

    def count(self, line: Line) -> None:
        """Count a line, intact or not."""
        self.bytes += len(line.text) + 1
        self.lines += line.fault is Fault.NONE
        self.damaged += line.fault is Fault.DAMAGED
        self.torn += line.fault is Fault.TORN

    def add(self, seq: int) -> bool:
        """Record an event; return True if it is new."""
        if self.has(seq):
            return False
        index = seq >> 3
        if index >= len(self.seen):
            self.seen.extend(bytes(2 * index + 1 - len(self.seen)))
        self.seen[index] |= 1 << (seq & 7)
        self.events += 1
        self.highest = max(self.highest, seq)
        return True

    def has(self, seq: int) -> bool:
        """Return True if an event was recorded."""
        return seq >> 3 < len(self.seen) and bool(self.seen[seq >> 3] & 1 << (seq & 7))

    @property
    def missing(self) -> int:
        """The number of events below the highest that were not recorded."""
        return self.highest - self.events
