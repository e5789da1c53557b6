"""The rows of one model: which wait, which its worker writes, and what their listeners have been told.

Boundary: jobs, events and the messages about them; decides nothing about the process.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from playground.engines.local.process import Process
from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import Message
from playground.engines.protocol import Ended, EngineFacts, Event, Job, Listener, Queued, Started, tell
from playground.records import FinishReason


@dataclass(slots=True)
class Row:
    """One accepted job."""

    job: Job
    listener: Listener
    since: float
    sent_to: Process | None = None
    started: bool = False
    cancelled: bool = False  # the process was told; it may die before it reads the message
    place: tuple[int, str] = (0, "")  # rows before and reason, as last told

    def tell(self, event: Event) -> None:
        """Hand an event to the listener."""
        tell(self.listener, event)


class Rows:
    """Rows in order of arrival, each until its `Ended`."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self.used_at = now_s()  # when a row last came or ended
        self.max_started = 1  # rows that the worker writes together; known once it is ready
        self._now_s = now_s
        self._rows: dict[str, Row] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, job: Job, listener: Listener) -> None:
        """Accept a job."""
        self.used_at = self._now_s()
        self._rows[job.row] = Row(job, listener, self.used_at)

    def cancel(self, name: str) -> None:
        """End a row: here if no process has it, else by telling the process."""
        row = self._rows.get(name)
        if row is None:
            return
        if row.sent_to is None:
            self.end(Ended(name, FinishReason.CANCELLED))
        else:
            row.cancelled = True
            row.sent_to.send(messages.cancel(name))

    def send(self, process: Process) -> None:
        """Send every row that waits."""
        for row in self._rows.values():
            if row.sent_to is None:
                row.sent_to = process
                process.send(messages.start(row.job))

    def started(self) -> list[Row]:
        """The rows that are being written; safe on any thread."""
        return [row for row in tuple(self._rows.values()) if row.started]

    @property
    def are_unsent(self) -> bool:
        """Return True if no process has any of the rows."""
        return all(row.sent_to is None for row in self._rows.values())

    @property
    def waiting_since(self) -> float:
        """When the first of the rows came; infinity if there is none."""
        return min((row.since for row in self._rows.values()), default=math.inf)

    def take(self, message: Message, facts: EngineFacts) -> Event | None:
        """Tell a row what its process says of it, and return the event; None if the row has ended."""
        row = self._rows.get(message["row"])
        if row is None:
            return None
        event = messages.event_of(message, facts)
        if isinstance(event, Ended):
            self.end(event)
        else:
            row.started = row.started or isinstance(event, Started)
            row.tell(event)
        return event

    def end(self, ended: Ended) -> None:
        """Tell a row its last event and forget it."""
        self.used_at = self._now_s()
        self._rows.pop(ended.row).tell(ended)

    def end_all(self, reason: FinishReason, error: str | None = None) -> None:
        """End every row."""
        for name in list(self._rows):
            self.end(Ended(name, reason, error))

    def lose_process(self, error: str) -> None:
        """End the rows that had started or were cancelled; the others wait for the next process."""
        for name, row in list(self._rows.items()):
            if row.cancelled:
                self.end(Ended(name, FinishReason.CANCELLED))
            elif row.started:
                self.end(Ended(name, FinishReason.ERROR, error))
            row.sent_to = None

    def announce(self, reason: str) -> None:
        """Tell each waiting row how many rows have to end before it starts, if that has changed."""
        ahead = len(self.started())
        for row in list(self._rows.values()):
            if row.started:
                continue
            place = (max(0, ahead + 1 - self.max_started), reason)
            if row.place != place:
                row.place = place
                row.tell(Queued(row.job.row, *place))
            ahead += 1
