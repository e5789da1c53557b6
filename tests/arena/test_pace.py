"""Blind battles show words at ticks, independent of readers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.arena.pace import FASTEST, SLOWEST, TICK_S, Pace, WrittenSoFar

ARRIVALS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 9)), max_size=80)
"""Per step of 50 ms: ticks of nobody, words of two columns."""


def written(*words: int, ended: Sequence[int] = ()) -> list[WrittenSoFar]:
    return [WrittenSoFar(count, 3 * count, n in ended) for n, count in enumerate(words)]


def after(ticks: int, words_per_tick: float, pace: Pace | None = None, begin: int = 0) -> Pace:
    pace = pace or Pace(0.0)
    for tick in range(begin + 1, begin + ticks + 1):
        pace.advance(tick * TICK_S, written(int(words_per_tick * tick), 50 * tick))
    return pace


def test_nothing_changes_between_ticks() -> None:
    pace = Pace(5.0)
    assert not pace.is_due(5.0 + 0.9 * TICK_S)
    pace.advance(5.0 + 0.9 * TICK_S, written(7, 7))
    assert pace.shown == 0
    assert pace.is_due(5.0 + TICK_S)
    pace.advance(5.0 + TICK_S, written(7, 7))
    assert pace.shown == 1


def test_first_word_is_shown_once_every_column_has_one() -> None:
    pace = Pace(0.0)
    pace.advance(1.0, written(9, 0))
    assert pace.shown == 0
    pace.advance(1.0 + TICK_S, written(9, 1))
    assert pace.shown == 1


@pytest.mark.parametrize("words_per_tick", [1.2, 2.0, 40.0])
def test_columns_that_are_quick_enough_all_have_the_same_pace(words_per_tick: float) -> None:
    assert after(60, words_per_tick).shown == after(60, 3.0).shown
    assert after(61, words_per_tick).shown - after(60, words_per_tick).shown == FASTEST


def test_slower_columns_have_one_of_four_paces() -> None:
    for speed in range(3, 21):
        pace = after(40, speed / 20)
        before = pace.shown
        shown = after(80, speed / 20, pace, begin=40).shown - before
        assert min(abs(shown - 80 * step) for step in (1, 1 / 2, 1 / 4, 1 / 8)) <= 1


def test_columns_that_stall_are_waited_for_and_the_pace_is_halved() -> None:
    pace = after(20, 3.0)
    for tick in range(21, 100):
        pace.advance(tick * TICK_S, written(60, 50 * tick))
    assert pace.shown == 60
    pace.advance(10.0, written(1_000, 10_000))
    for tick in range(101, 141):
        pace.advance(tick * TICK_S, written(1_000, 10_000))
    assert SLOWEST * 40 - 1 <= pace.shown - 60 <= FASTEST * 20 + 1


def test_a_column_that_has_ended_changes_the_pace_of_nothing() -> None:
    both, alone = after(20, 3.0), after(20, 3.0)
    for tick in range(21, 60):
        both.advance(tick * TICK_S, written(3 * tick, 60))
        alone.advance(tick * TICK_S, written(3 * tick, 60, ended=[1]))
        assert both.shown == alone.shown


def test_a_stopped_pace_stays() -> None:
    pace = after(20, 3.0)
    pace.stop()
    assert after(20, 3.0, pace, begin=20).shown == after(20, 3.0).shown


def play(arrivals: Sequence[tuple[int, int, int]], reads: bool, swapped: bool = False) -> list[int]:
    """Return the words shown at the end of each step, read often or only then."""
    pace, words, now_s, shown = Pace(0.0), [0, 0], 0.0, []
    for idle, a, b in arrivals:
        for _ in range(idle * 10):
            now_s += 0.005
            if reads:
                pace.advance(now_s, written(*(words[::-1] if swapped else words)))
        now_s += 0.05
        pace.advance(now_s, written(*(words[::-1] if swapped else words)))  # as each event does, before it is taken
        words = [words[0] + a, words[1] + b]
        shown.append(pace.shown)
        assert pace.shown <= min(words)
    return shown


@given(ARRIVALS)
def test_pace_does_not_depend_on_reads(arrivals: list[tuple[int, int, int]]) -> None:
    assert play(arrivals, reads=True) == play(arrivals, reads=False)


@given(ARRIVALS)
def test_sides_that_change_places_change_nothing(arrivals: list[tuple[int, int, int]]) -> None:
    assert play(arrivals, reads=False) == play(arrivals, reads=False, swapped=True)


@given(ARRIVALS)
def test_words_are_never_taken_back(arrivals: list[tuple[int, int, int]]) -> None:
    shown = play(arrivals, reads=False)
    assert shown == sorted(shown)
