"""Leaderboards of a running playground: one fit per filter, shared by everybody who asks for it.

A board that is made quickly is always that of the latest vote. One that takes longer is shown as it was, while the next
one is made beside it, and rests in proportion to what it cost: however many votes come in and however many people look,
a filter costs a small share of one processor.

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
from playground.ratings.leaderboard import Leaderboard
from playground.records import Instruction, VoteFilter

log = logging.getLogger(__name__)

QUICK_S = 0.25
"""A board that takes longer is shown as it was while the next one is made."""
REST = 9.0
"""A slow board rests for so many times the seconds that it took."""
MOST = 32
"""Boards that are kept; the one that was asked for the longest time ago goes first."""

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
        make: makes a board.
        state: returns a value that differs if any board may differ; called for each look.
        monotonic: seconds that only go up.
    """

    def __init__(
        self,
        make: Callable[[Asked], Leaderboard],
        state: Callable[[], Hashable],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._state = state
        self._monotonic = monotonic
        self._lock = Lock()
        self._entries: OrderedDict[Asked, _Entry] = OrderedDict()

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
                if board is not None and (entry.state == state or self._must_rest(entry)):
                    return board
                if coming is None:
                    mine = entry.coming = Future()
            if board is not None and entry.took_s > QUICK_S:
                if coming is None:
                    Thread(target=self._make_beside, args=(asked, entry, state, mine), daemon=True).start()
                return board
            if coming is None:
                return self._fill(asked, entry, state, mine)
            coming.result()  # of the votes when it was begun: look again

    def _entry(self, asked: Asked) -> _Entry:
        entry = self._entries.setdefault(asked, _Entry())
        self._entries.move_to_end(asked)
        while len(self._entries) > MOST:
            self._entries.popitem(last=False)
        return entry

    def _must_rest(self, entry: _Entry) -> bool:
        return entry.took_s > QUICK_S and self._monotonic() < entry.rests_until

    def _fill(self, asked: Asked, entry: _Entry, state: Hashable, coming: Future[Leaderboard]) -> Leaderboard:
        """Make a board and give it to all who wait; after an error the next who asks tries again."""
        began = self._monotonic()
        try:
            board = self._make(asked)
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
            self._fill(asked, entry, state, coming)
        except PlaygroundError as error:  # closing, or a disk that fails; the board stays as it was
            log.info("the leaderboard was not made again: %s", error)


AskedBoard = tuple[VoteFilter, LeaderboardOptions, tuple[str, ...]]
"""The filter, the options, and the models that are named without a vote."""


def arena_boards(
    battles: ArenaBattles, catalog: Catalog, starters: Mapping[str, Sequence[Instruction]], clock: Clock
) -> Boards[AskedBoard]:
    """Return the boards of an arena's stored votes."""

    def make(asked: AskedBoard) -> Leaderboard:
        filter, options, models = asked
        return current_leaderboard(battles.stored.store, catalog, models, starters, clock.now(), filter, options)

    def state() -> Hashable:
        with battles.stored.store.reading() as reading:
            return reading.board_state(clock.now())

    return Boards(make, state)
