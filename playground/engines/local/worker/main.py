"""One model in one process: takes jobs from a channel, answers with tokens, and ends when the other end hangs up.

Forked by `forkserver`, or started as ``python -m playground.engines.local.worker.main`` with the channel on
standard input and output where forking is not safe.

Boundary: worker side; a failure that is not understood ends the process, which the pool then replaces.
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
from playground.engines.local.worker.decode import Drawn, Writer
from playground.engines.local.worker.golden import checked_writer
from playground.engines.local.worker.loading import load
from playground.engines.local.worker.memory import OutOfMemory, memory_errors, release
from playground.engines.protocol import Job
from playground.errors import EngineError, PlaygroundError
from playground.records import FinishReason, ModelCard

Clock = Callable[[], float]
Inbox = queue.SimpleQueue[Message]

BATCH_S = 0.02
"""Tokens of a row are sent together when they come faster than this; the first one is never held back."""


@dataclass(slots=True)
class _Stream:
    """What a row that is being written still has to send, and when it has to be over."""

    ends_at: float
    deadline_s: float
    unsent: list[int] = field(default_factory=list)
    sent_at: float = 0.0


class Worker:
    """The message loop: commands in between steps, one step for all running rows, events out."""

    def __init__(self, decoder: Writer, inbox: Inbox, send: Callable[..., None], clock: Clock = time.monotonic) -> None:
        self._decoder = decoder
        self._inbox = inbox
        self._send = send
        self._clock = clock
        self._unsent: list[Message] = []
        self._waiting: deque[Job] = deque()
        self._streams: dict[str, _Stream] = {}

    def turn(self) -> None:
        """Obey every command that has come (waiting for one when there is nothing to do), then make one step."""
        while not (self._streams or self._waiting) or not self._inbox.empty():
            self._obey(self._inbox.get())
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
        """What was said of all rows goes in one piece: each piece wakes the web process, in the midst of its votes."""
        said, self._unsent = self._unsent, []
        if said:
            self._send(*said)

    def _obey(self, message: Message) -> None:
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
        while self._waiting and self._decoder.has_room:
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
                drawn = self._decoder.step()
        except OutOfMemory as error:
            self._end_all(str(error))
            release()
        except EngineError as error:
            self._end_all(str(error))
        except Exception as error:
            self._end_all(f"the model failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
            raise
        else:
            for token in drawn:
                self._emit(token)

    def _emit(self, token: Drawn) -> None:
        stream = self._streams[token.row]
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
        self._unsent.append(messages.ended(row, reason, error))

    def _end_all(self, error: str) -> None:
        for row in list(self._streams):
            self._end(row, FinishReason.ERROR, error)


def run(channel: Channel) -> None:
    """Load the model that the first message names, then serve until the other end hangs up.

    Returns when the model cannot be loaded, having said why.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches us too; the web process decides
    inbox: Inbox = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(channel, inbox), name="channel", daemon=True).start()
    request = inbox.get()
    card = messages.read(ModelCard, request["card"])
    _show_name(card.id)
    priority.be_the_first_to_go()
    priority.be_nice()
    try:
        loaded = load(card, request["threads"], room=request["room"])
        writer, golden = checked_writer(loaded, request["max_rows"], recorded=request["recorded"])
    except EngineError as error:
        channel.send(messages.failed(str(error)))
        return
    channel.send(messages.ready(golden.facts(loaded.facts), loaded.load_s, writer.max_rows, golden.note))
    worker = Worker(writer, inbox, channel.send)
    priority.keep_turning(worker.turn, gives_way=request["gives_way"] and loaded.device.type == "cpu")


def _show_name(name: str) -> None:
    """Let ps and top say which model this process holds; Linux shows 15 bytes."""
    comm = Path("/proc/self/comm")
    if comm.exists():
        comm.write_text(name[:15])


def _listen(channel: Channel, inbox: Inbox) -> None:
    """Hand messages on; at the end of the conversation end the process, even in the middle of a step."""
    try:
        while (received := channel.receive()) is not None:
            for message in received:
                inbox.put(message)
    finally:
        os._exit(0)  # nothing here needs to be written, flushed or given back


def main() -> None:
    """Serve on standard input and output, which nothing else may use from here on."""
    channel = Channel(os.dup(0), os.dup(1))
    os.dup2(2, 1)  # a stray print goes to the log
    run(channel)


if __name__ == "__main__":
    main()
