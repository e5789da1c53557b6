"""Run one model in one process: receive jobs over a channel, send tokens, end when the channel closes.

Forked by `forkserver`, or started as ``python -m playground.engines.local.worker.main`` with the channel on
standard input and output where forking is not safe.

Boundary: an unexpected error ends the process; its supervisor starts another one.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from playground.engines.local.wire import messages
from playground.engines.local.wire.channel import Channel, Message
from playground.engines.local.worker import priority
from playground.engines.local.worker.decoding.decoder import Decoder, NewToken
from playground.engines.local.worker.decoding.self_check import checked_decoder
from playground.engines.local.worker.errors import OutOfMemory, memory_errors, one_line, release_memory
from playground.engines.local.worker.loading.model import load
from playground.engines.protocol import Job
from playground.errors import EngineError, PlaygroundError
from playground.records import FinishReason, ModelCard

Inbox = queue.SimpleQueue[Message]

BATCH_S = 0.02
"""Shortest time between two messages with tokens of a row; the first token is sent at once."""


@dataclass(slots=True)
class _Stream:
    """Unsent tokens and the deadline of a running row."""

    ends_at: float  # by the worker's clock
    deadline_s: float
    unsent: list[int] = field(default_factory=list)
    sent_at: float = 0.0
    most_rows: int | None = None  # in one of its steps; None before the first


class Worker:
    """Message loop: between commands, one decode step for all running rows."""

    def __init__(
        self, decoder: Decoder, inbox: Inbox, send: Callable[..., None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._decoder = decoder
        self._inbox = inbox
        self._send = send
        self._clock = clock
        self._unsent: list[Message] = []
        self._waiting: deque[Job] = deque()
        self._streams: dict[str, _Stream] = {}

    @property
    def has_rows(self) -> bool:
        """True if there are rows that have not ended."""
        return bool(self._streams or self._waiting)

    @property
    def is_idle(self) -> bool:
        """True if there are neither rows nor commands."""
        return not self.has_rows and self._inbox.empty()

    def turn(self) -> None:
        """Wait for a command if there are no rows; then advance."""
        while not self.has_rows:
            self._handle(self._inbox.get())
            self._send_all()
        self.advance()

    def advance(self) -> None:
        """Handle every received command, and make one decode step if there are rows; never waits."""
        while not self._inbox.empty():
            self._handle(self._inbox.get())
            self._send_all()
        self._admit()
        self._end_late_rows()
        self._send_all()
        if self._streams:
            try:
                self._step()
            finally:
                self._send_all()

    def _send_all(self) -> None:
        """Send the messages of all rows together: every write wakes the web process."""
        unsent, self._unsent = self._unsent, []
        if unsent:
            self._send(*unsent)

    def _handle(self, message: Message) -> None:
        if message["kind"] == "start":
            self._waiting.append(messages.read(Job, message["job"]))
        elif message["kind"] == "cancel":
            self._cancel(message["row"])
        else:
            raise EngineError(f"unknown message {message['kind']!r}; valid: start, cancel")

    def _cancel(self, row: str) -> None:
        known = row in self._streams or any(job.row == row for job in self._waiting)
        self._waiting = deque(job for job in self._waiting if job.row != row)
        if known:
            self._end(row, FinishReason.CANCELLED)

    def _admit(self) -> None:
        while self._waiting and self._decoder.can_admit:
            job = self._waiting.popleft()
            try:
                self._decoder.admit(job)
            except PlaygroundError as error:
                self._end(job.row, FinishReason.ERROR, str(error))
                continue
            self._streams[job.row] = _Stream(self._clock() + job.deadline_s, job.deadline_s)
            self._unsent.append(messages.started(job.row))

    def _end_late_rows(self) -> None:
        now = self._clock()
        for row, stream in [late for late in self._streams.items() if late[1].ends_at <= now]:
            self._end(row, FinishReason.ERROR, f"the answer was not finished after {stream.deadline_s:g} s")

    def _step(self) -> None:
        try:
            with memory_errors("writing the answer"):
                new_tokens = self._decoder.step()
        except OutOfMemory as error:
            self._end_all(str(error))
            release_memory()
        except EngineError as error:
            self._end_all(str(error))
        except Exception as error:
            cause = f"{type(error).__name__}: {one_line(error, 200)}"
            self._end_all(f"the model failed while it wrote ({cause}); ask once more")
            raise
        else:
            for token in new_tokens:
                self._emit(token)

    def _emit(self, token: NewToken) -> None:
        stream = self._streams[token.row]
        stream.most_rows = max(stream.most_rows or 0, token.num_rows)
        if token.token_id is not None:
            stream.unsent.append(token.token_id)
        if token.finish_reason is not None:
            self._end(token.row, token.finish_reason, token.error)
        elif self._clock() - stream.sent_at >= BATCH_S:
            self._flush(token.row, stream)

    def _flush(self, row: str, stream: _Stream) -> None:
        if stream.unsent:
            self._unsent.append(messages.tokens(row, stream.unsent))
        stream.unsent, stream.sent_at = [], self._clock()

    def _end(self, row: str, reason: FinishReason, error: str | None = None) -> None:
        self._decoder.drop(row)
        stream = self._streams.pop(row, None)
        if stream is not None:
            self._flush(row, stream)
        self._unsent.append(messages.ended(row, reason, error, None if stream is None else stream.most_rows))

    def _end_all(self, error: str) -> None:
        for row in list(self._streams):
            self._end(row, FinishReason.ERROR, error)


def run(channel: Channel) -> None:
    """Load the model of the first message and serve it until the channel closes.

    Reports an error and returns if the model cannot be loaded.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the web process handles it
    inbox: Inbox = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(channel, inbox), name="channel", daemon=True).start()
    request = inbox.get()
    card = messages.read(ModelCard, request["card"])
    _show_name(card.id)
    priority.be_the_first_to_end()
    priority.be_nice()
    try:
        loaded = load(card, request["threads"], room=request["room"])
        decoder, checked = checked_decoder(loaded, request["max_rows"], recorded=request["recorded"])
    except EngineError as error:
        channel.send(messages.failed(str(error)))
        return
    channel.send(messages.ready(checked.facts(loaded.facts), loaded.load_s, decoder.max_rows, checked.note))
    worker = Worker(decoder, inbox, channel.send)
    while True:
        worker.turn()


def _show_name(name: str) -> None:
    """Set the process name that ps and top show on Linux, at most 15 bytes."""
    comm = Path("/proc/self/comm")
    if comm.exists():
        comm.write_text(name[:15])


def _listen(channel: Channel, inbox: Inbox) -> None:
    """Put messages into the inbox; end the process when the channel closes, even in the middle of a step."""
    try:
        while (received := channel.receive()) is not None:
            for message in received:
                inbox.put(message)
    finally:
        os._exit(0)  # there is nothing to flush or to release


def standard_channel() -> Channel:
    """Return a channel over standard input and output, and send what is printed to standard error instead."""
    channel = Channel(os.dup(0), os.dup(1))
    os.dup2(2, 1)
    return channel


if __name__ == "__main__":
    run(standard_channel())
