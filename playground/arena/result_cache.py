"""Results of the stored votes by what was asked for, each kept until votes change and a new one is ready.

Boundary: decides when a result is made, and who waits for it; how it is made is the caller's.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Generic, TypeVar

from playground.errors import PlaygroundError

log = logging.getLogger(__name__)

QUICK_S = 0.25
"""A result that takes longer is shown as it was while the next one is made."""
REST = 9.0
"""A result rests for so many times the seconds that it took."""

Asked = TypeVar("Asked", bound=Hashable)
Result = TypeVar("Result")


@dataclass(slots=True)
class _Entry(Generic[Result]):
    result: Result | None = None
    error: BaseException | None = None  # of the last making
    state: Hashable = None  # of the votes when the result was begun
    tried_state: Hashable = None  # of the votes when the last making was begun, which may have failed
    took_s: float = 0.0
    rests_until: float = 0.0
    coming: Future[None] | None = None  # while one is being made


class ResultCache(Generic[Asked, Result]):
    """Results by what was asked for.

    Args:
        make: makes a result; the second argument is true if nobody waits, so that it may take long.
        is_default: returns True for what everybody sees: it is made first, and filters do not push the latest out.
        state: returns a value that differs if any result may differ; called for each look.
        most: results that are kept; earlier defaults go first, then what was asked for the longest time ago.
        is_complete: returns False for a result that has to be made again by the thread that takes its time.
        monotonic: seconds that only go up.
    """

    def __init__(
        self,
        make: Callable[[Asked, bool], Result],
        is_default: Callable[[Asked], bool],
        state: Callable[[], Hashable],
        most: int,
        is_complete: Callable[[Result], bool] = lambda _: True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._is_default = is_default
        self._state = state
        self._most = most
        self._is_complete = is_complete
        self._monotonic = monotonic
        self._lock = Lock()
        self._entries: OrderedDict[Asked, _Entry[Result]] = OrderedDict()
        self._wanted: OrderedDict[Asked, tuple[_Entry[Result], Hashable]] = OrderedDict()  # with the state of the votes
        self._worker: Thread | None = None

    def get(self, asked: Asked) -> Result:
        """Return the latest result, made at once; or if that takes long, the one before it.

        Raises:
            PlaygroundError: as `make` does, to everybody who waits for it.
        """
        while True:
            state = self._state()
            with self._lock:
                entry = self._entry(asked)
                result, coming = entry.result, entry.coming
                if result is not None:
                    is_complete = self._is_complete(result)
                    rests = entry.took_s > QUICK_S and self._monotonic() < entry.rests_until
                    if is_complete and (entry.state == state or rests):
                        return result
                    if entry.took_s > QUICK_S or not is_complete:
                        self._want(asked, entry, state)
                        return result
                if coming is None:
                    mine = entry.coming = Future()
            if coming is None:
                return self._fill(asked, entry, state, mine)
            coming.result()  # of the votes when it was begun: look again

    def newest(self, asked: Asked, wait_s: float) -> Result | None:
        """Return the newest result that is ready, after waiting a little for a newer one; None while there is none.

        Raises:
            PlaygroundError: there is none, because it could not be made.
        """
        state = self._state()
        with self._lock:
            entry = self._entry(asked)
            if entry.tried_state != state and self._monotonic() >= entry.rests_until:
                self._want(asked, entry, state)
            coming = entry.coming
        if coming is not None:
            wait([coming], wait_s)
        if entry.result is None and entry.error is not None:
            raise entry.error.with_traceback(None)
        return entry.result

    def _entry(self, asked: Asked) -> _Entry[Result]:
        entry = self._entries.setdefault(asked, _Entry())
        self._entries.move_to_end(asked)
        while len(self._entries) > self._most:
            unneeded = self._unneeded()
            dropped = self._entries.pop(unneeded)
            if self._wanted.pop(unneeded, None) is not None and dropped.coming is not None:
                dropped.coming.set_result(None)
        return entry

    def _unneeded(self) -> Asked:
        """Return the entry to drop: a default of earlier models, else the oldest filter; never the latest."""
        *others, _ = self._entries
        earlier_defaults = [each for each in self._entries if self._is_default(each)][:-1]
        filters = [each for each in others if not self._is_default(each)]
        return (earlier_defaults or filters or others)[0]

    def _want(self, asked: Asked, entry: _Entry[Result], state: Hashable) -> None:
        """Have a result made by the one thread that makes them beside, unless it is being made."""
        if entry.coming is None:
            entry.coming = Future()
            self._wanted[asked] = entry, state
            if self._is_default(asked):
                self._wanted.move_to_end(asked, last=False)
        self._start_worker()

    def _start_worker(self) -> None:
        """Start the thread if something is wanted and no thread makes it."""
        if self._wanted and self._worker is None:
            worker = Thread(target=self._work, daemon=True)
            worker.start()
            self._worker = worker

    def _work(self) -> None:
        """Make what is wanted, one after another, until nothing is: else many filters would take all processors."""
        try:
            while wanted := self._next_wanted():
                try:
                    self._fill(*wanted, patient=True)
                except PlaygroundError as error:  # closing, a disk that fails, or a filter that is refused
                    log.info("a result of the votes was not made again: %s", error)
        finally:  # an error of another kind ends the thread, not what is wanted
            with self._lock:
                self._worker = None
                self._start_worker()

    def _next_wanted(self) -> tuple[Asked, _Entry[Result], Hashable, Future[None]] | None:
        with self._lock:
            if not self._wanted:
                return None
            asked, (entry, state) = self._wanted.popitem(last=False)
            return asked, entry, state, entry.coming or Future()

    def _fill(
        self, asked: Asked, entry: _Entry[Result], state: Hashable, coming: Future[None], patient: bool = False
    ) -> Result:
        """Make a result for all who wait; an error leaves the old one with the time that it took."""
        began = self._monotonic()
        try:
            result = self._make(asked, patient)
        except BaseException as error:
            with self._lock:
                entry.error, entry.coming = error, None
                self._rest(entry, state, began)
            coming.set_exception(error)
            raise
        with self._lock:
            entry.result, entry.error, entry.coming = result, None, None
            entry.state, entry.took_s = state, self._rest(entry, state, began)
        coming.set_result(None)
        return result

    def _rest(self, entry: _Entry[Result], state: Hashable, began: float) -> float:
        """Let an entry rest after a making; return the seconds that it took."""
        now = self._monotonic()
        entry.tried_state, entry.rests_until = state, now + REST * (now - began)
        return now - began
