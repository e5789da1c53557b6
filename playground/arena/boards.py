"""Leaderboards of a running playground: one fit per filter, shared by everybody who asks for it.

A board that is made quickly is always that of the latest vote. One that takes longer is shown as it was, while the next
one is made beside it, and rests in proportion to what it cost: however many votes come in and however many people look,
a filter costs a small share of one processor. The first to ask do not wait for the claims of many votes: these are made
beside the board that is shown without them.

Boundary: decides when a board is made and who waits for it; how it is made is the caller's.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Generic, TypeVar

from playground.arena.battles import ArenaBattles
from playground.arena.listing import current_leaderboard
from playground.catalog.catalog import Catalog
from playground.clock import Clock
from playground.errors import PlaygroundError
from playground.ratings.board import LeaderboardOptions
from playground.ratings.claims import ClaimMemory, Replay
from playground.ratings.leaderboard import NO_FILTER, Leaderboard
from playground.records import Instruction, VoteFilter

log = logging.getLogger(__name__)

QUICK_S = 0.25
"""A board that takes longer is shown as it was while the next one is made."""
REST = 9.0
"""A slow board rests for so many times the seconds that it took."""
MOST = 32
"""Filtered boards that are kept; the one that was asked for the longest time ago goes first."""
MOST_VOTES_AT_ONCE = 500_000
"""Votes that all looks of a replay read while a visitor waits: some half a second, for a board of 45,000 votes."""

Asked = TypeVar("Asked", bound=Hashable)


@dataclass(slots=True)
class _Entry:
    board: Leaderboard | None = None
    state: Hashable = None  # of the votes when the board was begun
    took_s: float = 0.0
    rests_until: float = 0.0
    coming: Future[Leaderboard] | None = None  # while one is being made


class Boards(Generic[Asked]):
    """Boards by what was asked for.

    Args:
        make: makes a board; if the second argument is true it takes the time that the claims need.
        is_default: returns True for what everybody sees: filters do not push it out.
        state: returns a value that differs if any board may differ; called for each look.
        monotonic: seconds that only go up.
    """

    def __init__(
        self,
        make: Callable[[Asked, bool], Leaderboard],
        is_default: Callable[[Asked], bool],
        state: Callable[[], Hashable],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._is_default = is_default
        self._state = state
        self._monotonic = monotonic
        self._lock = Lock()
        self._one_beside = Lock()
        self._filtered: OrderedDict[Asked, _Entry] = OrderedDict()
        self._default: tuple[Asked, _Entry] | None = None

    def get(self, asked: Asked) -> Leaderboard:
        """Return a board: the latest, or if that takes long, the one before it.

        Raises:
            PlaygroundError: as `make` does, to everybody who waits for it.
        """
        while True:
            state = self._state()
            with self._lock:
                entry = self._entry(asked)
                board, coming = entry.board, entry.coming
                is_complete = board is not None and board.claims_are_known
                if board is not None and is_complete and (entry.state == state or self._must_rest(entry)):
                    return board
                if coming is None:
                    mine = entry.coming = Future()
            if board is not None and (entry.took_s > QUICK_S or not is_complete):
                if coming is None:
                    Thread(target=self._make_beside, args=(asked, entry, state, mine), daemon=True).start()
                return board
            if coming is None:
                return self._fill(asked, entry, state, mine)
            coming.result()  # of the votes when it was begun: look again

    def _entry(self, asked: Asked) -> _Entry:
        if self._is_default(asked):
            if self._default is None or self._default[0] != asked:
                self._default = asked, _Entry()
            return self._default[1]
        entry = self._filtered.setdefault(asked, _Entry())
        self._filtered.move_to_end(asked)
        while len(self._filtered) > MOST:
            self._filtered.popitem(last=False)
        return entry

    def _must_rest(self, entry: _Entry) -> bool:
        return entry.took_s > QUICK_S and self._monotonic() < entry.rests_until

    def _fill(
        self, asked: Asked, entry: _Entry, state: Hashable, coming: Future[Leaderboard], patient: bool = False
    ) -> Leaderboard:
        """Make a board and give it to all who wait; after an error the next who asks tries again."""
        began = self._monotonic()
        try:
            board = self._make(asked, patient)
        except BaseException as error:
            with self._lock:
                entry.coming = None
            coming.set_exception(error)
            raise
        took_s = self._monotonic() - began
        with self._lock:
            entry.board, entry.state, entry.took_s, entry.coming = board, state, took_s, None
            entry.rests_until = self._monotonic() + REST * took_s
        coming.set_result(board)
        return board

    def _make_beside(self, asked: Asked, entry: _Entry, state: Hashable, coming: Future[Leaderboard]) -> None:
        try:
            with self._one_beside:  # else many filters would take all processors
                self._fill(asked, entry, state, coming, patient=True)
        except PlaygroundError as error:  # closing, or a disk that fails; the board stays as it was
            log.info("the leaderboard was not made again: %s", error)


AskedBoard = tuple[VoteFilter, LeaderboardOptions, tuple[str, ...]]
"""The filter, the options, and the models that are named without a vote."""


def arena_boards(
    battles: ArenaBattles, catalog: Catalog, starters: Mapping[str, Sequence[Instruction]], clock: Clock
) -> Boards[AskedBoard]:
    """Return the boards of an arena's stored votes."""

    memory = ClaimMemory()

    def make(asked: AskedBoard, patient: bool) -> Leaderboard:
        filter, options, models = asked
        replay = Replay(memory, most_votes=None if patient else MOST_VOTES_AT_ONCE)
        store, now = battles.stored.store, clock.now()
        return current_leaderboard(store, catalog, models, starters, now, filter, options, replay)

    def is_default(asked: AskedBoard) -> bool:
        filter, options, _ = asked
        return filter == NO_FILTER and not options.filtered

    def state() -> Hashable:
        with battles.stored.store.reading() as reading:
            return reading.board_state(clock.now())

    return Boards(make, is_default, state)
