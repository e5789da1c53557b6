"""The pace of a blind battle: the number of words that its columns show, tick by tick.

Boundary: pure; the time is given. Nothing here depends on which column is which, or on how often they are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TICK_S = 0.1
FASTEST = 1.0
"""Words per tick: ten a second, about twice as fast as people read."""
SLOWEST = 0.125
OPENING = 0.25
"""Words per tick until the pace is decided; meanwhile the columns get ahead of what is shown."""
OPENING_TICKS = 10
CHECK_TICKS = 10
"""If the columns do not keep up, the pace is halved, at most once in this many ticks."""
WORDS_PER_TOKEN = 0.3
"""Fewer than most texts have (0.45 to 0.75), so that columns rarely fall behind. One number for all texts: a pace that
followed each text's own number would tell which column is the slow one."""


@dataclass(frozen=True, slots=True)
class WrittenSoFar:
    """The length of one column so far."""

    words: int  # complete ones
    tokens: int
    ended: bool


class Pace:
    """A steady pace for all columns, in steps too coarse to tell tokens or models apart.

    To show each word as soon as all columns have it would show the rhythm of the slowest column's tokens: compared
    with the tokens of each answer, it names the column and the model.
    """

    def __init__(self, began_s: float) -> None:
        self.shown = 0
        """Words shown of every column."""
        self._began_s = began_s
        self._ticks = 0  # since the beginning
        self._words_per_tick = OPENING
        self._due = 0.0  # words, or a part of one
        self._first: tuple[int, tuple[int, ...]] | None = None  # tick of the first word, and each column's tokens then
        self._ran_dry = False
        self.stopped = False

    def tick_s(self, now_s: float) -> float:
        """Return the time of the last tick until now."""
        return self._began_s + self._ticks_until(now_s) * TICK_S

    def stop(self) -> None:
        """Show no more words than now."""
        self.stopped = True

    def is_due(self, now_s: float) -> bool:
        """Return True if a tick has passed since `advance`."""
        return self._ticks_until(now_s) > self._ticks

    def advance(self, now_s: float, columns: Sequence[WrittenSoFar]) -> None:
        """Let all ticks until now pass.

        Args:
            columns: their lengths ever since the last call; at least one has not ended.
        """
        available = min(column.words for column in columns if not column.ended)
        for _ in range(self._ticks_until(now_s) - self._ticks):
            self._ticks += 1
            if not self.stopped:
                self._tick(available, columns)

    def _ticks_until(self, now_s: float) -> int:
        return int((now_s - self._began_s) / TICK_S + 1e-6)

    def _tick(self, available: int, columns: Sequence[WrittenSoFar]) -> None:
        if self._first is None:
            if available:
                self._first, self.shown = (self._ticks, tuple(column.tokens for column in columns)), 1
            return
        began, tokens = self._first
        age = self._ticks - began
        if age == OPENING_TICKS:
            written = [now.tokens - then for now, then in zip(columns, tokens, strict=True) if not now.ended]
            self._words_per_tick, self._ran_dry = _step(WORDS_PER_TOKEN * min(written) / age), False
        elif age > OPENING_TICKS and age % CHECK_TICKS == 0 and self._ran_dry:
            self._words_per_tick, self._ran_dry = _step(self._words_per_tick / 2), False
        self._due += self._words_per_tick
        if self.shown + int(self._due) > available:
            self._due, self._ran_dry = 0.0, True
            self.shown = max(self.shown, available)
            return
        self.shown += int(self._due)
        self._due -= int(self._due)


def _step(words_per_tick: float) -> float:
    """Return the nearest slower pace; the paces are powers of two."""
    step = FASTEST
    while step > max(words_per_tick, SLOWEST):
        step /= 2
    return step
