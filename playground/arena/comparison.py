"""A comparison: the columns of one battle while they are being written, read as snapshots.

Boundary: hands finished generations to `record`; knows neither the database nor the page. `pace` decides what a blind
battle shows of its columns and when; `battles` decides what is sent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from playground.arena.column import Column
from playground.arena.pace import Pace
from playground.clock import Clock
from playground.engines.protocol import Engine, Event
from playground.records import ColumnState, FinishReason, Generation, LiveColumn


class Comparison:
    """All columns of one battle.

    `record` gets the finished generations by side. In open mode it gets each at once; while blind, all together when
    the last has ended, because Stop must keep what was on the screen and no more: how far a model was ahead would tell
    which one it is.

    The snapshot of a blind battle changes at its ticks only. It is made once per tick, from what had come by then, and
    is the same for every reader, however often each one reads.
    """

    def __init__(
        self,
        battle_id: str,
        blind: bool,
        columns: Sequence[Column],
        clock: Clock,
        record: Callable[[Mapping[str, Generation]], None],
    ) -> None:
        self.battle_id = battle_id
        self._blind = blind
        self._columns = tuple(columns)
        self._clock = clock
        self._record = record
        self._read_s = clock.monotonic()
        self._pace = Pace(self._read_s)
        self._shown = {column.side: column.blind_live(self._read_s)[1] for column in self._columns}
        self._finished: dict[str, Generation] = {}
        self._guard = threading.Lock()  # of the three above

    def start(self, engine: Engine, deadline_s: float) -> None:
        """Hand every column to the engine; one that it refuses has failed."""
        with engine.together():
            for column in self._columns:
                column.start(engine, deadline_s, partial(self._listen, column))

    def stop(self, side: str | None = None) -> None:
        """Stop one column, or all of them."""
        if self._blind:
            with self._guard:
                self._tick()
                if not self._is_complete:
                    self._pace.stop()
        for column in self._columns:
            if side in (None, column.side):
                column.stop()

    @property
    def is_waiting(self) -> bool:
        """True if no column has begun."""
        return all(column.live().state in (ColumnState.WAITING, ColumnState.LOADING) for column in self._columns)

    @property
    def unread_s(self) -> float:
        """Seconds since a snapshot was last read."""
        return self._clock.monotonic() - self._read_s

    def snapshot(self) -> Mapping[str, LiveColumn]:
        """Return all columns now; those of a blind battle as of its last tick, or whole once all have ended."""
        self._read_s = self._clock.monotonic()
        if not self._blind:
            return _by_side(column.live() for column in self._columns)
        with self._guard:
            self._tick()
            return self._shown

    @property
    def _is_complete(self) -> bool:
        return len(self._finished) == len(self._columns)

    def _tick(self) -> None:
        """Show what is due; call it with the guard, and before each event, so that a tick knows nothing later."""
        now_s = self._clock.monotonic()
        if self._is_complete or not self._pace.is_due(now_s):
            return
        columns = [column.blind_live(self._pace.tick_s(now_s)) for column in self._columns]
        if all(written.ended for written, _ in columns):
            return  # about to be recorded, and then shown as a whole
        self._pace.advance(now_s, [written for written, _ in columns])
        texts = [column.text_of(self._pace.shown) for column in self._columns]
        self._shown = _by_side(replace(live, text=text) for (_, live), text in zip(columns, texts, strict=True))

    def _listen(self, column: Column, event: Event) -> None:
        if self._blind:
            with self._guard:
                self._tick()
        generation = column.listen(event)
        if generation is None:
            return
        if not self._blind:
            self._record({column.side: generation})
            return
        with self._guard:
            self._finished[column.side] = generation
            ended = self._end() if self._is_complete else None
        if ended is not None:
            self._record(ended)

    def _end(self) -> Mapping[str, Generation]:
        """Return all generations, cut if the battle was stopped; from now on the snapshot shows them whole."""
        ended = {column.side: self._finished[column.side] for column in self._columns}
        if self._pace.stopped:
            ended = {column.side: _cut(column, ended[column.side], self._pace.shown) for column in self._columns}
        live = [column.blind_live(self._clock.monotonic())[1] for column in self._columns]
        self._shown = _by_side(replace(column, text=ended[column.side].text) for column in live)
        return ended


def _by_side(columns: Iterable[LiveColumn]) -> dict[str, LiveColumn]:
    return {column.side: column for column in columns}


def _cut(column: Column, generation: Generation, num_words: int) -> Generation:
    """Return the part of an answer that was shown when its blind battle was stopped.

    The text is exactly that. The tokens are the fewest whose text holds it: if a word ends inside a token, as with a
    token of a full stop and a line break, they hold a little more.
    """
    text = column.text_of(num_words)
    if text == generation.text:
        return generation
    failed = generation.finish_reason is FinishReason.ERROR
    reason = generation.finish_reason if failed else FinishReason.CANCELLED
    reasoning = generation.reasoning if text else ""  # its tokens come first
    token_ids = column.tokens_of(len(text))
    return replace(generation, text=text, reasoning=reasoning, token_ids=token_ids, finish_reason=reason)
