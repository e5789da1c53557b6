"""So many comparisons at once; who finds no place is told for how long."""

from __future__ import annotations

import threading

import pytest

from playground.arena.capacity import Places
from playground.clock import Clock
from playground.errors import Busy


class Seconds:
    at_s = 1000.0

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.at_s)


def test_a_place_is_taken_and_given_back() -> None:
    places = Places(2, Clock())
    places.take("a")
    places.take("b")
    with pytest.raises(Busy, match=r"^2 comparisons are being written now, as many as this playground takes at once"):
        places.take("c")
    places.free("a")
    places.free("a")
    places.free("never taken")
    places.take("c")
    assert len(places) == 2


def test_one_place_is_told_as_one() -> None:
    places = Places(1, Clock())
    places.take("a")
    with pytest.raises(
        Busy, match=r"^1 comparison is being written now, .* at once\. It should be done in about 30 s;"
    ):
        places.take("b")


def test_the_wait_is_what_the_last_ones_took_less_what_the_oldest_has_run() -> None:
    time = Seconds()
    places = Places(1, time.clock)
    for took_s in (20, 30, 40):
        places.take("x")
        time.at_s += took_s
        places.free("x")
    places.take("y")
    time.at_s += 12
    with pytest.raises(Busy, match=r"done in about 18 s; try again then\.$") as caught:
        places.take("z")
    assert caught.value.wait_s == 18
    time.at_s += 100
    with pytest.raises(Busy, match="about 1 s"):
        places.take("z")


def test_one_that_never_began_says_nothing_of_how_long_one_takes() -> None:
    time = Seconds()
    places = Places(1, time.clock)
    places.take("x")
    time.at_s += 5
    places.free("x", ended=False)
    places.take("y")
    with pytest.raises(Busy, match="about 30 s"):
        places.take("z")


@pytest.mark.proves("queue full")
def test_of_many_who_come_at_once_only_so_many_are_let_in() -> None:
    places, begin, taken = Places(10, Clock()), threading.Barrier(40), []

    def come(name: str) -> None:
        begin.wait()
        try:
            places.take(name)
        except Busy:
            return
        taken.append(name)

    threads = [threading.Thread(target=come, args=(str(n),)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(places) == 10
