"""The sync of the journal to the store: a thread that uploads what is new, and can say how far it has come.

Boundary: decides when; no vote and no page waits for it. What is uploaded is `upload`'s.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from playground.clock import Clock
from playground.errors import DatasetError, PlaygroundError
from playground.publishing.hub import Dataset
from playground.publishing.restore import FromStore
from playground.publishing.upload import Uploader
from playground.storage.database.store import Store
from playground.storage.journal.entries import count_votes, database_id, last_event
from playground.storage.journal.journal import Journal

log = logging.getLogger(__name__)

SEGMENT_BYTES = 1_000_000
"""The journal begins a new segment at this size: only the newest one is uploaded again and again."""
CLOSE_S = 20.0
"""The longest time that the end of the playground waits for the last upload."""
SILENT_S = 5.0
"""The end waits no longer if the hub answers no call for this time."""
LOOK_EVERY = 10
"""After so many intervals without a new vote the store is looked at all the same."""
LATE = 10
"""Votes that wait longer than so many intervals are late."""
FIRST_RETRY_S, MOST_RETRY_S = 5.0, 600.0


@dataclass(frozen=True, slots=True)
class SyncState:
    """The state of the store, for page and monitors. Votes include undos."""

    repo: str
    votes: int  # that the store has, as far as this playground knows
    waiting: int  # votes that only this machine has
    age_s: float | None  # since the last upload or look at the store that succeeded; None: there was none
    since_s: float  # since the sync began
    error: str  # why the last attempt failed; empty if it did not
    warnings: tuple[str, ...]  # what else the operator should know
    every_s: float

    @property
    def is_late(self) -> bool:
        """True if votes wait longer than they should."""
        age_s = self.since_s if self.age_s is None else self.age_s
        return self.waiting > 0 and age_s > LATE * self.every_s


class StoreSync:
    """Uploads every `every_s` what the journal has and the store lacks, from its construction until `close`.

    Args:
        store: the database that the journal is of.
        begun: the result of the restore at the start.
    """

    def __init__(
        self, dataset: Dataset, store: Store, journal: Journal, every_s: float, begun: FromStore, clock: Clock
    ) -> None:
        self._repo = dataset.repo
        self._dataset = dataset
        self._store = store
        self._journal = journal
        self._every_s = every_s
        self._clock = clock
        self._warnings = begun.warnings
        with store.reading() as reading:
            self._uploader = Uploader(dataset, journal.folder, database_id(reading), begun.known)
        self._since_s = clock.monotonic()
        self._done_s: float | None = None
        self._last_event = 0  # that the store has
        self._votes = 0
        self._quiet = 0  # intervals without a look at the store
        self._error = ""
        self._others: frozenset[str] = frozenset()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="store", daemon=True)
        self._thread.start()

    def state(self) -> SyncState:
        """Return the current state.

        Raises:
            StorageError: the database cannot be read.
        """
        with self._store.reading() as reading:
            waiting = count_votes(reading, self._last_event, last_event(reading))
        now_s = self._clock.monotonic()
        error = self._error
        if not self._thread.is_alive() and not self._ending.is_set():
            error = "the thread that uploads votes has ended; restart the playground"
        return SyncState(
            repo=self._repo,
            votes=self._votes,
            waiting=waiting,
            age_s=None if self._done_s is None else now_s - self._done_s,
            since_s=now_s - self._since_s,
            error=error,
            warnings=(*self._warnings, *_other_writers(self._others)),
            every_s=self._every_s,
        )

    def close(self) -> bool:
        """Upload what is left and end the thread; return True if the store has everything.

        It takes at most `CLOSE_S`, and `SILENT_S` if the hub does not answer.

        Close the journal before, and the database after.
        """
        self._ending.set()
        ends_s, answered = time.monotonic() + CLOSE_S, -1
        while self._thread.is_alive() and answered < self._dataset.answered and time.monotonic() < ends_s:
            answered = self._dataset.answered
            self._thread.join(min(SILENT_S, ends_s - time.monotonic()))
        is_done = not self._thread.is_alive() and not self._error
        if not is_done:
            log.warning("not every vote is in the store; the next start on this disk uploads the rest")
        return is_done

    def _loop(self) -> None:
        pause_s, retry_s = 0.0, FIRST_RETRY_S
        while not self._ending.wait(pause_s):
            asked_s = self._try()
            if self._error:
                pause_s, retry_s = max(retry_s, asked_s), min(2 * retry_s, MOST_RETRY_S)
            else:
                pause_s, retry_s = self._every_s, FIRST_RETRY_S
        self._try()

    def _try(self) -> float:
        """Upload once; return the time that the hub asks to wait for before the next try."""
        try:
            self._upload()
            self._report("")
        except DatasetError as error:
            self._report(str(error))
            return error.retry_after_s
        except OSError as error:
            self._report(f"the journal cannot be read: {error.strerror}")
        except PlaygroundError as error:
            self._report(str(error))
        return 0.0

    def _upload(self) -> None:
        """Upload what is new; look at the store at least every `LOOK_EVERY` intervals."""
        with self._store.reading() as reading:
            newest = last_event(reading)
        self._quiet += 1
        if newest == self._last_event and self._done_s is not None and not self._error and self._quiet < LOOK_EVERY:
            self._done_s = self._clock.monotonic()
            return
        began_s = self._clock.monotonic()
        uploaded = self._uploader.upload(is_whole=not self._journal.state().lag)
        with self._store.reading() as reading:
            self._votes = count_votes(reading, 0, uploaded.last_event)
        self._last_event, self._done_s, self._quiet = uploaded.last_event, began_s, 0
        if new := uploaded.others - self._others:
            log.error("%s: %s", *_other_writers(new), ", ".join(sorted(new)))
        self._others = uploaded.others
        self._uploader.clear_history()

    def _report(self, error: str) -> None:
        if error and error != self._error:
            log.warning("the store: %s", error)
        if self._error and not error:
            log.info("the store: every vote is uploaded again")
        self._error = error


def _other_writers(paths: frozenset[str]) -> tuple[str, ...]:
    """Return a warning about files of the store that this playground did not write."""
    if not paths:
        return ()
    return (
        f"the store has {len(paths)} files that this playground neither wrote nor read at its start, so another one "
        "uses the same store; nothing is lost, but give each a store of its own. A start on an empty disk merges them",
    )
