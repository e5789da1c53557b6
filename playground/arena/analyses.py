"""Analyses of the boards of a running playground, made beside them by one thread, and shown when ready.

Boundary: decides when analyses are made and who waits for them; how they are made is the caller's.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Generic, TypeVar

from playground.arena.battles import ArenaBattles
from playground.arena.boards import AskedBoard
from playground.arena.listing import current_analyses
from playground.arena.models import Models
from playground.catalog.catalog import Catalog
from playground.clock import Clock
from playground.errors import PlaygroundError
from playground.ratings.analyses import Analyses, NoAnalyses
from playground.ratings.board_filter import narrowed
from playground.ratings.board_rules import BoardRules, options_of
from playground.ratings.policy import CountingPolicy
from playground.ratings.stored_styles import StoredStyles
from playground.records import Instruction, VoteFilter

log = logging.getLogger(__name__)

WAIT_S = 0.3
"""The longest time for which somebody who asks waits: analyses of few votes are ready by then."""
REST = 9.0
"""Analyses are made again after so many times the seconds that they took."""
MOST = 16
"""Boards whose analyses are kept; those that were asked for the longest time ago go first."""

Asked = TypeVar("Asked", bound=Hashable)


@dataclass(slots=True)
class _Entry:
    found: Analyses | NoAnalyses = NoAnalyses()
    state: Hashable = None  # of the votes when they were begun
    rests_until: float = 0.0
    ready: Event = field(default_factory=Event)  # set while none is being made
    is_coming: bool = False


class BackgroundAnalyses(Generic[Asked]):
    """Analyses by what was asked for.

    Args:
        make: makes the analyses of a board.
        state: returns a value that differs if any board may differ; called each time.
        monotonic: seconds that only go up.
        is_default: returns True for what everybody sees: it is made first, and filters do not push it out.
    """

    def __init__(
        self,
        make: Callable[[Asked], Analyses],
        state: Callable[[], Hashable],
        monotonic: Callable[[], float] = time.monotonic,
        is_default: Callable[[Asked], bool] = lambda _: False,
    ) -> None:
        self._make = make
        self._is_default = is_default
        self._state = state
        self._monotonic = monotonic
        self._lock = Lock()
        self._entries: OrderedDict[Asked, _Entry] = OrderedDict()
        self._wanted: OrderedDict[Asked, Hashable] = OrderedDict()  # with the state of the votes
        self._worker: Thread | None = None

    def get(self, asked: Asked, wait_s: float = WAIT_S) -> Analyses | NoAnalyses:
        """Return the newest that are ready, after waiting a little for newer ones."""
        state = self._state()
        with self._lock:
            entry = self._entry(asked)
            if not entry.is_coming and entry.state != state and self._monotonic() >= entry.rests_until:
                self._want(asked, entry, state)
            is_coming = entry.is_coming
        if is_coming:
            entry.ready.wait(wait_s)
        return entry.found

    def _entry(self, asked: Asked) -> _Entry:
        entry = self._entries.setdefault(asked, _Entry())
        self._entries.move_to_end(asked)
        while len(self._entries) > MOST:
            oldest = next((each for each in self._entries if not self._is_default(each)), next(iter(self._entries)))
            self._wanted.pop(oldest, None)
            self._entries.pop(oldest).ready.set()
        return entry

    def _want(self, asked: Asked, entry: _Entry, state: Hashable) -> None:
        entry.is_coming = True
        entry.ready.clear()
        self._wanted[asked] = state
        if self._is_default(asked):
            self._wanted.move_to_end(asked, last=False)
        if self._worker is None or not self._worker.is_alive():
            self._worker = Thread(target=self._work, daemon=True)
            self._worker.start()

    def _work(self) -> None:
        """Make what is wanted, one after another, until nothing is."""
        while True:
            with self._lock:
                if not self._wanted:
                    self._worker = None
                    return
                asked, state = self._wanted.popitem(last=False)
                entry = self._entries[asked]
            self._fill(asked, entry, state)

    def _fill(self, asked: Asked, entry: _Entry, state: Hashable) -> None:
        """Make the analyses; after an error the old ones stay, until votes change."""
        found = entry.found
        began = self._monotonic()
        try:
            found = self._make(asked)
        except PlaygroundError as error:  # closing, a disk that fails, or a filter that the board refuses
            log.info("analyses were not made: %s", error)
            found = NoAnalyses(error.public) if isinstance(found, NoAnalyses) else found
        finally:
            took_s = self._monotonic() - began
            with self._lock:
                entry.found, entry.state, entry.is_coming = found, state, False
                entry.rests_until = self._monotonic() + REST * took_s
            entry.ready.set()


def asked_board(
    default: CountingPolicy,
    prior: float,
    models: Models,
    filter: VoteFilter,
    policy: CountingPolicy | None,
    rules: BoardRules,
) -> AskedBoard:
    """Return a board with this filter; it counts under the default policy where no other one is given.

    One with other rules is filtered too: it keeps no claims from earlier looks.

    Raises:
        InvalidValue: a condition that boards do not have.
    """
    policy = narrowed(policy or default, filter)
    options = options_of(rules, filter=filter, policy=policy, default=default, prior=prior)
    return filter, options, tuple(card.id for card in models.line_up)


def arena_analyses(
    battles: ArenaBattles, catalog: Catalog, starters: Mapping[str, Sequence[Instruction]], clock: Clock
) -> BackgroundAnalyses[AskedBoard]:
    """Return the analyses of an arena's stored votes."""
    styles = StoredStyles()

    def make(asked: AskedBoard) -> Analyses:
        filter, options, models = asked
        return current_analyses(battles.stored.store, catalog, models, starters, clock.now(), filter, options, styles)

    def state() -> Hashable:
        with battles.stored.store.reading() as reading:
            return reading.board_state(clock.now())

    return BackgroundAnalyses(make, state, is_default=lambda asked: not asked[1].filtered)
