"""Results of votes are made once and shared: who waits, who sees the one before, how often it is made, and errors."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock, active_count
from typing import Any

import pytest

from playground.arena.result_cache import QUICK_S, REST, ResultCache
from playground.errors import InvalidValue
from tests.support.patience import wait_until

LONG_S = 10.0
MOST = 8


class Made(tuple[str, int]):
    """A result by what was asked for and the state of the votes."""

    is_complete: bool


@dataclass
class Bench:
    """Results whose making takes as long as told, on votes and time that change when told."""

    state: int = 0
    now: float = 0.0
    takes_s: float = 0.0
    takes_two_makings: bool = False  # the second one beside
    fails: bool = False
    started: list[Any] = field(default_factory=list)
    made: list[Any] = field(default_factory=list)
    held: Event | None = None
    lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.cache: ResultCache[str, Made] = ResultCache(
            self.make,
            lambda asked: asked.startswith("all"),
            lambda: self.state,
            MOST,
            lambda made: made.is_complete,
            lambda: self.now,
        )

    def make(self, asked: str, patient: bool) -> Made:
        made = Made((asked, self.state))
        made.is_complete = patient or not self.takes_two_makings
        with self.lock:
            self.started.append(made)
        if self.held is not None:
            assert self.held.wait(LONG_S)
        fails = self.fails or asked == "wrong"
        self.now += self.takes_s
        with self.lock:
            self.made.append(made)
        if asked == "broken":
            raise ZeroDivisionError
        if fails:
            raise InvalidValue("no such category")
        return made

    def get(self, asked: str = "all") -> Any:
        return self.cache.get(asked)

    def newest(self, asked: str = "all", wait_s: float = LONG_S) -> Any:
        return self.cache.newest(asked, wait_s)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    if made.held is not None:
        made.held.set()


def test_nothing_is_made_again_without_a_vote(bench: Bench) -> None:
    assert bench.get() == bench.get() == ("all", 0)
    assert bench.made == [("all", 0)]


def test_quick_result_is_always_that_of_the_last_vote(bench: Bench) -> None:
    bench.get()
    bench.state = 1
    assert bench.get() == ("all", 1)


def test_four_visitors_share_one_making(bench: Bench) -> None:
    bench.held = Event()
    with ThreadPoolExecutor(4) as pool:
        boards = [pool.submit(bench.get) for _ in range(4)]
        wait_until(lambda: bench.started)
        assert not any(board.done() for board in boards)
        bench.held.set()
        assert {board.result(10) for board in boards} == {("all", 0)}
    assert bench.made == [("all", 0)]


def test_filters_do_not_wait_for_each_other(bench: Bench) -> None:
    bench.held = Event()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(bench.get, "slow")
        wait_until(lambda: bench.started)
        held, bench.held = bench.held, None
        assert bench.get("other") == ("other", 0)
        held.set()
        assert slow.result(10) == ("slow", 0)


def test_slow_result_is_shown_as_it_was_while_the_next_is_made(bench: Bench) -> None:
    bench.takes_s = 2 * QUICK_S
    bench.get()
    bench.now += REST * bench.takes_s
    bench.state, bench.held = 1, Event()
    assert [bench.get() for _ in range(3)] == [("all", 0)] * 3
    wait_until(lambda: len(bench.started) == 2)
    bench.held.set()
    wait_until(lambda: bench.get() == ("all", 1))
    assert bench.made == [("all", 0), ("all", 1)]


def test_slow_result_rests_however_many_votes_come(bench: Bench) -> None:
    bench.takes_s = 2 * QUICK_S
    bench.get()
    for state in range(1, 50):
        bench.state = state
        assert bench.get() == ("all", 0)
    assert len(bench.made) == 1


def test_error_reaches_all_who_wait_and_is_not_kept(bench: Bench) -> None:
    bench.held = Event()
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(bench.get, "wrong") for _ in range(2)]
        wait_until(lambda: bench.started)
        bench.held.set()
        for one in waiting:
            with pytest.raises(InvalidValue, match="no such category"):
                one.result(10)
    with pytest.raises(InvalidValue, match="no such category"):
        bench.get("wrong")


def test_slow_result_is_made_beside_after_an_error_too(bench: Bench) -> None:
    bench.takes_s = 2 * QUICK_S
    bench.get()
    bench.now += REST * bench.takes_s
    bench.state, bench.fails, bench.takes_s = 1, True, 0.0
    assert bench.get() == ("all", 0)
    wait_until(lambda: len(bench.made) == 2)
    bench.fails, bench.held = False, Event()
    bench.state = 2
    assert bench.get() == ("all", 0)
    bench.held.set()
    wait_until(lambda: bench.get() == ("all", 2))


def test_result_that_failed_is_made_again_without_a_vote(bench: Bench) -> None:
    bench.takes_s = 2 * QUICK_S
    bench.get()
    bench.now += REST * bench.takes_s
    bench.state, bench.fails = 1, True
    assert bench.get() == ("all", 0)
    wait_until(lambda: len(bench.made) == 2)
    bench.fails = False

    def is_made_later() -> bool:
        bench.now += REST * bench.takes_s
        return bool(bench.get() == ("all", 1))

    wait_until(is_made_later)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_unexpected_error_stops_nothing_that_is_wanted(bench: Bench) -> None:
    bench.held = Event()
    bench.newest("broken", wait_s=0)
    wait_until(lambda: bench.started)
    for asked in ("code", "poems"):
        bench.newest(asked, wait_s=0)
    bench.held.set()
    wait_until(lambda: bench.newest("poems", wait_s=0) == ("poems", 0))
    assert bench.newest("code") == ("code", 0)
    with pytest.raises(ZeroDivisionError):
        bench.newest("broken")


def test_few_results_are_kept(bench: Bench) -> None:
    for number in range(MOST + 1):
        bench.get(f"filter {number}")
    bench.get("filter 1")
    bench.get("filter 0")
    assert len(bench.made) == MOST + 2


def test_filters_do_not_push_the_default_out(bench: Bench) -> None:
    bench.get()
    for number in range(MOST + 1):
        bench.get(f"filter {number}")
    bench.get()
    assert bench.made.count(("all", 0)) == 1


def test_defaults_of_earlier_models_go_before_filters(bench: Bench) -> None:
    bench.get("filter")
    for number in range(2 * MOST):
        bench.get(f"all, models {number}")
    for _ in range(2):
        bench.get("other filter")
        bench.get("filter")
        bench.get(f"all, models {2 * MOST - 1}")
    asked = [asked for asked, _ in bench.made]
    assert asked == ["filter", *(f"all, models {number}" for number in range(2 * MOST)), "other filter"]


def test_newest_of_a_filter_is_kept_beside_many_defaults(bench: Bench) -> None:
    for number in range(MOST):
        bench.newest(f"all, models {number}")
    for _ in range(3):
        assert bench.newest("filter") == ("filter", 0)
    assert bench.made.count(("filter", 0)) == 1


def test_incomplete_result_is_completed_beside(bench: Bench) -> None:
    bench.takes_two_makings = True
    assert not bench.get().is_complete
    wait_until(lambda: bench.get().is_complete)
    assert bench.made == [("all", 0)] * 2


def test_complete_result_stays_until_the_next_complete_one(bench: Bench) -> None:
    bench.takes_two_makings, bench.takes_s = True, 2 * QUICK_S
    bench.get()
    wait_until(lambda: bench.get().is_complete)
    bench.now += REST * bench.takes_s
    bench.state, bench.held = 1, Event()
    board = bench.get()
    assert (board, board.is_complete) == (("all", 0), True)
    bench.held.set()
    wait_until(lambda: bench.get() == ("all", 1))
    assert bench.get().is_complete


def test_incomplete_results_are_completed_one_after_another(bench: Bench) -> None:
    bench.takes_two_makings = True
    filters = [str(number) for number in range(5)]
    for asked in filters:
        bench.get(asked)
    bench.held = Event()
    for asked in filters:
        bench.get(asked)
    wait_until(lambda: len(bench.started) == 6)
    bench.held.set()
    wait_until(lambda: all(bench.get(asked).is_complete for asked in filters))
    assert len(bench.made) == 10


def test_newest_is_there_at_once_if_quick_and_made_once(bench: Bench) -> None:
    assert bench.newest() == bench.newest() == ("all", 0)
    assert bench.made == [("all", 0)]


def test_nobody_waits_long_for_the_newest(bench: Bench) -> None:
    bench.held = Event()
    assert bench.newest(wait_s=0) is None
    bench.held.set()
    wait_until(lambda: bench.newest(wait_s=0) == ("all", 0))
    assert bench.made == [("all", 0)]


def test_newest_is_the_one_before_while_the_next_is_made_and_rests_after_it(bench: Bench) -> None:
    bench.takes_s = 2.0
    assert bench.newest() == ("all", 0)
    bench.state = 1
    assert bench.newest() == ("all", 0)
    assert bench.made == [("all", 0)]
    bench.now += REST * 2.0
    bench.held = Event()
    assert bench.newest(wait_s=0) == ("all", 0)
    bench.held.set()
    wait_until(lambda: bench.newest(wait_s=0) == ("all", 1))


def test_newest_ones_are_made_one_at_a_time(bench: Bench) -> None:
    bench.held = Event()
    for asked in ("all", "code", "all"):
        assert bench.newest(asked, wait_s=0) is None
    bench.held.set()
    wait_until(lambda: len(bench.made) == 2)
    assert {asked for asked, _ in bench.made} == {"all", "code"}


def test_error_leaves_the_newest_until_votes_change(bench: Bench) -> None:
    bench.fails = True
    for _ in range(2):
        with pytest.raises(InvalidValue, match="no such category"):
            bench.newest()
    assert len(bench.made) == 1
    bench.fails, bench.state = False, 1
    assert bench.newest() == ("all", 1)
    bench.fails, bench.state = True, 2
    assert bench.newest() == ("all", 1)


def test_newest_ones_that_were_asked_for_long_ago_are_forgotten(bench: Bench) -> None:
    for number in range(MOST + 1):
        bench.newest(str(number))
    bench.newest(str(MOST))
    bench.newest("0")
    assert [asked for asked, _ in bench.made].count("0") == 2
    assert [asked for asked, _ in bench.made].count(str(MOST)) == 1


def test_newest_of_many_filters_take_one_thread_and_are_not_all_made(bench: Bench) -> None:
    bench.held = Event()
    bench.newest("first", wait_s=0)
    wait_until(lambda: bench.started == [("first", 0)])
    threads = active_count()
    for number in range(3 * MOST):
        assert bench.newest(str(number), wait_s=0) is None
    bench.newest("all", wait_s=0)
    assert active_count() == threads
    bench.held.set()
    wait_until(lambda: len(bench.made) == MOST + 1)
    assert bench.made[1] == ("all", 0)
    assert [asked for asked, _ in bench.made[2:]] == [str(number) for number in range(2 * MOST + 1, 3 * MOST)]


def test_newest_of_the_default_stays_whatever_is_asked_for(bench: Bench) -> None:
    bench.newest()
    for number in range(2 * MOST):
        bench.newest(str(number))
    bench.newest()
    assert [asked for asked, _ in bench.made].count("all") == 1
