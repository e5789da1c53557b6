"""The web process' hold on one worker's channel: a thread for each direction, so that nobody ever waits for a worker.

Boundary: carries messages; knows no model and no row.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from playground.engines.local.wire.channel import Channel, Message
from playground.errors import EngineError


class Link:
    """Sends without blocking; hands on what comes, and once the end, on a thread of its own."""

    def __init__(
        self, channel: Channel, on_messages: Callable[[Sequence[Message]], None], on_gone: Callable[[], None]
    ) -> None:
        self._channel = channel
        self._on_messages = on_messages
        self._on_gone = on_gone
        self._outbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, name="engine-read", daemon=True).start()
        threading.Thread(target=self._write, name="engine-write", daemon=True).start()

    def send(self, message: Message) -> None:
        """Queue a message; one for a worker that is gone is dropped, `on_gone` tells."""
        self._outbox.put(message)

    def close(self) -> None:
        """Hang up, after what is queued has been sent."""
        self._outbox.put(None)

    def _read(self) -> None:
        try:
            while (received := self._channel.receive()) is not None:
                self._on_messages(received)
        except (OSError, EngineError):
            pass  # whatever broke the conversation, it is over
        finally:
            self._channel.close_read()
            self._on_gone()

    def _write(self) -> None:
        try:
            while (message := self._outbox.get()) is not None:
                self._channel.send(message)
        except OSError:
            pass  # the worker is gone; the reading thread says so
        finally:
            self._channel.close_write()
