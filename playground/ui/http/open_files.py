"""The limit of open files and connections: raise it, check it, and log little when it is reached.

Boundary: the operating system's limit and a log filter; knows nothing of the page.
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
"""The beginning of asyncio's line when no connection can be accepted: thousands a second, each with its traceback."""
LOG_EVERY_S = 60.0
FEWEST_FILES, ENOUGH_FILES = 256, 4096
"""With five models some 80 are open before the first visitor comes."""
MANY_FILES = 65_536
"""Practically no limit."""


def allow_files() -> None:
    """Raise the limit of open files as far as the process may; Windows has none."""
    if sys.platform != "win32":
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with suppress(ValueError, OSError):  # "unlimited" is more than some systems then allow
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def check_files() -> None:
    """Refuse to start with a limit that the first visitors would reach.

    Raises:
        CannotServe: the message says how many files there are and how to allow more.
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


def log_seldom() -> None:
    """Log once a minute that no connection can be accepted."""
    logging.getLogger("asyncio").addFilter(SeldomFilter(OUT_OF_FILES))


class SeldomFilter(logging.Filter):
    """Pass lines that begin with `start` once in `every_s`, and every other line."""

    def __init__(self, start: str, every_s: float = LOG_EVERY_S, clock: Clock | None = None) -> None:
        super().__init__()
        self._start = start
        self._every_s = every_s
        self._clock = clock or Clock()
        self._next_s = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.getMessage().startswith(self._start):
            return True
        now_s = self._clock.monotonic()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + self._every_s
        return True
