"""Counts of what was read from a journal.

Boundary: pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.storage.journal.lines import Fault, Line


@dataclass(slots=True)
class JournalTally:
    """Counts of lines, and the different events in them."""

    lines: int = 0
    damaged: int = 0
    torn: int = 0
    bytes: int = 0
    events: set[int] = field(default_factory=set)

    def count(self, line: Line) -> None:
        self.bytes += len(line.text) + 1
        self.lines += line.fault is Fault.NONE
        self.damaged += line.fault is Fault.DAMAGED
        self.torn += line.fault is Fault.TORN

    def add(self, seq: int) -> bool:
        """Record an event; return True if it is new."""
        is_new = seq not in self.events
        self.events.add(seq)
        return is_new

    @property
    def highest(self) -> int:
        """The number of the last event; 0 if there is none."""
        return max(self.events, default=0)

    @property
    def missing(self) -> int:
        """The number of events below the highest that were not recorded."""
        return self.highest - len(self.events)
