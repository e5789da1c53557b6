"""A supervisor's hold on one worker process, from its launch until its memory is free.

Boundary: sends messages and keeps times; decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from playground.engines.local.launch import Launched
from playground.engines.local.placement import Held
from playground.engines.local.wire.channel import Message
from playground.engines.local.wire.link import Link

Clock = Callable[[], float]
Post = Callable[[Callable[[], None]], None]
"""Run a function on the engine's thread."""


class Process:
    """One launched worker.

    Args:
        held: the memory that it takes; None if its model was not placed.
        exit_s: an ended process whose exit is not reported for so long counts as gone.
    """

    def __init__(self, launched: Launched, held: Held | None, exit_s: float, clock: Clock) -> None:
        self.heard_at = clock()  # the last sign of life; the launch is the first
        self.exit_words = ""  # how it ended, once that is known
        self.hung = ""  # why it was ended for its silence
        self._launched = launched
        self._held = held
        self._exit_s = exit_s
        self._clock = clock
        self._gone_at = math.inf
        self._link: Link | None = None

    def connect(
        self,
        post: Post,
        on_messages: Callable[[Process, Sequence[Message]], None],
        on_gone: Callable[[Process], None],
        on_exit: Callable[[Process, str], None],
    ) -> None:
        """Begin to exchange messages; `post` takes the calls of the other functions."""
        self._link = Link(
            self._launched.channel,
            on_messages=lambda received: post(lambda: on_messages(self, received)),
            on_gone=lambda: post(lambda: on_gone(self)),
        )
        self._launched.exit.add_done_callback(lambda exit: post(lambda: on_exit(self, exit.result())))

    def send(self, message: Message) -> None:
        """Queue a message; it is dropped if the process is gone."""
        if self._link is not None:
            self._link.send(message)

    def end(self) -> None:
        """Hang up and kill the process."""
        self._gone_at = min(self._gone_at, self._clock() + self._exit_s)
        if self._link is not None:
            self._link.close()
        self._launched.kill()

    def exited(self, words: str) -> None:
        """Record that the process has ended: its memory is free."""
        self._gone_at = min(self._gone_at, self._clock())
        self.exit_words = self.hung or words

    @property
    def held(self) -> Held | None:
        """The memory that the process takes now."""
        return None if self.is_gone else self._held

    @property
    def is_gone(self) -> bool:
        """Return True if the memory is free, or should be by now."""
        return self._clock() >= self._gone_at
