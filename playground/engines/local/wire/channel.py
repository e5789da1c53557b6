"""Messages over a pair of pipes: one JSON object per line, the same for forked and spawned workers.

Boundary: bytes and dicts; knows neither what a message means nor who is at the other end.
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
        """Write messages in one piece, so that they wake whoever waits for them once, until the pipe has taken all.

        Raises:
            OSError: the other end is gone.
        """
        lines = (json.dumps(message, separators=(",", ":")) + "\n" for message in messages)
        rest = memoryview("".join(lines).encode())
        while rest:
            rest = rest[os.write(self._write_fd, rest) :]

    def receive(self) -> list[Message] | None:
        """Wait for the next messages; None when the other end has hung up.

        Raises:
            EngineError: what came is not a message.
        """
        while True:
            data = os.read(self._read_fd, _READ_BYTES)
            if not data:
                return None
            *lines, self._rest = (self._rest + data).split(b"\n")
            if lines:
                return [_decode(line) for line in lines]

    def close_read(self) -> None:
        """Stop listening; only for the thread that reads."""
        os.close(self._read_fd)

    def close_write(self) -> None:
        """Hang up; only for the thread that writes. The other end reads to the end and then sees it."""
        os.close(self._write_fd)


def pipes() -> tuple[Channel, tuple[int, int]]:
    """Our end of a new conversation, and the two descriptors (read, write) of the other end."""
    their_read, our_write = os.pipe()
    our_read, their_write = os.pipe()
    return Channel(our_read, our_write), (their_read, their_write)


def _decode(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except ValueError as error:
        raise EngineError(f"the other process sent something that is not a message: {line[:80]!r}") from error
    if not isinstance(message, dict):
        raise EngineError(f"the other process sent something that is not a message: {line[:80]!r}")
    return message
