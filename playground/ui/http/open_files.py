"""Files and connections that the process may have open: as many as the machine allows, and few words when they run out.

Boundary: the operating system's limit and a filter for the log; who may open how many is the page's to say.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

from playground.clock import Clock
from playground.errors import CannotServe

if sys.platform != "win32":
    import resource

OUT_OF_FILES = "socket.accept() out of system resource"
"""How asyncio's line begins when no connection can be taken: thousands a second, each with its traceback."""
EVERY_S = 60.0
FEWEST_FILES, ENOUGH_FILES = 256, 4096
"""With five models some 80 are open before anybody comes."""
MANY_FILES = 65_536
"""As good as no limit."""


def allow_files() -> None:
    """Raise the process's limit of open files to the most that it may give itself; Windows has none."""
    if sys.platform != "win32":
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with suppress(ValueError, OSError):  # "unlimited" is more than some systems then allow
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def check_files() -> None:
    """Refuse to start with so few files that the page would stop with its first visitors.

    Raises:
        CannotServe: the message says how many there are and how to have more.
    """
    if most_files() < FEWEST_FILES:
        raise CannotServe(
            f"this process may open {most_files()} files and connections, and the playground needs {FEWEST_FILES}; "
            f"allow more before it starts: ulimit -n {ENOUGH_FILES}"
        )


def most_files() -> int:
    """Return how many files and connections the process may have open."""
    if sys.platform == "win32":
        return MANY_FILES
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MANY_FILES if soft == resource.RLIM_INFINITY else min(soft, MANY_FILES)


class Seldom(logging.Filter):
    """Lets a line that begins with `start` through once in `every_s`, and every other line always."""

    def __init__(self, start: str, every_s: float = EVERY_S, clock: Clock | None = None) -> None:
        super().__init__()
        self._start = start
        self._every_s = every_s
        self._clock = clock or Clock()
        self._next_s = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        if not record.getMessage().startswith(self._start):
            return True
        now_s = self._clock.monotonic()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + self._every_s
        return True
