"""Results that are computed once for everybody who asks within a few seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from playground.clock import Clock
from playground.errors import InvalidValue
from playground.ui.pages.data.recent import Recent


def counting() -> tuple[list[int], Callable[[], int]]:
    """Return a list of results, and the function that adds to it."""
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    return made, make


def test_result_is_reused_until_it_is_old() -> None:
    now_s = 100.0
    recent: Recent[int] = Recent(fresh_s=10, clock=Clock(monotonic=lambda: now_s))
    _, make = counting()
    results = []
    for now_s in (100.0, 109.9, 110.0, 115.0):  # noqa: B007
        results.append(recent.get("votes", make))
    assert results == [0, 0, 1, 1]
    assert recent.get("pairs", make) == 2


def test_crowd_computes_a_result_once() -> None:
    recent: Recent[int] = Recent()
    made, make = counting()
    together = threading.Barrier(20)

    def ask() -> int:
        together.wait()
        return recent.get("votes", make)

    with ThreadPoolExecutor(20) as threads:
        asked = [threads.submit(ask) for _ in range(20)]
    assert {result.result() for result in asked} == {0}
    assert made == [0]


def test_error_is_not_kept() -> None:
    recent: Recent[int] = Recent()

    def fail() -> int:
        raise InvalidValue("no")

    with pytest.raises(InvalidValue):
        recent.get("votes", fail)
    assert recent.get("votes", lambda: 3) == 3


def test_least_used_result_is_forgotten() -> None:
    recent: Recent[int] = Recent(most=2)
    made, make = counting()
    for key in ("a", "b", "a", "c", "a", "b"):
        recent.get(key, make)
    assert made == [0, 1, 2, 3]
