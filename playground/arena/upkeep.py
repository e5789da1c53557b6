"""The arena's regular work, on a thread of its own.

Boundary: decides when; each piece of work is done elsewhere.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from playground.arena.recorder import Recorder
from playground.arena.running import RunningBattles
from playground.arena.studies import ArenaStudies
from playground.battles import Battles
from playground.clock import Clock
from playground.errors import InvalidStudy, StorageError
from playground.storage.database.store import Store
from playground.studies.panel_raters import PanelRaters

log = logging.getLogger(__name__)

EVERY_S = 1.0
MINUTE_S = 60.0
SCRUB_SHARE = 100
"""Scrubbing, for which votes wait, takes at most one in this many seconds."""
SCRUB_BYTES = 100_000_000
"""A larger file (0.7 s on a usual disk) is scrubbed by `erase --leftovers` only."""
SCRUB_RETRY_S = 600.0


class Watched(Protocol):
    """A result that is computed from the votes now and then; it decides itself when it is due."""

    def refresh(self, store: Store) -> None: ...


class Upkeep:
    """Every second, stop abandoned comparisons, record what failed, scrub erasures, refresh what is computed
    from the votes; every minute, expire battles, delete the ids of panels whose studies ended, look at the votes
    of studies that run, and go on with answers for their raters. At the start, go on with these too, and count the
    studies that run."""

    def __init__(
        self,
        battles: Battles,
        studies: ArenaStudies,
        running: RunningBattles,
        recorder: Recorder,
        watched: Sequence[Watched],
        clock: Clock,
        abandon_s: float,
    ) -> None:
        self._battles = battles
        self._studies = studies
        self._running = running
        self._recorder = recorder
        self._clock = clock
        self._abandon_s = abandon_s
        self._watched = watched
        self._closed = threading.Event()
        self._minute_s = clock.monotonic() + MINUTE_S
        self._scrub_s = 0.0
        threading.Thread(target=self._prepare, name="studies", daemon=True).start()
        threading.Thread(target=self._run, name="upkeep", daemon=True).start()

    def close(self) -> None:
        """Begin nothing more."""
        self._closed.set()

    def _prepare(self) -> None:
        """Count large studies, which takes seconds, beside the work that is due every second."""
        with suppress(StorageError):  # tried again each minute
            self._studies.resume()
        with suppress(StorageError, InvalidStudy):  # the first rater counts them
            self._studies.prepare()

    def _run(self) -> None:
        while not self._closed.wait(EVERY_S):
            for work in (
                self._stop_abandoned,
                self._recorder.try_again,
                self._scrub,
                self._each_minute,
                self._refresh,
            ):
                if not self._closed.is_set():
                    work()

    def _stop_abandoned(self) -> None:
        for comparison in self._running.comparisons:
            if comparison.unread_s > self._abandon_s:
                comparison.stop()

    def _refresh(self) -> None:
        for watched in self._watched:
            watched.refresh(self._battles.store)

    def _scrub(self) -> None:
        """Remove the bytes that erasures left in the database's file."""
        began = self._clock.monotonic()
        if began < self._scrub_s:
            return
        pause = 0.0
        try:
            self._battles.store.scrub(most_bytes=SCRUB_BYTES)
        except StorageError as error:
            log.error("erased bytes may be left in the database's file: %s", error)
            pause = SCRUB_RETRY_S
        self._scrub_s = began + max(pause, SCRUB_SHARE * (self._clock.monotonic() - began))

    def _each_minute(self) -> None:
        if self._clock.monotonic() >= self._minute_s:
            self._minute_s = self._clock.monotonic() + MINUTE_S
            with suppress(StorageError, InvalidStudy):  # viewers see it in any case; stored next minute
                self._battles.expire()
                PanelRaters(self._battles).forget_due_ids()
                self._studies.look()
                self._studies.resume()
