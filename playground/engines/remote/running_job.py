"""An accepted job: its events are sent in order, its end exactly once.

Boundary: on the engine's thread only; knows no server.
"""

from __future__ import annotations

import asyncio

from playground.engines.protocol import Ended, EngineFacts, Event, Job, Listener, Queued, Started, Tokens, tell
from playground.records import FinishReason


class RunningJob:
    """A job, its listener, and which events the listener has received."""

    def __init__(self, job: Job, listener: Listener) -> None:
        self.job = job
        self.started = False
        self.ended = False
        self.task: asyncio.Task[None] | None = None
        self._listener = listener
        self._queued = False

    def wait(self, reason: str) -> None:
        """Send one `Queued` event."""
        if not self._queued:
            self._queued = True
            self._send(Queued(self.job.row, 0, reason))

    def start(self, facts: EngineFacts) -> None:
        """Send one `Started` event, with the first tokens; the job then stays with its server."""
        if not self.started:
            self.started = True
            self._send(Started(self.job.row, facts))

    def write(self, token_ids: tuple[int, ...]) -> None:
        """Send more of the answer."""
        self._send(Tokens(self.job.row, token_ids))

    def end(self, reason: FinishReason, error: str | None = None) -> None:
        """Send the last event, unless the job has ended."""
        if not self.ended:
            self._send(Ended(self.job.row, reason, error))
            self.ended = True

    def _send(self, event: Event) -> None:
        if not self.ended:
            tell(self._listener, event)
