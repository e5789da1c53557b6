"""An accepted job: its events are sent in order, its end exactly once.

Boundary: on the engine's thread only; knows no server.
"""

from __future__ import annotations

import asyncio

from playground.engines.protocol import Ended, EngineFacts, Event, Job, Listener, Queued, Started, Text, Tokens, tell
from playground.engines.remote.feeds import Piece
from playground.engines.remote.text_events import Delta
from playground.records import FinishReason

FEWEST_CHARS_PER_TOKEN = 3
"""For servers that do not count tokens; few texts have fewer characters per token."""


class RunningJob:
    """A job, its listener, and which events the listener has received.

    `is_sent` is True from the sending of the request, which costs tokens before the first piece, until it is refused.
    """

    def __init__(self, job: Job, listener: Listener) -> None:
        self.job = job
        self.is_sent = False
        self.started = False
        self.ended = False
        self.task: asyncio.Task[None] | None = None
        self._listener = listener
        self._queued = False
        self._num_chars = 0

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

    def write(self, piece: Piece) -> None:
        """Send more of the answer."""
        if isinstance(piece, Delta):
            self._num_chars += len(piece.text) + len(piece.reasoning)
            self._send(Text(self.job.row, piece.text, piece.reasoning))
        else:
            self._send(Tokens(self.job.row, piece))

    def end(self, reason: FinishReason, error: str | None = None, num_tokens: int | None = None) -> None:
        """Send the last event, unless the job has ended; of an answer in text, with its number of tokens."""
        if not self.ended:
            if self.job.text and (self.is_sent or self.started):
                num_tokens = num_tokens or -(-(len(self.job.text) + self._num_chars) // FEWEST_CHARS_PER_TOKEN)
            self._send(Ended(self.job.row, reason, error, num_tokens))
            self.ended = True

    def _send(self, event: Event) -> None:
        if not self.ended:
            tell(self._listener, event)
