"""One GPU call: its rows, each until its `Ended`, and the thread that waits for what the call writes.

The call runs in the context of whoever asked, because `spaces` reads the visitor's request from it: their token decides
whose quota the call takes.

Boundary: every method is called on the engine's thread; the call's own thread only posts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from contextvars import Context
from dataclasses import dataclass
from functools import partial

from playground.engines.protocol import Ended, Event, Job, Listener, Queued, Started, tell
from playground.engines.zerogpu.errors import ABORTED, NO_THREAD, words_of
from playground.engines.zerogpu.request import GpuEvent, GpuRequest, GpuRow, Measured, Write
from playground.records import FinishReason

Post = Callable[[Callable[[], None]], None]
"""Run a function on the engine's thread."""

WAITING = "waiting for a GPU"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class CallRow:
    """One accepted job."""

    model_id: str
    job: Job
    listener: Listener
    slot: int = -1
    has_started: bool = False


class GpuCall:
    """The rows of one comparison; `measure` takes the speed of their models, `done` the call after its end."""

    def __init__(
        self, rows: Iterable[CallRow], measure: Callable[[Measured], None], done: Callable[[GpuCall], None]
    ) -> None:
        self._rows = {row.job.row: row for row in rows}
        self._measure = measure
        self._done = done
        self.slots = tuple(row.slot for row in self._rows.values())

    @property
    def rows(self) -> tuple[CallRow, ...]:
        """Rows that have not ended; safe on any thread."""
        return tuple(self._rows.values())

    def begin(self, write: Write, context: Context, post: Post) -> None:
        """Ask for a GPU and write, on a thread of the call's."""
        request = GpuRequest(tuple(GpuRow(row.model_id, row.job, row.slot) for row in self.rows))
        for row in self.rows:
            tell(row.listener, Queued(row.job.row, 0, WAITING))

        def run() -> None:
            reason = ABORTED
            try:
                for events in write(request):
                    post(partial(self.take, events))
            except Exception as error:  # Gradio's and HTTP errors of `spaces`, and what a model raised
                log.exception("a GPU call failed")
                reason = words_of(error)
            post(partial(self.end, FinishReason.ERROR, reason))

        try:
            threading.Thread(target=context.run, args=(run,), name="gpu-call", daemon=True).start()
        except RuntimeError:  # no thread can be started; the engine's own goes on
            log.exception("a GPU call could not begin")
            self.end(FinishReason.ERROR, NO_THREAD)

    def take(self, events: Iterable[GpuEvent]) -> None:
        """Tell the rows what was written; one that was cancelled while it waited has ended already."""
        for event in events:
            if isinstance(event, Measured):
                self._measure(event)
            elif event.row in self._rows:
                self._tell(event)

    def cancel(self, name: str) -> int | None:
        """Return the slot of a row that is to be cancelled, None if it has ended; one that waits ends now."""
        row = self._rows.get(name)
        if row is None:
            return None
        if not row.has_started:
            self._tell(Ended(name, FinishReason.CANCELLED))
        return row.slot

    def end(self, reason: FinishReason, error: str | None = None) -> None:
        """End the rows that are left; the call is over."""
        self.end_rows(reason, error)
        self._done(self)

    def end_rows(self, reason: FinishReason, error: str | None = None, model_id: str = "") -> None:
        """End the rows that are left, or those of one model."""
        for row in self.rows:
            if model_id in ("", row.model_id):
                self._tell(Ended(row.job.row, reason, error))

    def _tell(self, event: Event) -> None:
        row = self._rows[event.row]
        row.has_started = row.has_started or isinstance(event, Started)
        if isinstance(event, Ended):
            del self._rows[event.row]
        tell(row.listener, event)
