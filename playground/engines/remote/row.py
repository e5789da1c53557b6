"""One accepted job on its way: its events in order, its end exactly once.

Boundary: on the engine's thread only; knows no server.
"""

from __future__ import annotations

import asyncio

from playground.engines.protocol import Ended, EngineFacts, Event, Job, Listener, Queued, Started, Tokens, tell
from playground.records import FinishReason


class Row:
    """What its listener has been told so far."""

    def __init__(self, job: Job, listener: Listener) -> None:
        self.job = job
        self.begun = False
        self.ended = False
        self.task: asyncio.Task[None] | None = None
        self._listener = listener
        self._waiting = False

    def wait(self, reason: str) -> None:
        """It waits, and for what; said once."""
        if not self._waiting:
            self._waiting = True
            self._tell(Queued(self.job.row, 0, reason))

    def begin(self, facts: EngineFacts) -> None:
        """Its first tokens are there; from now on it is bound to the server that sent them."""
        if not self.begun:
            self.begun = True
            self._tell(Started(self.job.row, facts))

    def write(self, token_ids: tuple[int, ...]) -> None:
        """More of the answer."""
        self._tell(Tokens(self.job.row, token_ids))

    def end(self, reason: FinishReason, error: str | None = None) -> None:
        """Nothing comes after this; one that has ended stays as it ended."""
        if not self.ended:
            self._tell(Ended(self.job.row, reason, error))
            self.ended = True

    def _tell(self, event: Event) -> None:
        if not self.ended:
            tell(self._listener, event)
