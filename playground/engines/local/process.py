"""A supervisor's hold on one worker process, from its launch until its memory is free.

Boundary: carries messages and keeps times; decides nothing.
"""

from __future__ import annotations

import contextlib
import math
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial

from playground.engines.local.launch import Launched
from playground.engines.local.placement import Held
from playground.engines.local.wire.channel import Message
from playground.errors import EngineError

Post = Callable[[Callable[[], None]], None]
"""Run a function on the engine's thread."""


class Process:
    """One launched worker; a thread for each direction of its channel, so that the engine never waits for it.

    Args:
        held: the memory that it takes; None if its model was not placed.
        exit_s: an ended process whose exit is not reported for so long counts as gone.
    """

    def __init__(self, launched: Launched, held: Held | None, exit_s: float, now_s: Callable[[], float]) -> None:
        self.heard_at = now_s()  # the last sign of life; the launch is the first
        self.exit_words = ""  # how it ended, once that is known
        self.hung = ""  # why it was ended for its silence
        self._launched = launched
        self._held = held
        self._exit_s = exit_s
        self._now_s = now_s
        self._gone_at = math.inf
        self._outbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()

    def connect(
        self,
        post: Post,
        on_messages: Callable[[Process, Sequence[Message]], None],
        on_gone: Callable[[Process], None],
        on_exit: Callable[[Process, str], None],
    ) -> None:
        """Begin to exchange messages; `post` takes the calls of the other functions."""

        def read() -> None:
            channel = self._launched.channel
            try:
                with contextlib.suppress(OSError, EngineError):  # whatever broke the conversation, it is over
                    while (received := channel.receive()) is not None:
                        post(partial(on_messages, self, received))
            finally:
                channel.close_read()
                post(partial(on_gone, self))

        threading.Thread(target=read, name="engine-read", daemon=True).start()
        threading.Thread(target=self._write, name="engine-write", daemon=True).start()
        self._launched.exit.add_done_callback(lambda exit: post(partial(on_exit, self, exit.result())))

    def send(self, message: Message) -> None:
        """Queue a message; it is dropped if the process is gone."""
        self._outbox.put(message)

    def end(self) -> None:
        """Hang up and kill the process."""
        self._gone_at = min(self._gone_at, self._now_s() + self._exit_s)
        self._outbox.put(None)
        self._launched.kill()

    def exited(self, words: str) -> None:
        """Record that the process has ended: its memory is free."""
        self._gone_at = min(self._gone_at, self._now_s())
        self.exit_words = self.hung or words

    @property
    def held(self) -> Held | None:
        """The memory that the process takes now."""
        return None if self.is_gone else self._held

    @property
    def is_gone(self) -> bool:
        """Return True if the memory is free, or should be by now."""
        return self._now_s() >= self._gone_at

    def _write(self) -> None:
        channel = self._launched.channel
        try:
            with contextlib.suppress(OSError):  # the process is gone; the reading thread reports it
                while (message := self._outbox.get()) is not None:
                    channel.send(message)
        finally:
            channel.close_write()
