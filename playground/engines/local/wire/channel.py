"""Messages over a pair of pipes: one JSON object a line, the same for forked and spawned workers.

Boundary: bytes and dicts; knows neither the meaning of a message nor the process at the other end.
"""

from __future__ import annotations

import json
import os
from typing import Any

from playground.errors import EngineError

Message = dict[str, Any]

_READ_BYTES = 1 << 16


class Channel:
    """One end of a conversation; one thread may read while another one writes."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd = read_fd
        self._write_fd = write_fd
        self._rest = b""

    def send(self, *messages: Message) -> None:
        """Write messages in one piece, which wakes the reader once; blocks while the pipe is full.

        Raises:
            OSError: the other end is gone.
        """
        lines = (json.dumps(message, separators=(",", ":")) + "\n" for message in messages)
        rest = memoryview("".join(lines).encode())
        while rest:
            rest = rest[os.write(self._write_fd, rest) :]

    def receive(self) -> list[Message] | None:
        """Wait for the next messages; return None when the other end has hung up.

        Raises:
            EngineError: a line is not a message.
        """
        while True:
            data = os.read(self._read_fd, _READ_BYTES)
            if not data:
                return None
            *lines, self._rest = (self._rest + data).split(b"\n")
            if lines:
                return [_decode(line) for line in lines]

    def close_read(self) -> None:
        """Close the end that is read; only for the thread that reads."""
        os.close(self._read_fd)

    def close_write(self) -> None:
        """Hang up: the other end reads what was sent, then the end; only for the thread that writes."""
        os.close(self._write_fd)


def pipes() -> tuple[Channel, tuple[int, int]]:
    """Make a new conversation: our end, and the two descriptors (read, write) of the other end."""
    their_read, our_write = os.pipe()
    our_read, their_write = os.pipe()
    return Channel(our_read, our_write), (their_read, their_write)


def _decode(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise EngineError(f"the other process sent something that is not a message: {line[:80]!r}")
    return message
