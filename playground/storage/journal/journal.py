"""The journal of a database: every vote once more, as lines of files that only grow.

Boundary: a thread that reads committed events and writes them; no vote waits for it, and it never changes the database.
Its position is that of the files themselves: what a kill, a full disk or a deleted folder left out is written later.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.errors import StorageError
from playground.storage.database.migrations import schema_version
from playground.storage.database.store import Store
from playground.storage.journal.appender import SEGMENT_BYTES, Appender
from playground.storage.journal.consistency import check_against_journal, highest_seq
from playground.storage.journal.entries import database_id, entries_after, last_event
from playground.storage.journal.lines import Record, seal
from playground.storage.journal.redaction import redact
from playground.storage.journal.segments import segments
from playground.storage.journal.tombstones import Tombstones

log = logging.getLogger(__name__)

POLL_S = 0.25
"""The longest time that a vote is missing in the journal; a poll takes some 50 µs."""
RETRY_S = 2.0
BATCH = 256
"""Events that are made durable together."""
CLOSE_S = 5.0
"""The time that `close` writes; the next start writes the rest."""


@dataclass(frozen=True, slots=True)
class JournalState:
    lag: int  # events that are only in the database
    error: str  # why the last attempt failed; empty if it did not
    segments: int
    folder: Path


class Journal:
    """Writes events from its construction until `close`; close it before its store.

    Args:
        store: the database, open for writing.
        folder: created with the first event.
        segment_bytes: a segment of this size takes no more lines.

    Raises:
        DatabaseBroken: the journal has events that the database lacks.
        StorageError: the folder cannot be read.
    """

    def __init__(self, store: Store, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder
        self._store = store
        check_against_journal(store, folder)
        with store.reading() as reading:
            self._appender = Appender(folder, database_id(reading), schema_version(), segment_bytes)
        self._written = highest_seq(folder)
        self._error = ""
        self._ending = threading.Event()
        self._deadline = float("inf")
        self._thread = threading.Thread(target=self._loop, name="journal", daemon=True)
        self._thread.start()

    def state(self) -> JournalState:
        """Return the current state.

        Raises:
            StorageError: the database cannot be read.
        """
        error = self._error
        if not self._thread.is_alive() and not self._ending.is_set():
            error = "the thread that writes the journal has ended; restart the playground"
        with self._store.reading() as reading:
            lag = max(0, last_event(reading) - self._written)
        return JournalState(lag, error, len(segments(self.folder)), self.folder)

    def close(self) -> None:
        """Write what is missing, for at most `CLOSE_S`, and end the thread; idempotent."""
        self._deadline = time.monotonic() + CLOSE_S
        self._ending.set()
        self._thread.join()

    def _loop(self) -> None:
        self._catch_up()
        while not self._ending.wait(RETRY_S if self._error else POLL_S):
            self._catch_up()
        self._catch_up()
        self._appender.end_segment()

    def _catch_up(self) -> None:
        try:
            while self._step() and time.monotonic() < self._deadline:
                pass
            self._report("")
        except OSError as error:
            self._report(f"{self.folder} cannot be written to: {error.strerror}; votes go on, and are added later")
        except StorageError as error:
            self._report(str(error))

    def _report(self, error: str) -> None:
        if error and error != self._error:
            log.warning("the journal: %s", error)
        self._error = error

    def _step(self) -> bool:
        """Write the next events; return False if there are none, or no time is left."""
        with self._store.reading() as reading:
            if last_event(reading) <= self._written:
                return False
            entries = entries_after(reading, self._written, BATCH)
        if not entries or not self._redact([entry for entry in entries if entry["event"] == "erasure"]):
            return False
        self._appender.append([seal(entry) for entry in entries])
        self._written = entries[-1]["seq"]
        return True

    def _redact(self, erasures: Sequence[Record]) -> bool:
        """Remove erased text from earlier segments, before the tombstones are written."""
        if not erasures:
            return True
        self._appender.end_segment()
        return redact(self.folder, Tombstones.of(erasures), lambda: time.monotonic() >= self._deadline)
