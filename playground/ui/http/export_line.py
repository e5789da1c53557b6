"""The line of visitors who wait for a file of the Data page, and the progress of each file.

Boundary: counts and waits; for one thread, the server's event loop. Knows neither requests nor formats.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from playground.errors import Busy
from playground.ui.texts import data as texts

MADE_AT_ONCE = 2
"""Files that are written at once: each takes a core."""
MOST_FILES = 20
"""Files that exist at once: slow visitors fetch theirs while the next are written."""
MOST_WAITING = 200
LONGEST_WAIT_S = 60.0
ONE_MORE_S = 5
"""The advised wait of a visitor whose file is still on its way."""
REMEMBERED = 300
T = TypeVar("T")
_TICKET = re.compile(r"[0-9a-f]{32}")


class Stage(StrEnum):
    """The stage of a file, as `/data/progress` spells it."""

    WAITING = "waiting"
    WRITING = "writing"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(slots=True, eq=False)
class ExportProgress:
    """The progress of one file: its thread counts, the event loop reads."""

    stage: Stage = Stage.WAITING
    ahead: int = 0  # visitors who wait before this one
    done: int = 0  # votes that are written
    total: int = 0  # of all votes; 0: not known yet
    rows: int = 0  # of the whole file
    size_bytes: int = 0
    manifest: str = ""  # its key
    error: str = ""
    is_gone: bool = False  # the visitor has left; the thread stops

    @property
    def share(self) -> float | None:
        """The written part of the file, 0 to 1; None if it is not known."""
        if self.stage in (Stage.SENDING, Stage.SENT):
            return 1.0
        return min(1.0, self.done / self.total) if self.stage is Stage.WRITING and self.total else None


class Remembered(Generic[T]):
    """The latest values by key; the oldest is forgotten."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._kept: OrderedDict[str, T] = OrderedDict()

    def keep(self, key: str, value: T) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def get(self, key: str) -> T | None:
        return self._kept.get(key)

    def __len__(self) -> int:
        return len(self._kept)


class ExportLine:
    """First come, first served; one file per visitor."""

    def __init__(
        self,
        made_at_once: int = MADE_AT_ONCE,
        most_files: int = MOST_FILES,
        most_waiting: int = MOST_WAITING,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        self._making = asyncio.Semaphore(made_at_once)
        self._files = asyncio.Semaphore(most_files)
        self._most_waiting = most_waiting
        self._longest_wait_s = longest_wait_s
        self._visitors: set[str] = set()
        self._waiting: list[ExportProgress] = []  # in the order of their turns

    @asynccontextmanager
    async def turn(self, visitor: str, progress: ExportProgress) -> AsyncIterator[Callable[[], None]]:
        """Wait for a turn to write a file; yield the function that passes it on once the file is written.

        The visitor holds one place until the end of the block.

        Raises:
            Busy: the visitor has a place already, too many wait, or no turn came in time.
        """
        if visitor in self._visitors:
            raise Busy(texts.ONE_AT_A_TIME, ONE_MORE_S)
        if len(self._waiting) >= self._most_waiting:
            raise self._busy()
        with ExitStack() as held:
            self._visitors.add(visitor)
            held.callback(self._visitors.discard, visitor)
            await self._wait(progress, held)
            writing = held.enter_context(ExitStack())
            writing.callback(self._making.release)
            yield writing.close

    async def _wait(self, progress: ExportProgress, held: ExitStack) -> None:
        self._waiting.append(progress)
        self._count()
        try:
            async with asyncio.timeout(self._longest_wait_s):
                await self._files.acquire()
                held.callback(self._files.release)
                await self._making.acquire()
        except TimeoutError as error:
            raise self._busy() from error
        finally:
            self._waiting.remove(progress)
            self._count()

    def _count(self) -> None:
        for ahead, waiting in enumerate(self._waiting):
            waiting.ahead = ahead

    def _busy(self) -> Busy:
        wait_s = max(10, round(self._longest_wait_s / 2))
        return Busy(texts.TOO_MANY_FILES.format(wait_s=wait_s), wait_s)


def is_ticket(text: str) -> bool:
    """Return True for 32 digits and letters a to f, which a browser has drawn."""
    return _TICKET.fullmatch(text) is not None
