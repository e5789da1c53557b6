"""So many comparisons at once; who finds no place is told for how long."""

from __future__ import annotations

import threading

import pytest

from playground.arena.capacity import Capacity
from playground.clock import Clock
from playground.errors import Busy


class Seconds:
    at_s = 1000.0

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.at_s)


def test_a_place_is_taken_and_given_back() -> None:
    capacity = Capacity(2, Clock())
    capacity.take("a")
    capacity.take("b")
    with pytest.raises(Busy, match=r"^2 comparisons are being written now, as many as this playground takes at once"):
        capacity.take("c")
    capacity.free("a")
    capacity.free("a")
    capacity.free("never taken")
    capacity.take("c")
    assert len(capacity) == 2


def test_one_place_is_told_as_one() -> None:
    capacity = Capacity(1, Clock())
    capacity.take("a")
    with pytest.raises(
        Busy, match=r"^1 comparison is being written now, .* at once\. It should be done in about 30 s;"
    ):
        capacity.take("b")


def test_the_wait_is_what_the_last_ones_took_less_what_the_oldest_has_run() -> None:
    time = Seconds()
    capacity = Capacity(1, time.clock)
    for took_s in (20, 30, 40):
        capacity.take("x")
        time.at_s += took_s
        capacity.free("x")
    capacity.take("y")
    time.at_s += 12
    with pytest.raises(Busy, match=r"done in about 18 s; try again then\.$") as caught:
        capacity.take("z")
    assert caught.value.wait_s == 18
    time.at_s += 100
    with pytest.raises(Busy, match="about 1 s"):
        capacity.take("z")


def test_one_that_never_began_says_nothing_of_how_long_one_takes() -> None:
    time = Seconds()
    capacity = Capacity(1, time.clock)
    capacity.take("x")
    time.at_s += 5
    capacity.free("x", ended=False)
    capacity.take("y")
    with pytest.raises(Busy, match="about 30 s"):
        capacity.take("z")


@pytest.mark.proves("queue full")
def test_of_many_who_come_at_once_only_so_many_are_let_in() -> None:
    capacity, begin, taken = Capacity(10, Clock()), threading.Barrier(40), []

    def come(name: str) -> None:
        begin.wait()
        try:
            capacity.take(name)
        except Busy:
            return
        taken.append(name)

    threads = [threading.Thread(target=come, args=(str(n),)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(capacity) == 10
